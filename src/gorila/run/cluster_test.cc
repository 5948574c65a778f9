#include "gorila/run/cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/config/resolve.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/run/testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using testing_config::SmallConfig;
using testing_run::ExpectCountersAddUp;
using testing_run::MakeCluster;
using testing_run::ReadServer;
using testing_run::StepAll;
using testing_run::SumOfLearners;

TEST(ResolveNetworkTest, TakesSizesFromTheEnvironmentAndLayersFromTheConfiguration) {
  Config config = SmallConfig();
  config.network.convolutions = {{.filters = 4, .kernel = 3, .stride = 1}};
  const NetworkSpec custom = ResolveNetwork(config).value();
  EXPECT_EQ(custom.input.height, 10);
  EXPECT_EQ(custom.input.width, 5);
  EXPECT_EQ(custom.num_actions, 3);
  EXPECT_EQ(custom.hidden, std::vector<int>{16});
  EXPECT_EQ(custom.convolutions, config.network.convolutions);
  config.network.preset = "mlp";
  EXPECT_EQ(ResolveNetwork(config)->hidden, (std::vector<int>{64, 64}));
}

TEST(ResolveNetworkTest, RefusesLayersThatDoNotFit) {
  Config config = SmallConfig();
  config.network.convolutions = {{.filters = 4, .kernel = 6, .stride = 1}};
  EXPECT_TRUE(absl::IsInvalidArgument(ResolveNetwork(config).status())) << "the board is 5 wide";
  config = SmallConfig();
  config.environment.name = "classic/catsh";
  EXPECT_THAT(std::string(ResolveNetwork(config).status().message()), HasSubstr("classic/catch"));
}

TEST(NumberOfShardsTest, IsOneForTwoThatPushUnlessItIsGiven) {
  Config config;
  for (const auto& [bundles, learners, shards] :
       {std::tuple(1, 0, 2), {2, 0, 2}, {4, 0, 2}, {5, 0, 3}, {16, 0, 8}, {0, 9, 5}, {8, 4, 6}}) {
    config.run.bundles = bundles;
    config.cluster.learners = learners;
    EXPECT_EQ(NumberOfShards(config), shards) << bundles << " " << learners;
  }
  config.parameter_server.shards = 1;
  EXPECT_EQ(NumberOfShards(config), 1);
}

TEST(NumberOfShardsTest, InOneProcessIsOneForEachBundle) {
  Config config;
  for (const auto& [bundles, parameters, shards] :
       {std::tuple(1, 1000, 2), {2, 1000, 2}, {5, 1000, 5}, {16, 1000, 16}, {16, 7, 7}}) {
    config.run.bundles = bundles;
    EXPECT_EQ(NumberOfShardsInProcess(config, static_cast<std::size_t>(parameters)), shards)
        << bundles << " " << parameters;
  }
  config.parameter_server.shards = 9;
  EXPECT_EQ(NumberOfShardsInProcess(config, 7), 9) << "refused later";
}

TEST(ClusterTest, HasAsManyShardsAsItsBundlesNeed) {
  Config config = SmallConfig();
  config.parameter_server.shards = 0;
  config.run.bundles = 6;
  EXPECT_EQ(MakeCluster(config)->store().num_shards(), 6);
}

