// Bundles as threads around a sharded parameter server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "gorila/base/testing.h"
#include "gorila/run/cluster.h"
#include "gorila/run/testing.h"

namespace gorila {
namespace {

using testing_config::SmallConfig;
using testing_run::ExpectCountersAddUp;
using testing_run::MakeCluster;
using testing_run::SumOfLearners;
using testing_run::SumOfShards;

std::chrono::steady_clock::time_point Never() {
  return std::chrono::steady_clock::now() + std::chrono::hours(1);
}

Config ThreadedConfig(std::int64_t frames) {
  Config config = SmallConfig();
  config.run.deterministic = false;
  config.run.frames = frames;
  return config;
}

TEST(ClusterThreadTest, RunsToTheLastFrameAndItsCountersAddUp) {
  const auto cluster = MakeCluster(ThreadedConfig(3000));
  cluster->Start();
  ASSERT_TRUE(cluster->Wait(Never()));
  ASSERT_TRUE(cluster->failure().ok());
  EXPECT_TRUE(cluster->finished());
  EXPECT_GE(cluster->clock().frames(), 3000);
  EXPECT_LT(cluster->clock().frames(), 3000 + 2 * 3) << "one iteration of each bundle at most";
  std::int64_t steps_of_episodes = 0;
  for (const auto& bundle : cluster->bundles()) {
    BundleStatus status = bundle->TakeStatus();
    EXPECT_GT(status.learner.gradients, 0);
    EXPECT_EQ(status.replay.capacity, 399);
    for (const EpisodeResult& episode : status.episodes) steps_of_episodes += episode.length;
    EXPECT_TRUE(bundle->TakeStatus().episodes.empty()) << "each episode is shown once";
    bundle->replay().CheckInvariants();
  }
  EXPECT_GT(steps_of_episodes, 2500);
  EXPECT_LE(steps_of_episodes, cluster->clock().frames());
  ExpectCountersAddUp(*cluster);
  EXPECT_EQ(SumOfShards(*cluster).invalid, 0);
}

TEST(ClusterThreadTest, CountersAddUpWhenStaleGradientsAreRefused) {
  Config config = ThreadedConfig(3000);
  config.run.bundles = 4;
  config.parameter_server.options.max_staleness = 0;
  const auto cluster = MakeCluster(config);
  cluster->Start();
  ASSERT_TRUE(cluster->Wait(Never()));
  ExpectCountersAddUp(*cluster);
  EXPECT_EQ(cluster->store().UpdateCount(), cluster->store().shard(0).counters().accepted);
}

TEST(ClusterThreadTest, PausesBetweenIterationsAndResumes) {
  const auto cluster = MakeCluster(ThreadedConfig(std::int64_t{1} << 60));
  cluster->Start();
  for (int i = 0; i < 5; ++i) {
    const std::int64_t before = cluster->clock().frames();
    while (cluster->clock().frames() < before + 200) std::this_thread::yield();
    ASSERT_TRUE(cluster->Pause(Never()).ok());
    const std::int64_t paused_at = cluster->clock().frames();
    EXPECT_EQ(paused_at % 3, 0);
    ExpectCountersAddUp(*cluster);
    for (const auto& bundle : cluster->bundles()) bundle->replay().CheckInvariants();
    EXPECT_EQ(cluster->clock().frames(), paused_at);
    cluster->Resume();
  }
  EXPECT_FALSE(cluster->finished());
  cluster->Stop();
  EXPECT_TRUE(cluster->Wait(Never()));
}

TEST(ClusterThreadTest, MayBeDestroyedWhileItRunsOrIsPaused) {
  {
    const auto running = MakeCluster(ThreadedConfig(std::int64_t{1} << 60));
    running->Start();
  }
  const auto paused = MakeCluster(ThreadedConfig(std::int64_t{1} << 60));
  paused->Start();
  EXPECT_TRUE(paused->Pause(Never()).ok());
}

TEST(ClusterThreadTest, WithoutThreadsItsBundlesFail) {
  const auto cluster = MakeCluster(ThreadedConfig(3000));
  const NoThreads none;
  cluster->Start();
  ASSERT_TRUE(cluster->Wait(Never()));
  EXPECT_EQ(cluster->failure().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(cluster->failure().message()), testing::StartsWith("bundle 0: "));
}

}  // namespace
}  // namespace gorila
