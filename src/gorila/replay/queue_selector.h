// Draws every transition once, in the order of their arrival: experience of the present policy, for
// algorithms that learn on-policy.
#ifndef GORILA_REPLAY_QUEUE_SELECTOR_H_
#define GORILA_REPLAY_QUEUE_SELECTOR_H_

#include <cstdint>
#include <vector>

#include "gorila/replay/selector.h"

namespace gorila {

// O(1) insert, remove and draw. Draws remove, need no random numbers and have probability 1;
// priorities are ignored. Not thread-safe.
class QueueSelector final : public Selector {
 public:
  static constexpr std::int64_t kBytesPerId = 2 * sizeof(std::uint32_t);

  explicit QueueSelector(std::size_t max_ids);

  void Insert(std::uint32_t id) override;
  void Remove(std::uint32_t id) override;
  void Update(std::uint32_t id, double priority) override;
  bool Contains(std::uint32_t id) const override { return links_[id].next != kAbsent; }
  double Priority(std::uint32_t id) const override { return Contains(id) ? 1 : 0; }
  std::size_t size() const override { return size_; }
  double mass() const override { return static_cast<double>(size_); }
  bool draws_once() const override { return true; }
  // Not more than size().
  void Sample(RandomStream& random, std::span<Drawn> drawn) override;
  // The ids in their order. DataLoss for ids out of range or twice.
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;
  void CheckInvariants() const override;

 private:
  static constexpr std::uint32_t kAbsent = 0xffffffff;

  // Neighbours in a ring through the anchor, which is the last element and no id.
  struct Link {
    std::uint32_t next = kAbsent;
    std::uint32_t previous = kAbsent;
  };

  std::uint32_t anchor() const { return static_cast<std::uint32_t>(links_.size() - 1); }

  std::vector<Link> links_;
  std::size_t size_ = 0;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_QUEUE_SELECTOR_H_
