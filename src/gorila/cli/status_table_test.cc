#include "gorila/cli/status_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::RoleStatus Shard(double seconds, std::int64_t version) {
  v1::RoleStatus status;
  status.set_role("parameter-server");
  status.set_generation(2);
  status.set_seconds(seconds);
  (*status.mutable_counters())["version"] = version;
  (*status.mutable_counters())["accepted"] = version;
  (*status.mutable_counters())["frames"] = 4000;
  return status;
}

v1::RoleStatus Bundle(int index, double seconds, double waited, std::int64_t frames) {
  v1::RoleStatus status;
  status.set_role("bundle");
  status.set_index(index);
  status.set_seconds(seconds);
  (*status.mutable_counters())["frames"] = frames;
  (*status.mutable_gauges())["parameter_server_seconds"] = waited;
  return status;
}

TEST(StatusTableTest, ShowsRatesBetweenTheTwoSamples) {
  const std::string text = FormatStatus({.before = {Shard(10, 100), Bundle(0, 5, 1, 1000)},
                                         .after = {Shard(12, 150), Bundle(0, 7, 1.5, 1500)}});
  EXPECT_THAT(text, HasSubstr("25.0"));   // updates/s
  EXPECT_THAT(text, HasSubstr("250.0"));  // frames/s
  EXPECT_THAT(text, HasSubstr("25%"));    // half a second of two
  EXPECT_THAT(text, HasSubstr("run: 4000 frames, 150 updates"));
  EXPECT_THAT(text, HasSubstr("bottleneck: bundles"));
  EXPECT_THAT(text, Not(HasSubstr("refused:")));
}

TEST(StatusTableTest, NamesTheParameterServerWhenBundlesWaitForIt) {
  const std::string text =
      FormatStatus({.before = {Bundle(0, 5, 1, 0)}, .after = {Bundle(0, 7, 2.8, 0)}});
  EXPECT_THAT(text, HasSubstr("bottleneck: parameter server"));
}

TEST(StatusTableTest, AWorkerThatWasStartedAgainHasNoRateBelowZero) {
  v1::RoleStatus killed = Bundle(0, 3, 60, 400'000);
  killed.set_process(7);
  v1::RoleStatus present = Bundle(0, 5, 1, 1000);
  present.set_process(8);
  const std::string text = FormatStatus({.before = {killed}, .after = {present}});
  EXPECT_THAT(text, Not(testing::ContainsRegex("-[0-9]"))) << text;
  EXPECT_THAT(text, HasSubstr("20%")) << "of its own time";
}

TEST(StatusTableTest, CountersThatWentBackHaveNoRate) {
  const std::string text = FormatStatus({.before = {Shard(10, 500), Bundle(0, 5, 4, 90'000)},
                                         .after = {Shard(12, 150), Bundle(0, 7, 3.5, 1500)}});
  EXPECT_THAT(text, Not(testing::ContainsRegex("-[0-9]"))) << text;
  EXPECT_THAT(text, HasSubstr("50%"));
}

TEST(StatusTableTest, SharesAreAtMostTheWholeTime) {
  const std::string text =
      FormatStatus({.before = {Bundle(0, 5, 1, 0)}, .after = {Bundle(0, 6, 30, 0)}});
  EXPECT_THAT(text, HasSubstr("100%"));
}

TEST(StatusTableTest, WorkersThatAreGoneDoNotDecideTheBottleneck) {
  v1::RoleStatus gone = Bundle(1, 7, 0, 0);
  gone.set_silent_seconds(30);
  const std::string text =
      FormatStatus({.before = {Bundle(0, 5, 1, 0), gone}, .after = {Bundle(0, 7, 2.6, 0), gone}});
  EXPECT_THAT(text, HasSubstr("bottleneck: parameter server"));
}

v1::RoleStatus Replay(int waiting_samples, const std::string& waiting) {
  v1::RoleStatus status;
  status.set_role("replay");
  (*status.mutable_counters())["replay_rows"] = 4321;
  (*status.mutable_counters())["waiting_samples"] = waiting_samples;
  status.set_waiting(waiting);
  return status;
}

TEST(StatusTableTest, OfAGlobalReplayItSaysWhoWaitsForWhom) {
  v1::RoleStatus learner = Bundle(0, 7, 1, 0);
  learner.set_role("learner");
  const auto after = [&](const v1::RoleStatus& replay) {
    return FormatStatus({.before = {}, .after = {learner, replay}});
  };
  const std::string text = after(Replay(1, "samples wait for inserts: 3 of 5"));
  EXPECT_THAT(text, HasSubstr("4321"));
  EXPECT_THAT(text, HasSubstr("    samples wait for inserts: 3 of 5\n"));
  EXPECT_THAT(text, HasSubstr("bottleneck: actors"));
  EXPECT_THAT(after(Replay(0, "")), HasSubstr("bottleneck: learners\n"));
  v1::RoleStatus actor;
  actor.set_role("actor");
  (*actor.mutable_counters())["waiting_inserts"] = 1;
  EXPECT_THAT(FormatStatus({.before = {}, .after = {learner, Replay(0, "inserts wait"), actor}}),
              HasSubstr("bottleneck: learners (actors wait"));
}

TEST(StatusTableTest, AProcessThatStartedAgainHasNoRates) {
  const std::string text =
      FormatStatus({.before = {Bundle(0, 500, 1, 90000)}, .after = {Bundle(0, 1, 0, 80)}});
  EXPECT_THAT(text, HasSubstr("       80       0.0"));
}

TEST(StatusTableTest, AddsRefusalsByReason) {
  v1::RoleStatus first = Shard(1, 0);
  v1::RoleStatus second = Shard(1, 0);
  second.set_index(1);
  (*first.mutable_counters())["refused_token"] = 2;
  (*second.mutable_counters())["refused_token"] = 1;
  (*second.mutable_counters())["refused_shape"] = 4;
  EXPECT_THAT(FormatStatus({.before = {}, .after = {first, second}}),
              HasSubstr("refused: shape 4 token 3\n"));
}

TEST(StatusTableTest, ShowsBytesForEachUpdateInUnitsThatFit) {
  v1::RoleStatus bundle = Bundle(0, 1, 0, 0);
  (*bundle.mutable_counters())["pushes"] = 2;
  (*bundle.mutable_counters())["bytes_pushed"] = 3 * 1024;
  (*bundle.mutable_counters())["bytes_pulled"] = 14 * 1024 * 1024;
  EXPECT_THAT(FormatStatus({.before = {}, .after = {bundle}}), HasSubstr("1.5 KiB + 7.0 MiB"));
}

TEST(StatusTableTest, SaysWhenNoBundleReports) {
  EXPECT_THAT(FormatStatus({.before = {}, .after = {Shard(1, 0)}}),
              HasSubstr("bottleneck: no bundle or learner reports"));
}

}  // namespace
}  // namespace gorila::cli