TEST(ClusterTest, RefusesWhatItsPartsRefuse) {
  const auto message = [](const Config& config) {
    const Status status = Cluster::Make(config).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  Config config = SmallConfig();
  config.parameter_server.shards = 1000;
  EXPECT_THAT(message(config), HasSubstr("parameter_server.shards is 1000"));
  config = SmallConfig();
  config.parameter_server.options.optimizer.name = "adamant";
  EXPECT_THAT(message(config), HasSubstr("optimizer.name is 'adamant'"));
  config = SmallConfig();
  config.learner.agent.algorithm = "q";
  EXPECT_THAT(message(config), HasSubstr("learner.algorithm is 'q'"));
  config = SmallConfig();
  config.replay.options.capacity = 10;
  EXPECT_THAT(message(config), HasSubstr("replay.capacity is 10"));
}

TEST(ClusterTest, TwoDeterministicRunsAreBitIdentical) {
  const auto first = MakeCluster(SmallConfig());
  const auto second = MakeCluster(SmallConfig());
  const auto initial = ReadServer(*first);
  StepAll(*first, 150);
  StepAll(*second, 150);
  EXPECT_EQ(ReadServer(*second), ReadServer(*first));
  EXPECT_NE(ReadServer(*first).values, initial.values);
  EXPECT_NE(ReadServer(*first).target, initial.target);
  for (std::size_t i = 0; i < 2; ++i) {
    const BundleStatus a = first->bundles()[i]->TakeStatus();
    const BundleStatus b = second->bundles()[i]->TakeStatus();
    EXPECT_EQ(a.learner.loss, b.learner.loss);
    EXPECT_EQ(a.epsilon, b.epsilon);
    ASSERT_EQ(a.episodes.size(), b.episodes.size());
    for (std::size_t k = 0; k < a.episodes.size(); ++k) {
      EXPECT_EQ(a.episodes[k].episode_return, b.episodes[k].episode_return);
    }
  }
}

TEST(ClusterTest, AnotherSeedIsAnotherRun) {
  Config config = SmallConfig();
  const auto first = MakeCluster(config);
  config.run.seed = 4;
  const auto second = MakeCluster(config);
  EXPECT_NE(ReadServer(*second).values, ReadServer(*first).values);
}

TEST(ClusterTest, BundlesPlayDifferentGames) {
  Config config = SmallConfig();
  config.actor.options.exploration = {.epsilon_start = 1, .epsilon_end = 1};
  const auto cluster = MakeCluster(config);
  StepAll(*cluster, 90);
  std::vector<double> returns[2];
  for (std::size_t i = 0; i < 2; ++i) {
    for (const EpisodeResult& episode : cluster->bundles()[i]->TakeStatus().episodes) {
      returns[i].push_back(episode.episode_return);
    }
  }
  EXPECT_EQ(returns[0].size(), 30u);
  EXPECT_NE(returns[0], returns[1]);
}

// Every optimizer works element by element, so splitting the vector changes nothing.
TEST(ClusterTest, TheNumberOfShardsDoesNotChangeADeterministicRun) {
  Config config = SmallConfig();
  const auto two = MakeCluster(config);
  config.parameter_server.shards = 7;
  const auto seven = MakeCluster(config);
  StepAll(*two, 100);
  StepAll(*seven, 100);
  EXPECT_EQ(ReadServer(*seven), ReadServer(*two));
}

TEST(ClusterTest, LearnersKeepToTheRateOfTheirExperience) {
  const auto cluster = MakeCluster(SmallConfig());
  StepAll(*cluster, 100);
  EXPECT_EQ(cluster->clock().frames(), 100 * 2 * 3);
  // Each bundle: 300 steps, of which 250 came after the first minibatch, at half a minibatch each.
  EXPECT_EQ(SumOfLearners(*cluster).gradients, 2 * (1 + 125));
  ExpectCountersAddUp(*cluster);
}

TEST(ClusterTest, OneBundleLearnsAloneUntilTheWarmStartIsOver) {
  Config config = SmallConfig();
  config.learner.warm_start = 20;
  const auto cluster = MakeCluster(config);
  Bundle& second = *cluster->bundles()[1];
  while (cluster->store().UpdateCount() < 20) {
    ASSERT_EQ(second.TakeStatus().learner.gradients, 0);
    ASSERT_EQ(second.TakeStatus().replay.rows, 0);
    StepAll(*cluster, 1);
  }
  StepAll(*cluster, 100);
  EXPECT_GT(second.TakeStatus().learner.gradients, 0);
}

TEST(ClusterTest, SummedGradientsAreFewerUpdates) {
  Config config = SmallConfig();
  const auto single = MakeCluster(config);
  config.learner.push_every = 4;
  config.learner.fetch_every = 2;
  const auto summed = MakeCluster(config);
  StepAll(*single, 100);
  StepAll(*summed, 100);
  std::int64_t updates = 0;
  for (const auto& bundle : summed->bundles()) {
    updates += bundle->TakeStatus().learner.gradients / 4;
  }
  EXPECT_GT(updates, 0);
  EXPECT_EQ(summed->store().UpdateCount(), updates);
  EXPECT_NE(ReadServer(*summed), ReadServer(*single));
}

TEST(ClusterTest, AGroupOfMembersLearnsAsOneAndRepeatably) {
  Config config = SmallConfig();
  config.network.hidden = {48};
  const auto alone = MakeCluster(config);
  config.learner.members = 3;
  const auto first = MakeCluster(config);
  const auto second = MakeCluster(config);
  for (Cluster* cluster : {alone.get(), first.get(), second.get()}) StepAll(*cluster, 60);
  EXPECT_EQ(ReadServer(*second), ReadServer(*first));
  const std::vector<float> expected = ReadServer(*alone).values;
  const std::vector<float> actual = ReadServer(*first).values;
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-3) << i;
  ExpectCountersAddUp(*first);
  EXPECT_GT(SumOfLearners(*first).gradients, 100);
}

