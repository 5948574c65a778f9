#include "gorila/dashboard/role_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace gorila {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::RoleStatus StatusOf(const std::string& role, int index) {
  v1::RoleStatus status;
  status.set_role(role);
  status.set_index(index);
  status.set_generation(3);
  return status;
}

std::string Render(const v1::RoleStatus& status) {
  PrometheusText text;
  AddRoleMetrics(status, text);
  return text.Take();
}

TEST(RoleMetricsTest, AShardTellsWhatBecameOfGradientsAndWhyCallsWereRefused) {
  v1::RoleStatus status = StatusOf("parameter-server", 1);
  auto& counters = *status.mutable_counters();
  counters["accepted"] = 70;
  counters["stale"] = 2;
  counters["invalid"] = 0;
  counters["refused_token"] = 4;
  counters["staleness_0"] = 60;
  counters["staleness_2"] = 12;  // 2 to 3 versions
  const std::string text = Render(status);
  const std::string labels = "{role=\"parameter-server\",index=\"1\"";
  EXPECT_THAT(text, HasSubstr("gorila_role_generation" + labels + "} 3\n"));
  EXPECT_THAT(text, HasSubstr("gorila_shard_gradients_total" + labels + ",outcome=\"stale\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("gorila_shard_gradients_total" + labels + ",outcome=\"invalid\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("refused_calls_total" + labels + ",reason=\"token\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("refused_calls_total" + labels + ",reason=\"busy\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("staleness_versions_bucket" + labels + ",le=\"3\"} 72\n"));
  EXPECT_THAT(text, HasSubstr("staleness_versions_sum" + labels + "} 24\n"));
  // Only shard 0 knows of these.
  EXPECT_THAT(text, Not(HasSubstr("gorila_run_frames_total")));
}

TEST(RoleMetricsTest, TheSameWordMeansAnotherThingInAnotherRole) {
  v1::RoleStatus status = StatusOf("replay", 0);
  (*status.mutable_counters())["accepted"] = 9;
  EXPECT_THAT(Render(status), HasSubstr("gorila_replay_inserted_frames_total{role=\"replay\",index="
                                        "\"0\",outcome=\"accepted\"} 9\n"));
  status.set_role("learner");
  EXPECT_THAT(Render(status), HasSubstr("gorila_worker_slices_total{role=\"learner\",index=\"0\","
                                        "outcome=\"accepted\"} 9\n"));
}

TEST(RoleMetricsTest, AWorkerTellsItsTimeByPart) {
  v1::RoleStatus status = StatusOf("actor", 2);
  auto& gauges = *status.mutable_gauges();
  gauges["epsilon"] = 0.25;
  gauges["work_acting"] = 1.5;
  const std::string text = Render(status);
  EXPECT_THAT(text, HasSubstr("gorila_worker_seconds_total{role=\"actor\",index=\"2\","
                              "work=\"acting\"} 1.5\n"));
  EXPECT_THAT(text, HasSubstr("gorila_worker_epsilon_ratio{role=\"actor\",index=\"2\"} 0.25\n"));
  EXPECT_THAT(text, Not(HasSubstr("gorila_rpc_")));
  EXPECT_THAT(text, Not(HasSubstr("gorila_worker_loss")));
}

}  // namespace
}  // namespace gorila
