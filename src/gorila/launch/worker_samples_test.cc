#include "gorila/launch/worker_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/launch/role_status.h"

namespace gorila {
namespace {

class WorkerSamplesTest : public ::testing::Test {
 protected:
  v1::RoleStatus& Add(const std::string& role, int index, double silent = 0) {
    v1::RoleStatus& added = *status_.add_roles();
    added.set_role(role);
    added.set_index(index);
    added.set_silent_seconds(silent);
    return added;
  }
  void AddEpisode(const std::string& role, int index, double episode_return) {
    v1::Episode& episode = *progress_.add_episodes();
    episode.set_role(role);
    episode.set_index(index);
    episode.set_episode_return(episode_return);
  }
  // One look; what was added is then forgotten.
  RunSample Look() {
    RunSample sample;
    workers_.AddTo(status_.roles(), progress_.episodes(), sample);
    status_.Clear();
    progress_.Clear();
    return sample;
  }

  v1::StatusResponse status_;
  v1::ProgressResponse progress_;
  WorkerSamples workers_;
};

TEST_F(WorkerSamplesTest, CountsLivingProcessesByRole) {
  Add("parameter-server", 0);
  Add("bundle", 0);
  Add("actor", 0);
  Add("actor", 1);
  Add("actor", 2, /*silent=*/60);
  Add("learner", 0);
  const RunSample sample = Look();
  EXPECT_EQ(sample.bundles, 1);
  EXPECT_EQ(sample.actors, 2);
  EXPECT_EQ(sample.learners, 1);
  EXPECT_EQ(sample.per_bundle.size(), 3u);
}

TEST_F(WorkerSamplesTest, KnowsNothingBeforeTheFirstReport) {
  Add("parameter-server", 0);
  const RunSample sample = Look();
  EXPECT_TRUE(std::isnan(sample.epsilon));
  EXPECT_TRUE(std::isnan(sample.loss));
  EXPECT_EQ(sample.bundles + sample.actors + sample.learners, 0);
}

TEST_F(WorkerSamplesTest, PlacesAreThoseOfTheConfiguration) {
  workers_ = WorkerSamples(/*bundles=*/2, /*actors=*/1);
  (*Add("actor", 0).mutable_gauges())["epsilon"] = 0.5;
  (*Add("bundle", 1).mutable_gauges())["epsilon"] = 0.25;
  const RunSample sample = Look();
  ASSERT_EQ(sample.per_bundle.size(), 3u);
  EXPECT_TRUE(std::isnan(sample.per_bundle[0].epsilon)) << "it has not reported";
  EXPECT_EQ(sample.per_bundle[1].epsilon, 0.25);
  EXPECT_EQ(sample.per_bundle[2].epsilon, 0.5);
  EXPECT_EQ(sample.epsilon, 0.375);
}

TEST_F(WorkerSamplesTest, GivesEpisodesToWhoPlayedThem) {
  Add("bundle", 0);
  Add("actor", 0);
  AddEpisode("actor", 0, 3);
  AddEpisode("bundle", 0, 5);
  const RunSample sample = Look();
  EXPECT_EQ(sample.episodes.size(), 2u);
  // In the order of names.
  ASSERT_EQ(sample.per_bundle.size(), 2u);
  ASSERT_EQ(sample.per_bundle[0].episodes.size(), 1u);
  EXPECT_EQ(sample.per_bundle[0].episodes[0].episode_return, 3);
  ASSERT_EQ(sample.per_bundle[1].episodes.size(), 1u);
  EXPECT_EQ(sample.per_bundle[1].episodes[0].episode_return, 5);
  // Each is given once.
  Add("bundle", 0);
  for (const BundleSample& player : Look().per_bundle) EXPECT_TRUE(player.episodes.empty());
}

TEST_F(WorkerSamplesTest, APlayerKeepsItsPlaceWhileItIsAway) {
  Add("bundle", 1);
  Look();
  Add("bundle", 0);
  EXPECT_EQ(Look().per_bundle.size(), 2u);
  AddEpisode("bundle", 1, 7);
  const RunSample sample = Look();
  ASSERT_EQ(sample.per_bundle.size(), 2u);
  EXPECT_EQ(sample.per_bundle[0].episodes.size(), 1u);
}

TEST_F(WorkerSamplesTest, OfAProcessThatWasStartedAgainTheNewestReportCounts) {
  (*Add("bundle", 0, /*silent=*/3).mutable_counters())["replay_rows"] = 1000;
  (*Add("bundle", 0, /*silent=*/0).mutable_counters())["replay_rows"] = 10;
  const RunSample sample = Look();
  EXPECT_EQ(sample.bundles, 1);
  EXPECT_EQ(sample.replay_rows, 10);
}

TEST_F(WorkerSamplesTest, LearningIsThatSinceTheLastRecord) {
  const auto look = [this](std::int64_t batches, double value_sum, double value_max) {
    LearnerStatistics total{.batches = batches, .value_sum = value_sum, .value_max = value_max};
    AddLearning(total, Add("learner", 0));
    return Look().learning;
  };
  look(10, 20, 9);
  workers_.EndRecord();
  look(12, 26, 4);
  LearnerStatistics learning = look(14, 36, 5);
  EXPECT_EQ(learning.batches, 4);
  EXPECT_DOUBLE_EQ(learning.MeanValue(), 4);
  EXPECT_DOUBLE_EQ(learning.value_max, 5);
  // Started again, it counts from 0.
  learning = look(2, 8, 1);
  EXPECT_EQ(learning.batches, 6);
  EXPECT_DOUBLE_EQ(learning.value_sum, 24);
}

TEST_F(WorkerSamplesTest, CountsWhatEachWorkerHasDone) {
  workers_ = WorkerSamples(/*bundles=*/1, /*actors=*/0, /*learners=*/2);
  v1::RoleStatus& bundle = Add("bundle", 0);
  AddLearning({.lags = 10, .lag_sum = 25}, bundle);
  (*bundle.mutable_counters())["frames"] = 400;
  (*bundle.mutable_counters())["gradients"] = 12;
  (*bundle.mutable_counters())["outliers"] = 2;
  AddLearning({.lags = 7, .lag_sum = 7}, Add("learner", 1));
  const RunSample sample = Look();
  ASSERT_EQ(sample.per_bundle.size(), 1u);
  const WorkerCounts& counts = sample.per_bundle[0].counts;
  EXPECT_EQ(counts.frames, 400);
  EXPECT_EQ(counts.gradients, 10);
  EXPECT_EQ(counts.lags, 10);
  EXPECT_EQ(counts.lag_sum, 25);
  ASSERT_EQ(sample.learner_counts.size(), 2u);
  EXPECT_EQ(sample.learner_counts[0].lags, 0) << "it has not reported";
  EXPECT_EQ(sample.learner_counts[1].lags, 7);
}

TEST_F(WorkerSamplesTest, EntropyIsThatSinceTheLastRecordOfThoseWhoLearnAPolicy) {
  const auto look = [this](std::int64_t batches, double entropy_sum) {
    AddLearning({.batches = batches,
                 .entropies = batches,
                 .entropy_sum = entropy_sum,
                 .policy_loss_sum = -entropy_sum,
                 .baseline_loss_sum = 2 * entropy_sum},
                Add("learner", 0));
    AddLearning({.batches = batches}, Add("bundle", 0));
    return Look().learning;
  };
  look(10, 5);
  workers_.EndRecord();
  LearnerStatistics learning = look(14, 11);
  EXPECT_EQ(learning.batches, 8);
  EXPECT_EQ(learning.entropies, 4);
  EXPECT_DOUBLE_EQ(learning.MeanEntropy(), 1.5);
  EXPECT_DOUBLE_EQ(learning.MeanPolicyLoss(), -1.5);
  EXPECT_DOUBLE_EQ(learning.MeanBaselineLoss(), 3);
  learning = look(1, 2);
  EXPECT_DOUBLE_EQ(learning.MeanEntropy(), 1.6) << "started again, it counts from 0";
}

TEST_F(WorkerSamplesTest, WithoutAPolicyThereIsNoEntropyInAReport) {
  v1::RoleStatus status;
  AddLearning({.batches = 3}, status);
  EXPECT_EQ(CounterOf(status, "batches"), 3);
  EXPECT_EQ(status.SerializeAsString().find("entrop"), std::string::npos);
  EXPECT_EQ(LearningOf(status).entropies, 0);
}

TEST_F(WorkerSamplesTest, MeansAreOverThoseThatHaveTheValue) {
  (*Add("actor", 0).mutable_gauges())["epsilon"] = 0.2;
  (*Add("actor", 1).mutable_gauges())["epsilon"] = 0.4;
  (*Add("learner", 0).mutable_gauges())["loss"] = 3;
  const RunSample sample = Look();
  EXPECT_DOUBLE_EQ(sample.epsilon, 0.3);
  EXPECT_DOUBLE_EQ(sample.loss, 3);
}

TEST_F(WorkerSamplesTest, LearnersOfTheirOwnKeepTheirPlaces) {
  workers_ = WorkerSamples(0, 0, 2);
  AddWork({0, 1, 2, 3, 0}, Add("learner", 1));
  RunSample sample = Look();
  EXPECT_THAT(sample.learner_work.at(0), ::testing::Each(0));
  EXPECT_THAT(sample.learner_work.at(1), ::testing::ElementsAre(0, 1, 2, 3, 0));
  AddWork({0, 4, 0, 0, 0}, Add("learner", 0));
  sample = Look();
  EXPECT_EQ(sample.learner_work.at(0)[1], 4);
  EXPECT_EQ(sample.learner_work.at(1)[1], 1) << "the last that is known";
}

TEST_F(WorkerSamplesTest, OnlyActorsDoNotLearn) {
  Add("actor", 0);
  Add("bundle", 0);
  const RunSample sample = Look();
  EXPECT_FALSE(sample.per_bundle.at(0).learns);
  EXPECT_TRUE(sample.per_bundle.at(1).learns);
}

TEST_F(WorkerSamplesTest, WorkTravelsInReports) {
  const WorkSeconds work = {1, 2, 3, 4, 5};
  AddWork(work, Add("bundle", 0));
  EXPECT_THAT(Look().per_bundle.at(0).work, ::testing::ElementsAreArray(work));
}

}  // namespace
}  // namespace gorila
