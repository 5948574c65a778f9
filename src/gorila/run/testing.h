// What the tests of clusters share: a cluster's whole state and counters.
#ifndef GORILA_RUN_TESTING_H_
#define GORILA_RUN_TESTING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gorila/config/testing.h"
#include "gorila/run/cluster.h"

namespace gorila::testing_run {

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
    const ParameterShardCounters counters = cluster.store().shard(i).counters();
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

}  // namespace gorila::testing_run

#endif  // GORILA_RUN_TESTING_H_
