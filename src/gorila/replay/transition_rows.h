// How the rows of a stream become transitions, for whatever keeps the rows. `Rows` addresses them
// by their index since the stream began and has
//
//   std::int64_t begin() const, end() const;          // the rows that are alive
//   const TimeStep& time_step(std::int64_t) const;    // of a living row
//   std::int32_t action(std::int64_t) const;
//   float log_probability(std::int64_t) const;        // where unrolls are drawn
#ifndef GORILA_REPLAY_TRANSITION_ROWS_H_
#define GORILA_REPLAY_TRANSITION_ROWS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

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

// Whether an unroll starts at `index`: those of a stream follow one another, each with the last row
// of the one before it, from row 0 on.
inline bool StartsUnroll(const TransitionOptions& options, std::int64_t index) {
  return index % options.unroll == 0;
}

// Whether a transition or an unroll starts at `index`, all frames of whose state are alive.
template <typename Rows>
bool MayStart(const Rows& rows, std::int64_t index, const TransitionOptions& options, int stack) {
  if (index < rows.begin() || index >= rows.end()) return false;
  if (options.unroll > 0 ? !StartsUnroll(options, index) : rows.time_step(index).last()) {
    return false;
  }
  return index - StackDepth(rows, index, stack) >= rows.begin();
}

// Whether a transition starts at `index`: all frames of its state are alive, and its n-th next row,
// or its episode's last, has come. Or whether an unroll does that has all its rows.
template <typename Rows>
bool IsComplete(const Rows& rows, std::int64_t index, const TransitionOptions& options, int stack) {
  if (!MayStart(rows, index, options, stack)) return false;
  if (index + options.rows_after() < rows.end()) return true;
  if (options.unroll > 0) return false;
  for (std::int64_t next = index + 1; next < rows.end(); ++next) {
    if (rows.time_step(next).last()) return true;
  }
  return false;
}

// Calls visit(index) for every row of whose transition row end()-1 was the last that was missing:
// the one n rows back, or at a last row all that were waiting. No row is ever visited twice. Of
// unrolls: for the first row of the one that row end()-1 ends.
template <typename Rows, typename Visit>
void VisitCompletedBy(const Rows& rows, const TransitionOptions& options, Visit visit) {
  const std::int64_t newest = rows.end() - 1;
  if (options.unroll > 0) {
    const std::int64_t first = newest - options.unroll;
    if (first >= rows.begin() && StartsUnroll(options, first)) visit(first);
    return;
  }
  const std::int64_t earliest = std::max(rows.begin(), newest - options.n_step);
  std::int64_t index = newest;  // those of an earlier episode were complete with its last row
  while (index > earliest && !rows.time_step(index - 1).last()) --index;
  if (!rows.time_step(newest).last()) {
    if (index == newest - options.n_step) visit(index);
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

// Into this row.
inline double ClippedReward(const TimeStep& step, const TransitionOptions& options) {
  const double reward = step.reward;
  return options.reward_clip > 0 ? std::clamp(reward, -options.reward_clip, options.reward_clip)
                                 : reward;
}

// The n-step return from row `start`, which must be complete; cut off at the episode's last row.
template <typename Rows>
NStepReturn SumRewards(const Rows& rows, std::int64_t start, const TransitionOptions& options) {
  NStepReturn sum{.end = start};
  for (int k = 0; k < options.n_step && !rows.time_step(sum.end).last(); ++k) {
    const TimeStep& next = rows.time_step(++sum.end);
    sum.r_t += sum.discount_t * ClippedReward(next, options);
    sum.discount_t *= options.discount * static_cast<double>(next.discount);
  }
  return sum;
}

// Everything but the states of minibatch element `i`: the unroll from row `start`, which must be
// complete.
template <typename Rows>
void FillUnroll(const Rows& rows, std::int64_t start, const TransitionOptions& options,
                std::size_t i, TransitionBatch& batch) {
  auto at = i * static_cast<std::size_t>(options.unroll);
  for (std::int64_t row = start; row < start + options.unroll; ++row, ++at) {
    const TimeStep& next = rows.time_step(row + 1);
    const bool acted = !rows.time_step(row).last();
    batch.a_tm1[at] = ActionAt(rows, row);
    batch.a_t[at] = ActionAt(rows, row + 1);
    batch.r_t[at] = acted ? static_cast<float>(ClippedReward(next, options)) : 0;
    batch.discount_t[at] =
        acted ? static_cast<float>(options.discount * static_cast<double>(next.discount)) : 0;
    batch.log_mu[at] = acted ? rows.log_probability(row) : 0;
  }
}

// The states of an unroll from its frames: those of its first state's stack, and one of each later
// row. copy(i, destination) copies frame i of these length + stack frames; each is asked for once,
// in order. `a_tm1`: of the unroll's rows.
template <typename CopyFrame>
void BuildUnrollStates(std::span<const std::int32_t> a_tm1, int stack, std::size_t frame_bytes,
                       CopyFrame copy, std::byte* states) {
  const auto depth = static_cast<std::size_t>(stack);
  const std::size_t older_bytes = (depth - 1) * frame_bytes;
  for (std::size_t i = 0; i < depth; ++i) copy(i, states + i * frame_bytes);
  for (std::size_t row = 1; row <= a_tm1.size(); ++row) {
    std::byte* const before = states;
    states += depth * frame_bytes;
    if (a_tm1[row - 1] == kNoAction) {  // an episode begins
      std::memset(states, 0, older_bytes);
    } else {
      std::memcpy(states, before + frame_bytes, older_bytes);
    }
    copy(depth - 1 + row, states + older_bytes);
  }
}

}  // namespace gorila

#endif  // GORILA_REPLAY_TRANSITION_ROWS_H_
