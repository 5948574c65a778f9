// What a policy thought of a stream's last rows, until their transitions are complete.
#ifndef GORILA_REPLAY_VALUE_WINDOW_H_
#define GORILA_REPLAY_VALUE_WINDOW_H_

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/replay/transition_rows.h"

namespace gorila {

// The first priority of a transition by its actor's own values (Horgan et al. 2018, section 3).
// Not thread-safe.
class ValueWindow {
 public:
  ValueWindow() = default;
  explicit ValueWindow(int n_step) : slots_(static_cast<std::size_t>(n_step) + 1) {}

  // Of row `index`, which is the stream's next one.
  void Add(std::int64_t index, const RowValues& values) {
    if (!slots_.empty()) At(index) = {index, values};
  }

  // The absolute n-step TD error of the transition that starts at row `start` and is complete since
  // the newest row. Nothing when a value in it is not known or not finite: the policy did not act
  // at a time-out, or the rows came before a restart.
  template <typename Rows>
  std::optional<double> InitialError(const Rows& rows, std::int64_t start,
                                     const TransitionOptions& options) const {
    if (slots_.empty()) return std::nullopt;
    const NStepReturn sum = SumRewards(rows, start, options);
    const Slot& first = At(start);
    const Slot& last = At(sum.end);
    if (first.index != start || (sum.discount_t > 0 && last.index != sum.end)) return std::nullopt;
    const double value =
        sum.discount_t > 0 ? sum.discount_t * static_cast<double>(last.values.best) : 0;
    const double error = std::abs(sum.r_t + value - static_cast<double>(first.values.taken));
    return std::isfinite(error) ? std::optional(error) : std::nullopt;
  }

  void SaveState(StateWriter& writer) const { writer.WriteSpan<Slot>(slots_); }
  Status RestoreState(StateReader& reader) {
    std::vector<Slot> slots;
    GORILA_RETURN_IF_ERROR(reader.ReadVector(slots));
    if (slots.size() != slots_.size()) {
      return DataLoss("replay state: the values of {} rows of a stream, expected {}", slots.size(),
                      slots_.size());
    }
    slots_ = std::move(slots);
    return OkStatus();
  }

 private:
  struct Slot {
    std::int64_t index = -1;
    RowValues values;
  };

  Slot& At(std::int64_t index) { return slots_[static_cast<std::size_t>(index) % slots_.size()]; }
  const Slot& At(std::int64_t index) const {
    return slots_[static_cast<std::size_t>(index) % slots_.size()];
  }

  std::vector<Slot> slots_;  // by index modulo their number; empty: values are not kept
};

}  // namespace gorila

#endif  // GORILA_REPLAY_VALUE_WINDOW_H_