TEST(ClusterTest, ANetworkThatIsTooNarrowForItsMembersIsRefused) {
  Config config = SmallConfig();
  config.learner.members = 2;
  const Status status = Cluster::Make(config).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("learner.members is 2"));
}

TEST(ClusterTest, ExplorationFollowsTheFramesOrTheUpdates) {
  Config config = SmallConfig();
  config.actor.options.exploration = {.epsilon_start = 1, .epsilon_end = 0, .epsilon_ticks = 1000};
  const auto frames = MakeCluster(config);
  config.actor.options.exploration.clock = ExplorationClock::kUpdates;
  const auto updates = MakeCluster(config);
  StepAll(*frames, 51);
  StepAll(*updates, 51);
  EXPECT_DOUBLE_EQ(frames->bundles()[0]->TakeStatus().epsilon, 1 - 50 * 6 / 1000.0);
  // Of the last round the first bundle has seen none.
  const double epsilon = updates->bundles()[0]->TakeStatus().epsilon;
  const auto count = static_cast<double>(updates->store().UpdateCount());
  EXPECT_NEAR(epsilon, 1 - count / 1000, 0.004);
  EXPECT_GT(count, 50);
}

// What is shown is the mean over bundles, of which one may begin much later than the others.
TEST(ClusterTest, ABundleThatHasNotSteppedHasTheEpsilonOfTheStart) {
  Config config = SmallConfig();
  config.actor.options.exploration = {.epsilon_start = 0, .epsilon_end = 0};
  EXPECT_EQ(MakeCluster(config)->bundles()[0]->TakeStatus().epsilon, 0);
}

TEST(ClusterTest, LearnsToCatch) {
  Config config = SmallConfig();
  config.network.hidden = {32};
  config.run.bundles = 1;
  config.actor.environments = 8;
  config.actor.options.exploration.epsilon_ticks = 6000;
  config.replay.options.capacity = 8000;
  config.replay.options.rate = {.updates_per_step = 0.5, .min_size = 200};
  config.learner.batch_size = 16;
  config.parameter_server.options.target_period = 100;
  config.parameter_server.options.optimizer.learning_rate = 2e-3;
  const auto cluster = MakeCluster(config);
  const auto greedy = [&] {
    const std::vector<float> parameters = ReadServer(*cluster).values;
    return Evaluate(config, parameters, {.episodes = 200})->summary.mean;
  };
  EXPECT_LT(greedy(), 0.5) << "before learning";
  StepAll(*cluster, 1500);
  EXPECT_GT(greedy(), 0.9);
}

}  // namespace
}  // namespace gorila
