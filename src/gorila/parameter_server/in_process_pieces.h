// The parameter server inside this process, for groups of members.
#ifndef GORILA_PARAMETER_SERVER_IN_PROCESS_PIECES_H_
#define GORILA_PARAMETER_SERVER_IN_PROCESS_PIECES_H_

#include <map>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/parameter_server/in_process_store.h"
#include "gorila/parameter_server/piece_store.h"

namespace gorila {

// Thread-safe. The parts of a gradient meet in a vector of the group, which is pushed whole.
class InProcessPieceStore final : public PieceStore {
 public:
  explicit InProcessPieceStore(InProcessParameterStore& store) : store_(store) {}

  int num_shards() const override { return store_.num_shards(); }
  StatusOr<bool> PullPieces(const Pieces& pieces, std::span<float> local, ShardVersions& versions,
                            bool target) override;
  Status Stage(const GradientPart& part, const Pieces& pieces, std::span<const float> local,
               float factor) override;
  StatusOr<CommitOutcome> Commit(const GradientPart& part, const Pieces& pieces,
                                 std::span<const float> local, const ShardVersions& versions,
                                 std::span<const Pieces> others) override;

 private:
  struct Group {
    std::int64_t sequence = 0;
    int staged = 0;  // members above 0 whose parts of it are there
    std::vector<float> gradient;
  };

  Group& GroupOf(const GradientPart& part) GORILA_EXCLUDES(mutex_);

  InProcessParameterStore& store_;
  Mutex mutex_;
  // By client; never removed. The members of a group write to different places of its gradient.
  std::map<std::uint64_t, Group> groups_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_IN_PROCESS_PIECES_H_
