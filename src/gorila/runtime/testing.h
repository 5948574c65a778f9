// What the tests of clusters share: a cluster that runs in milliseconds, and all of its state.
#ifndef GORILA_RUNTIME_TESTING_H_
#define GORILA_RUNTIME_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gorila/runtime/cluster.h"

namespace gorila::testing_runtime {

// Two bundles of three games of Catch each, two shards, a network of one small layer.
inline Config SmallConfig() {
  Config config;
  config.run.frames = 1000000;
  config.run.seed = 3;
  config.run.bundles = 2;
  config.run.deterministic = true;
  config.environment.name = "classic/catch";
  config.network.preset = "custom";
  config.network.hidden = {16};
  config.actor.environments = 3;
  config.actor.options.exploration = {.epsilon_start = 1, .epsilon_end = 0.1, .epsilon_ticks = 500};
  config.replay.options = {.capacity = 400,
                           .transition = {.n_step = 2, .discount = 0.9},
                           .rate = {.updates_per_step = 0.5, .min_size = 50}};
  config.learner.batch_size = 8;
  config.parameter_server.shards = 2;
  config.parameter_server.options = {.max_staleness = 1000,
                                     .target_period = 20,
                                     .optimizer = {.name = "adam", .learning_rate = 1e-3}};
  return config;
}

inline std::unique_ptr<Cluster> MakeCluster(const Config& config) {
  return Cluster::Make(config).value();
}

inline void StepAll(Cluster& cluster, int rounds) {
  for (int i = 0; i < rounds; ++i) ASSERT_TRUE(cluster.StepAll().ok());
}

// The parameter server's whole state, whatever the number of shards.
struct ServerState {
  std::vector<float> values;
  std::vector<float> target;
  std::map<std::string, std::vector<float>> optimizer;

  bool operator==(const ServerState&) const = default;
};

inline ServerState ReadServer(Cluster& cluster) {
  ServerState state;
  const auto append = [](std::vector<float>& whole, const std::vector<float>& slice) {
    whole.insert(whole.end(), slice.begin(), slice.end());
  };
  for (int i = 0; i < cluster.store().num_shards(); ++i) {
    const ShardSnapshot shard = cluster.store().shard(i).Snapshot();
    append(state.values, shard.values);
    append(state.target, shard.target);
    for (const auto& slot : shard.optimizer) append(state.optimizer[slot.name], slot.values);
  }
  return state;
}

// Learner counters of all bundles together.
inline LearnerCounters SumOfLearners(Cluster& cluster) {
  LearnerCounters sum;
  for (const auto& bundle : cluster.bundles()) {
    const LearnerCounters counters = bundle->TakeStatus().learner;
    sum.gradients += counters.gradients;
    sum.outliers += counters.outliers;
    sum.slices += counters.slices;
  }
  return sum;
}

// Counters of all shards together.
inline PushOutcome SumOfShards(Cluster& cluster) {
  PushOutcome sum;
  for (int i = 0; i < cluster.store().num_shards(); ++i) {
    const ShardCounters counters = cluster.store().shard(i).counters();
    sum += {counters.accepted, counters.stale, counters.invalid};
  }
  return sum;
}

// Every gradient was discarded as an outlier or sent, and every slice sent was decided on once.
inline void ExpectCountersAddUp(Cluster& cluster) {
  const LearnerCounters learners = SumOfLearners(cluster);
  const PushOutcome shards = SumOfShards(cluster);
  EXPECT_EQ(shards.accepted, learners.slices.accepted);
  EXPECT_EQ(shards.stale, learners.slices.stale);
  EXPECT_EQ(shards.invalid, learners.slices.invalid);
  EXPECT_EQ(shards.accepted + shards.stale + shards.invalid,
            (learners.gradients - learners.outliers) * cluster.store().num_shards());
}

}  // namespace gorila::testing_runtime

#endif  // GORILA_RUNTIME_TESTING_H_
