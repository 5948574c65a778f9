// Draws every transition alike, as the paper does.
#ifndef GORILA_REPLAY_UNIFORM_SELECTOR_H_
#define GORILA_REPLAY_UNIFORM_SELECTOR_H_

#include <cstdint>
#include <vector>

#include "gorila/replay/selector.h"

namespace gorila {

// O(1) insert, remove and draw; priorities are ignored. Not thread-safe.
class UniformSelector final : public Selector {
 public:
  static constexpr std::int64_t kBytesPerId = 2 * sizeof(std::uint32_t);

  explicit UniformSelector(std::size_t max_ids);

  void Insert(std::uint32_t id) override;
  void Remove(std::uint32_t id) override;
  void Update(std::uint32_t id, double priority) override;
  bool Contains(std::uint32_t id) const override { return position_[id] != kAbsent; }
  double Priority(std::uint32_t id) const override { return Contains(id) ? 1 : 0; }
  std::size_t size() const override { return ids_.size(); }
  double mass() const override { return static_cast<double>(ids_.size()); }
  void Sample(RandomStream& random, std::span<Drawn> drawn) override;
  // Keeps the order of the ids, on which later draws depend. DataLoss for ids out of range or
  // twice.
  void SaveState(StateWriter& writer) const override { writer.WriteSpan<std::uint32_t>(ids_); }
  Status RestoreState(StateReader& reader) override;
  void CheckInvariants() const override;

 private:
  static constexpr std::uint32_t kAbsent = 0xffffffff;
  std::vector<std::uint32_t> ids_;       // dense, in no particular order
  std::vector<std::uint32_t> position_;  // of each id in ids_, or kAbsent
};

}  // namespace gorila

#endif  // GORILA_REPLAY_UNIFORM_SELECTOR_H_
