// The generation numbers that fence off replaced processes which share a state folder:
//
//   <folder>/generation             the newest process's, as text
//   <folder>/generations/<number>   claims: each is created exclusively, so by one process only
//   <folder>/snapshots/<number>/    number = generation * 10^6 + count, so that whatever a replaced
//                                   process still writes is older than its successor's
#ifndef GORILA_CHECKPOINT_GENERATION_H_
#define GORILA_CHECKPOINT_GENERATION_H_

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "gorila/base/status.h"

namespace gorila {

// One process's place in the order of those that had the folder. One thread at a time. All
// functions but number() and NextSnapshot() block on the disk.
class Generation {
 public:
  static constexpr std::int64_t kMax = 900'000;
  static constexpr std::int64_t kSnapshots = 1'000'000;  // of one generation, less one

  // Takes a number that no other process has or will get, larger than all that were taken before
  // (as the file, the claims and the snapshots show them), and makes it durable. `folder` exists.
  // Processes may take at the same time, also on several machines. DataLoss for a file that does
  // not contain a generation number; then none was taken.
  static StatusOr<Generation> Take(const std::filesystem::path& folder);

  std::int64_t number() const { return number_; }
  // The number of this process's next snapshot, above those of all earlier ones.
  std::uint64_t NextSnapshot();
  // FailedPrecondition when another process has taken a newer number: this one, of which the
  // message speaks as `owner`, must end.
  Status CheckNotReplaced(std::string_view owner) const;

 private:
  explicit Generation(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::filesystem::path File() const { return folder_ / "generation"; }
  std::filesystem::path Claims() const { return folder_ / "generations"; }
  // 0 where there is none.
  StatusOr<std::int64_t> ReadFileNumber() const;
  StatusOr<std::int64_t> NewestTaken() const;
  StatusOr<std::int64_t> NewestSnapshots() const;
  // Whether number_ became this process's.
  StatusOr<bool> Claim() const;
  Status WriteNewest() const;

  std::filesystem::path folder_;
  std::int64_t number_ = 0;
  std::int64_t snapshots_ = 0;
};

}  // namespace gorila

#endif  // GORILA_CHECKPOINT_GENERATION_H_
