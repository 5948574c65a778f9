// How the rows of a stream become transitions, for whatever keeps the rows. `Rows` addresses them
// by their index since the stream began and has
//
//   std::int64_t begin() const, end() const;          // the rows that are alive
//   const TimeStep& time_step(std::int64_t) const;    // of a living row
//   std::int32_t action(std::int64_t) const;
#ifndef GORILA_REPLAY_TRANSITION_ROWS_H_
#define GORILA_REPLAY_TRANSITION_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "gorila/base/status.h"
#include "gorila/replay/transition.h"

namespace gorila {

// How many rows of the same episode come before `index` and are needed by its stack: 0..stack-1.
// When one of them has been dropped, the rows counted reach back to before begin().
template <typename Rows>
int StackDepth(const Rows& rows, std::int64_t index, int stack) {
  int depth = 0;
  while (depth < stack - 1 && index - depth >= rows.begin() &&
         rows.time_step(index - depth).step_type != StepType::kFirst) {
    ++depth;
  }
  return depth;
}

// In place of a row before the episode's first, whose frame is all zero.
inline constexpr std::int64_t kNoRow = -1;

// Calls visit(row) for each of the `stack` rows that end at `index`, oldest first; with kNoRow for
// one before the episode's first. All of them must be alive.
template <typename Rows, typename Visit>
void VisitStack(const Rows& rows, std::int64_t index, int stack, Visit visit) {
  const int depth = StackDepth(rows, index, stack);
  GORILA_CHECK(index - depth >= rows.begin() && index < rows.end(), "row {} of {}..{}", index,
               rows.begin(), rows.end());
  for (int missing = stack - 1 - depth; missing > 0; --missing) visit(kNoRow);
  for (int back = depth; back >= 0; --back) visit(index - back);
}

// Whether a transition starts at `index`: all frames of its state are alive, and its n-th next row,
// or its episode's last, has come.
template <typename Rows>
bool IsComplete(const Rows& rows, std::int64_t index, int n_step, int stack) {
  if (index < rows.begin() || index >= rows.end() || rows.time_step(index).last()) return false;
  if (index - StackDepth(rows, index, stack) < rows.begin()) return false;
  if (index + n_step < rows.end()) return true;
  for (std::int64_t next = index + 1; next < rows.end(); ++next) {
    if (rows.time_step(next).last()) return true;
  }
  return false;
}

// Calls visit(index) for every row of whose transition row end()-1 was the last that was missing:
// the one n rows back, or at a last row all that were waiting. No row is ever visited twice.
template <typename Rows, typename Visit>
void VisitCompletedBy(const Rows& rows, int n_step, Visit visit) {
  const std::int64_t newest = rows.end() - 1;
  const std::int64_t earliest = std::max(rows.begin(), newest - n_step);
  std::int64_t index = newest;  // those of an earlier episode were complete with its last row
  while (index > earliest && !rows.time_step(index - 1).last()) --index;
  if (!rows.time_step(newest).last()) {
    if (index == newest - n_step) visit(index);
    return;
  }
  for (; index < newest; ++index) visit(index);
}

// Calls visit(index) for every living row whose stack needs row `index` or one before it in its
// episode: what can no longer be drawn when the rows up to `index` go.
template <typename Rows, typename Visit>
void VisitDependents(const Rows& rows, std::int64_t index, int stack, Visit visit) {
  visit(index);
  for (std::int64_t next = index + 1; next < std::min(index + stack, rows.end()); ++next) {
    if (rows.time_step(next).step_type == StepType::kFirst) break;
    visit(next);
  }
}

struct NStepReturn {
  double r_t = 0;         // discounted and clipped
  double discount_t = 1;  // of the value at `end`
  std::int64_t end = 0;   // the row of s_t
};

// What was taken at row `index`.
template <typename Rows>
std::int32_t ActionAt(const Rows& rows, std::int64_t index) {
  return rows.time_step(index).last() ? kNoAction : rows.action(index);
}

// The n-step return from row `start`, which must be complete; cut off at the episode's last row.
template <typename Rows>
NStepReturn SumRewards(const Rows& rows, std::int64_t start, const TransitionOptions& options) {
  NStepReturn sum{.end = start};
  for (int k = 0; k < options.n_step && !rows.time_step(sum.end).last(); ++k) {
    const TimeStep& next = rows.time_step(++sum.end);
    double reward = next.reward;
    if (options.reward_clip > 0) {
      reward = std::clamp(reward, -options.reward_clip, options.reward_clip);
    }
    sum.r_t += sum.discount_t * reward;
    sum.discount_t *= options.discount * static_cast<double>(next.discount);
  }
  return sum;
}

}  // namespace gorila

#endif  // GORILA_REPLAY_TRANSITION_ROWS_H_
