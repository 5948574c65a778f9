// The input of replay (the rows of an actor's streams) and its output (minibatches of
// transitions). Names follow the literature: s_tm1, a_tm1, r_t, discount_t, s_t.
#ifndef GORILA_REPLAY_TRANSITION_H_
#define GORILA_REPLAY_TRANSITION_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory_resource>
#include <span>
#include <vector>

#include "gorila/env/environment.h"

namespace gorila {

// What the policy thought as it acted; not a number where it did not say.
struct RowValues {
  float taken = std::numeric_limits<float>::quiet_NaN();  // of the action taken
  float best = std::numeric_limits<float>::quiet_NaN();   // of the best one: the state's value
};

// One time step of one environment (a stream), with the action taken there.
struct ReplayRow {
  std::span<const std::byte> frame;  // observation.frame_bytes() long; copied by Insert
  TimeStep time_step;                // reward and discount of the transition INTO this row
  int action = 0;                    // taken here; meaningless when time_step.last()
  RowValues values = {};             // read where new transitions get their first priority by them
};

// In place of the action of an episode's last row, where none was taken.
inline constexpr std::int32_t kNoAction = -1;

// A minibatch. The buffers belong to the caller and are reused from one sample to the next.
struct TransitionBatch {
  // The states, which are large, are in `memory` (QNetwork::host_memory()), which must outlive
  // this.
  explicit TransitionBatch(std::pmr::memory_resource* memory = std::pmr::get_default_resource())
      : s_tm1(memory), s_t(memory) {}

  int size = 0;
  std::pmr::vector<std::byte> s_tm1;  // size x stacked_bytes
  std::vector<std::int32_t> a_tm1;    // size
  std::vector<std::int32_t> a_t;      // size; taken at s_t; kNoAction where its episode ended there
  std::vector<float> r_t;             // size; n-step, discounted, clipped as configured
  std::vector<float> discount_t;      // size; gamma^n, or 0 when the episode ended in between
  std::pmr::vector<std::byte> s_t;    // size x stacked_bytes; n steps after s_tm1
  std::vector<std::uint64_t> keys;    // size; name the transitions in their shard, forever
  std::vector<double> probabilities;  // size; with which each was drawn
  std::size_t shard = 0;              // of a global replay; all of them are from one
  std::int64_t generation = 0;        // of that shard

  // Makes room for `transitions` of them.
  void Resize(int transitions, std::size_t stacked_bytes) {
    size = transitions;
    const auto count = static_cast<std::size_t>(transitions);
    s_tm1.resize(count * stacked_bytes);
    a_tm1.resize(count);
    a_t.resize(count);
    r_t.resize(count);
    discount_t.resize(count);
    s_t.resize(count * stacked_bytes);
    keys.resize(count);
    probabilities.resize(count);
  }
};

// How rows become transitions.
struct TransitionOptions {
  int n_step = 1;          // 1 is the paper's; 1..64
  double discount = 0.99;  // gamma, in [0, 1]
  double reward_clip = 0;  // clips each step's reward to +-this; 0 = off (DQN on Atari: 1)
};

}  // namespace gorila

#endif  // GORILA_REPLAY_TRANSITION_H_
