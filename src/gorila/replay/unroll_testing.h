// For tests of unrolls: what they must be, written down without any of replay's data structures.
#ifndef GORILA_REPLAY_UNROLL_TESTING_H_
#define GORILA_REPLAY_UNROLL_TESTING_H_

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "gorila/replay/testing.h"

namespace gorila::testing_replay {

// One unroll, its frames by name.
struct Unroll {
  std::vector<std::vector<FrameName>> states;  // one more than of the rest
  std::vector<int> a_tm1;
  std::vector<int> a_t;
  std::vector<float> r_t;
  std::vector<float> discount_t;
  std::vector<float> log_mu;

  bool operator==(const Unroll&) const = default;
};

// With a probability that identifies the row, or an impossible one if no action was taken.
inline NamedRow WithProbability(NamedRow row) {
  row.log_probability = row.time_step.last() ? 7 : -static_cast<float>(row.name.number % 61) / 32;
  return row;
}

// The unroll from row `start` of a stream with these rows, which has all it needs.
inline Unroll UnrollOf(const std::vector<NamedRow>& rows, std::size_t start,
                       const TransitionOptions& options, int stack) {
  Unroll unroll;
  for (std::size_t at = start; at <= start + static_cast<std::size_t>(options.unroll); ++at) {
    std::vector<FrameName> state(static_cast<std::size_t>(stack));
    std::size_t from = at;
    for (auto place = state.rbegin(); place != state.rend(); ++place, --from) {
      *place = rows[from].name;
      if (rows[from].time_step.step_type == StepType::kFirst) break;
    }
    unroll.states.push_back(state);
  }
  for (std::size_t at = start; at < start + static_cast<std::size_t>(options.unroll); ++at) {
    const NamedRow& row = rows[at];
    const NamedRow& next = rows[at + 1];
    const bool ended = row.time_step.last();
    unroll.a_tm1.push_back(ended ? kNoAction : row.action);
    unroll.a_t.push_back(next.time_step.last() ? kNoAction : next.action);
    unroll.r_t.push_back(ended ? 0 : next.time_step.reward);
    unroll.discount_t.push_back(
        ended
            ? 0
            : static_cast<float>(options.discount * static_cast<double>(next.time_step.discount)));
    unroll.log_mu.push_back(ended ? 0 : row.log_probability);
  }
  return unroll;
}

// Unroll `i` of a batch.
inline Unroll UnrollFromBatch(const TransitionBatch& batch, std::size_t i, int stack) {
  const auto length = static_cast<std::size_t>(batch.unroll);
  const std::size_t bytes = static_cast<std::size_t>(stack) * sizeof(FrameName);
  Unroll unroll;
  for (std::size_t state = i * (length + 1); state < (i + 1) * (length + 1); ++state) {
    std::vector<FrameName> names(static_cast<std::size_t>(stack));
    std::memcpy(names.data(), &batch.s_tm1[state * bytes], bytes);
    unroll.states.push_back(names);
  }
  for (std::size_t at = i * length; at < (i + 1) * length; ++at) {
    unroll.a_tm1.push_back(batch.a_tm1[at]);
    unroll.a_t.push_back(batch.a_t[at]);
    unroll.r_t.push_back(batch.r_t[at]);
    unroll.discount_t.push_back(batch.discount_t[at]);
    unroll.log_mu.push_back(batch.log_mu[at]);
  }
  return unroll;
}

inline void ExpectSame(const Unroll& got, const Unroll& want) {
  EXPECT_EQ(got.states, want.states);
  EXPECT_EQ(got.a_tm1, want.a_tm1);
  EXPECT_EQ(got.a_t, want.a_t);
  EXPECT_EQ(got.r_t, want.r_t);
  EXPECT_EQ(got.discount_t, want.discount_t);
  EXPECT_EQ(got.log_mu, want.log_mu);
}

}  // namespace gorila::testing_replay

#endif  // GORILA_REPLAY_UNROLL_TESTING_H_
