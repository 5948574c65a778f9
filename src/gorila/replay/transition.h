// The input of replay (the rows of an actor's streams) and its output (minibatches of
// transitions). Names follow the literature: s_tm1, a_tm1, r_t, discount_t, s_t.
#ifndef GORILA_REPLAY_TRANSITION_H_
#define GORILA_REPLAY_TRANSITION_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <span>
#include <string_view>
#include <vector>

#include "gorila/env/environment.h"

namespace gorila {

// What the policy thought as it acted; not a number where it did not say.
struct RowValues {
  float taken = std::numeric_limits<float>::quiet_NaN();  // of the action taken
  float best = std::numeric_limits<float>::quiet_NaN();   // of the best one: the state's value
};

// A row of replay: a time step of one environment (a stream), with the action taken there.
struct ReplayRow {
  std::span<const std::byte> frame;  // observation.frame_bytes() long; copied by Insert
  TimeStep time_step;                // reward and discount of the transition INTO this row
  int action = 0;                    // taken here; meaningless when time_step.last()
  RowValues values = {};             // read where new transitions get their first priority by them
  int game = 0;                      // of those of the run; all rows of a stream are of one
  // ln mu(a|s): of the probability with which the policy took the action. Unrolls need it.
  float log_probability = std::numeric_limits<float>::quiet_NaN();
};

// Whether a policy can have taken an action with this.
inline bool IsLogProbability(float value) { return std::isfinite(value) && value <= 0; }

// In place of the action of an episode's last row, where none was taken.
inline constexpr std::int32_t kNoAction = -1;

// A minibatch: single transitions or unrolls, which are the time steps of one stream from some row
// on, T transitions with T + 1 states. The buffers belong to the caller and are reused from one
// sample to the next.
//
// An unroll's transitions are consecutive in each array. Its states are in s_tm1, ending with the
// state after the last transition; s_t is empty. An episode that ends within the unroll leaves an
// entry without a transition for its last row: a_tm1 is kNoAction, r_t and discount_t are 0, and
// the next row starts another episode. n_step is 1.
struct TransitionBatch {
  // The states, which are large, are in `memory` (QNetwork::host_memory()), which must outlive
  // this.
  explicit TransitionBatch(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : s_tm1(memory), s_t(memory) {}

  int size = 0;                       // transitions or unrolls
  int unroll = 0;                     // T; 0: single transitions
  std::pmr::vector<std::byte> s_tm1;  // states() x stacked_bytes
  std::vector<std::int32_t> a_tm1;    // transitions(), as the three below
  std::vector<std::int32_t> a_t;      // taken at s_t; kNoAction where its episode ended there
  std::vector<float> r_t;             // n-step, discounted, clipped as configured
  std::vector<float> discount_t;      // gamma^n, or 0 when the episode ended in between
  std::vector<float> log_mu;          // of an unroll: ReplayRow::log_probability; 0 of no action
  std::pmr::vector<std::byte> s_t;    // size x stacked_bytes; n steps after s_tm1
  std::vector<std::uint64_t> keys;    // size; name what was drawn in its shard, forever
  std::vector<double> probabilities;  // size; with which each was drawn
  std::vector<std::int32_t> games;    // size; ReplayRow::game
  std::size_t shard = 0;              // of a global replay; all of them are from one
  std::int64_t generation = 0;        // of that shard

  int transitions() const { return size * std::max(unroll, 1); }
  int states() const { return unroll == 0 ? size : size * (unroll + 1); }

  // Makes room for `drawn` transitions or, with `length`, unrolls of so many.
  void Resize(int drawn, std::size_t stacked_bytes, int length = 0) {
    size = drawn;
    unroll = length;
    const auto count = static_cast<std::size_t>(transitions());
    s_tm1.resize(static_cast<std::size_t>(states()) * stacked_bytes);
    a_tm1.resize(count);
    a_t.resize(count);
    r_t.resize(count);
    discount_t.resize(count);
    log_mu.resize(length == 0 ? 0 : count);
    s_t.resize(length == 0 ? count * stacked_bytes : 0);
    keys.resize(static_cast<std::size_t>(drawn));
    probabilities.resize(static_cast<std::size_t>(drawn));
    games.resize(static_cast<std::size_t>(drawn));
  }
};

// The longest unroll.
inline constexpr int kMostUnrolled = 1024;

// How rows become transitions.
struct TransitionOptions {
  int n_step = 1;          // 1 is the paper's; 1..64
  int unroll = 0;          // T: rows go out as unrolls of so many time steps; 0: as transitions
  double discount = 0.99;  // gamma, in [0, 1]
  double reward_clip = 0;  // clips each step's reward to +-this; 0 = off (DQN on Atari: 1)

  // Rows that must follow the first of what is drawn.
  int rows_after() const { return unroll > 0 ? unroll : n_step; }
  // Time steps of one that is drawn.
  int steps() const { return std::max(unroll, 1); }
  // What is drawn, for messages.
  std::string_view noun() const { return unroll > 0 ? "unrolls" : "transitions"; }
};

}  // namespace gorila

#endif  // GORILA_REPLAY_TRANSITION_H_
