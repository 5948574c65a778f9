#include "gorila/dashboard/run_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gorila {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Render(const RunMetrics& run) {
  PrometheusText text;
  AddRunMetrics(std::span(&run, 1), text);
  return text.Take();
}

TEST(RunMetricsTest, LeavesOutWhatARunDoesNotKnow) {
  const RunMetrics run{"a", "minatar/breakout", ProgressSnapshot()};
  const std::string text = Render(run);
  EXPECT_THAT(text, HasSubstr("gorila_environment_frames_total{run=\"a\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("gorila_energy_joules_total{")));
  EXPECT_THAT(text, Not(HasSubstr("NaN")));
}

TEST(RunMetricsTest, StalenessBucketsEndAtTheLastVersionOfEach) {
  RunMetrics run{"a", "e", ProgressSnapshot()};
  run.progress.staleness = {5, 3, 2};  // 0; 1; 2 and more
  const std::string text = Render(run);
  EXPECT_THAT(text, HasSubstr("versions_bucket{run=\"a\",le=\"0\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("versions_bucket{run=\"a\",le=\"1\"} 8\n"));
  EXPECT_THAT(text, HasSubstr("versions_bucket{run=\"a\",le=\"+Inf\"} 10\n"));
  EXPECT_THAT(text, HasSubstr("versions_sum{run=\"a\"} 7\n"));
}

TEST(RunMetricsTest, ARecordOfTheLogGivesTheSameState) {
  const RunLogRecord record = ParseRunLogLine(R"({"kind":"training","frames":100,"updates":7,
      "return_mean":null,"work":[0.5,0.1,0.3,0.1,0],"bundle_returns":[1,null]})")
                                  .value();
  const ProgressSnapshot progress = ProgressOfRecord(record);
  EXPECT_EQ(progress.frames, 100u);
  EXPECT_EQ(progress.updates, 7u);
  EXPECT_EQ(progress.work[2], 0.3);
  ASSERT_EQ(progress.per_bundle.size(), 2u);
  EXPECT_EQ(progress.per_bundle[0].recent_return, 1);
  EXPECT_EQ(progress.lowest_bundle_return, 1);
  EXPECT_EQ(progress.highest_bundle_return, 1);
}

TEST(RunMetricsTest, EachOfSeveralGamesHasSamplesWithItsName) {
  const RunLogRecord record = ParseRunLogLine(R"({"kind":"training","frames":300,"games":{
      "b/pong":{"frames":100,"episodes":4,"return_mean":2.5},
      "a/chess":{"frames":200,"episodes":0,"return_mean":null}}})")
                                  .value();
  const std::string text = Render({"r", "two", ProgressOfRecord(record)});
  EXPECT_THAT(text, HasSubstr("gorila_game_environment_frames_total{run=\"r\",game=\"b/pong\"} "
                              "100\n"));
  EXPECT_THAT(text, HasSubstr("gorila_game_environment_frames_total{run=\"r\",game=\"a/chess\"} "
                              "200\n"));
  EXPECT_THAT(text, HasSubstr("gorila_game_episodes_total{run=\"r\",game=\"b/pong\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("gorila_game_episode_return_mean{run=\"r\",game=\"b/pong\"} 2.5\n"));
  EXPECT_THAT(text, Not(HasSubstr("gorila_game_episode_return_mean{run=\"r\",game=\"a/chess\"}")));
  EXPECT_THAT(Render({"r", "one", ProgressSnapshot()}), Not(HasSubstr("gorila_game_")));
}

TEST(RunMetricsTest, TheEntropyIsThatOfARunThatLearnsAPolicy) {
  const RunLogRecord policy =
      ParseRunLogLine(R"({"kind":"training","frames":100,"value_mean":2,"entropy":1.25,)"
                      R"("policy_loss":-0.5,"baseline_loss":3})")
          .value();
  const std::string shown = Render({"a", "e", ProgressOfRecord(policy)});
  EXPECT_THAT(shown, HasSubstr("gorila_policy_entropy_nats{run=\"a\"} 1.25\n"));
  EXPECT_THAT(shown, HasSubstr("gorila_policy_loss{run=\"a\"} -0.5\n"));
  EXPECT_THAT(shown, HasSubstr("gorila_baseline_loss{run=\"a\"} 3\n"));
  const RunLogRecord values =
      ParseRunLogLine(R"({"kind":"training","frames":100,"value_mean":2})").value();
  const std::string text = Render({"a", "e", ProgressOfRecord(values)});
  EXPECT_THAT(text, HasSubstr("gorila_state_value_mean{run=\"a\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("gorila_policy_entropy_nats{")));
  EXPECT_THAT(text, Not(HasSubstr("gorila_policy_loss{")));
}

TEST(RunMetricsTest, ARecordOfManyBundlesGivesTheirSpread) {
  const RunLogRecord record = ParseRunLogLine(R"({"kind":"training","frames":100,"bundle_count":100,
      "bundle_return_min":-2,"bundle_return_mean":1,"bundle_return_max":5})")
                                  .value();
  const std::string text = Render({"a", "e", ProgressOfRecord(record)});
  EXPECT_THAT(text, HasSubstr("gorila_bundle_episode_return_lowest{run=\"a\"} -2\n"));
  EXPECT_THAT(text, HasSubstr("gorila_bundle_episode_return_highest{run=\"a\"} 5\n"));
  EXPECT_THAT(text, Not(HasSubstr("gorila_bundle_episode_return_mean{")));
}

}  // namespace
}  // namespace gorila
