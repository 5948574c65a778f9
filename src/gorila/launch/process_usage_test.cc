#include "gorila/launch/process_usage.h"

#include <gtest/gtest.h>

#include "gorila/rpc/role_status.h"

namespace gorila {
namespace {

v1::RoleStatus Process(const std::string& role, int index, double seconds, double cpu_seconds,
                       std::int64_t resident_bytes = 0) {
  v1::RoleStatus status;
  status.set_role(role);
  status.set_index(index);
  status.set_seconds(seconds);
  (*status.mutable_gauges())[rpc::kCpuSeconds] = cpu_seconds;
  (*status.mutable_counters())[rpc::kResidentBytes] = resident_bytes;
  return status;
}

RunSample End(ProcessUsage& usage) {
  RunSample sample;
  usage.EndLook(sample);
  return sample;
}

TEST(ProcessUsageTest, IsTheSumOverProcesses) {
  ProcessUsage usage(/*continues=*/false);
  usage.Look(Process("bundle", 0, 10, 4, 100), 10);
  usage.Look(Process("bundle", 1, 10, 3, 200), 10);
  usage.Look(Process("parameter-server", 0, 10, 1, 50), 10);
  const RunSample sample = End(usage);
  EXPECT_EQ(sample.cpu_seconds, 8);
  EXPECT_EQ(sample.resident_bytes, 350u);
}

TEST(ProcessUsageTest, MemoryIsThatOfNowAndTimeIsNeverTakenBack) {
  ProcessUsage usage(/*continues=*/false);
  usage.Look(Process("bundle", 0, 10, 4, 100), 10);
  usage.Look(Process("bundle", 1, 10, 3, 200), 10);
  End(usage);
  usage.Look(Process("bundle", 0, 11, 5, 110), 11);  // the other one is gone
  const RunSample sample = End(usage);
  EXPECT_EQ(sample.cpu_seconds, 8);
  EXPECT_EQ(sample.resident_bytes, 110u);
}

TEST(ProcessUsageTest, AProcessThatWasStartedAgainCountsTwice) {
  ProcessUsage usage(/*continues=*/false);
  usage.Look(Process("bundle", 0, 10, 4), 10);
  usage.Look(Process("bundle", 0, 9, 7), 20);  // started a second after the first look
  EXPECT_EQ(End(usage).cpu_seconds, 11);
}

TEST(ProcessUsageTest, AnotherWatchHasCountedWhatOlderProcessesTook) {
  ProcessUsage first(/*continues=*/false);
  first.Look(Process("bundle", 0, 100, 40), 1);
  EXPECT_EQ(End(first).cpu_seconds, 40) << "nobody watched before";
  ProcessUsage second(/*continues=*/true);
  second.Look(Process("bundle", 0, 100, 40), 1);
  second.Look(Process("bundle", 1, 0.5, 0.25), 1);
  EXPECT_EQ(End(second).cpu_seconds, 0.25);
  second.Look(Process("bundle", 0, 101, 41), 2);
  EXPECT_EQ(End(second).cpu_seconds, 1.25);
}

}  // namespace
}  // namespace gorila
