// Draws in proportion to priority (Schaul et al. 2016, "Prioritized Experience Replay").
#ifndef GORILA_REPLAY_PRIORITIZED_SELECTOR_H_
#define GORILA_REPLAY_PRIORITIZED_SELECTOR_H_

#include <cstdint>

#include "gorila/replay/selector.h"
#include "gorila/replay/sum_tree.h"

namespace gorila {

// Every operation takes O(log max_ids). Not thread-safe.
class PrioritizedSelector final : public Selector {
 public:
  static constexpr std::int64_t kBytesPerId = 2 * sizeof(double);

  explicit PrioritizedSelector(std::size_t max_ids) : tree_(max_ids) {}

  void Insert(std::uint32_t id) override;
  void Remove(std::uint32_t id) override;
  void Update(std::uint32_t id, double priority) override;
  bool Contains(std::uint32_t id) const override { return tree_.Get(id) > 0; }
  double Priority(std::uint32_t id) const override { return tree_.Get(id); }
  std::size_t size() const override { return count_; }
  double LargestPriority(int) const override { return largest_; }
  void RaiseLargestPriority(int game, double priority) override;
  double mass() const override { return tree_.total(); }
  void Sample(RandomStream& random, std::span<Drawn> drawn) override;
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;
  void CheckInvariants() const override;

 private:
  SumTree tree_;  // an id that is not there has weight 0
  std::size_t count_ = 0;
  double largest_ = 1;  // priority ever given
};

}  // namespace gorila

#endif  // GORILA_REPLAY_PRIORITIZED_SELECTOR_H_
