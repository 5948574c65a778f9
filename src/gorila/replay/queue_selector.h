// Draws every transition once, in the order of their arrival: experience of the present policy, for
// algorithms that learn on-policy. With SelectorOptions::replayed_share a part of each minibatch is
// drawn again from what went before.
#ifndef GORILA_REPLAY_QUEUE_SELECTOR_H_
#define GORILA_REPLAY_QUEUE_SELECTOR_H_

#include <cstdint>
#include <vector>

#include "gorila/replay/selector.h"

namespace gorila {

// O(1) insert, remove and draw. Draws from the queue need no random numbers. All probabilities are
// 1: nothing is to be made up for in a loss. Priorities are ignored. Not thread-safe.
class QueueSelector final : public Selector {
 public:
  static constexpr std::int64_t kBytesPerId = 2 * sizeof(std::uint32_t);
  static constexpr std::int64_t kBytesPerDrawnId = sizeof(std::uint32_t);  // besides, where kept

  explicit QueueSelector(std::size_t max_ids, const SelectorOptions& options = {});

  void Insert(std::uint32_t id) override;
  void Remove(std::uint32_t id) override;
  void Update(std::uint32_t id, double priority) override;
  bool Contains(std::uint32_t id) const override { return links_[id].next != kAbsent; }
  double Priority(std::uint32_t id) const override { return Contains(id) ? 1 : 0; }
  std::size_t size() const override { return queued_ + drawn_.size(); }
  double mass() const override { return static_cast<double>(queued_); }
  bool draws_once() const override { return true; }
  std::size_t queued() const override { return queued_; }
  bool IsQueued(std::uint32_t id) const override {
    return Contains(id) && links_[id].next != kDrawn;
  }
  void MarkDrawn(std::uint32_t id) override;
  // The first FreshOf() of them are the front of the queue.
  void Sample(RandomStream& random, std::span<Drawn> drawn) override;
  // The ids in their order; then, where they are kept, those that were drawn. DataLoss for ids out
  // of range or twice.
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;
  void CheckInvariants() const override;

 private:
  static constexpr std::uint32_t kAbsent = 0xffffffff;
  static constexpr std::uint32_t kDrawn = 0xfffffffe;

  // Neighbours in a ring through the anchor, which is the last element and no id. Of an id that was
  // drawn: kDrawn, and its place in drawn_.
  struct Link {
    std::uint32_t next = kAbsent;
    std::uint32_t previous = kAbsent;
  };

  std::uint32_t anchor() const { return static_cast<std::uint32_t>(links_.size() - 1); }
  bool keeps_drawn() const { return options_.replayed_share > 0; }
  void Unlink(std::uint32_t id);
  void AddDrawn(std::uint32_t id);

  SelectorOptions options_;
  std::vector<Link> links_;
  std::size_t queued_ = 0;
  std::vector<std::uint32_t> drawn_;  // in no particular order; empty unless they are kept
};

}  // namespace gorila

#endif  // GORILA_REPLAY_QUEUE_SELECTOR_H_
