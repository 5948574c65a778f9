// Which transition is drawn: uniformly among the complete ones.
#ifndef GORILA_REPLAY_UNIFORM_SELECTOR_H_
#define GORILA_REPLAY_UNIFORM_SELECTOR_H_

#include <cstdint>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/base/serialise.h"

namespace gorila {

// A set of ids 0 .. max_ids-1 with O(1) insert, remove and draw. Not thread-safe.
class UniformSelector {
 public:
  explicit UniformSelector(std::size_t max_ids);

  void Insert(std::uint32_t id);  // must not be there
  void Remove(std::uint32_t id);  // must be there
  bool Contains(std::uint32_t id) const { return position_[id] != kAbsent; }
  std::uint32_t Draw(RandomStream& random) const { return ids_[random.Below(ids_.size())]; }
  std::size_t size() const { return ids_.size(); }

  // Keeps the order of the ids, on which later draws depend. DataLoss for ids out of range or
  // twice.
  void SaveState(StateWriter& writer) const { writer.WriteSpan<std::uint32_t>(ids_); }
  Status RestoreState(StateReader& reader);

  void CheckInvariants() const;

 private:
  static constexpr std::uint32_t kAbsent = 0xffffffff;
  std::vector<std::uint32_t> ids_;       // dense, in no particular order
  std::vector<std::uint32_t> position_;  // of each id in ids_, or kAbsent
};

}  // namespace gorila

#endif  // GORILA_REPLAY_UNIFORM_SELECTOR_H_
