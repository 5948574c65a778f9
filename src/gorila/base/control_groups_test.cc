#include "gorila/base/control_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <string>
#include <string_view>

#include "gorila/base/file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMiB = 1 << 20;

class ControlGroupsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / fmt::format("control_groups_test-{}", ::getpid());
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void Put(const std::string& path, std::string_view contents) {
    ASSERT_TRUE(CreateFolders((root_ / path).parent_path()).ok());
    ASSERT_TRUE(WriteFileSynced(root_ / path, contents).ok());
  }

  fs::path root_;
};

TEST_F(ControlGroupsTest, WithoutGroupsThereIsNoLimit) {
  const GroupLimits limits = ReadGroupLimits(root_);
  EXPECT_EQ(limits.memory_bytes, std::numeric_limits<std::int64_t>::max());
  EXPECT_TRUE(std::isinf(limits.cpus));
}

TEST_F(ControlGroupsTest, OfNestedGroupsOfVersion2TheLeastHolds) {
  Put("proc/self/mountinfo",
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
  Put("proc/self/cgroup", "0::/job/step\n");
  Put("sys/fs/cgroup/job/memory.max", "120000000\n");
  Put("sys/fs/cgroup/job/memory.current", "100000000\n");
  Put("sys/fs/cgroup/job/memory.stat", "anon 1\ninactive_file 30000000\n");
  Put("sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  Put("sys/fs/cgroup/job/step/memory.max", "max\n");
  Put("sys/fs/cgroup/job/step/memory.current", "1000\n");
  Put("sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  const GroupLimits limits = ReadGroupLimits(root_);
  EXPECT_EQ(limits.memory_bytes, 120000000);
  EXPECT_EQ(limits.available_bytes, 50000000);
  EXPECT_EQ(limits.cpus, 1.5);
}

TEST_F(ControlGroupsTest, GroupsOfVersion1Count) {
  Put("proc/self/mountinfo",
      "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "31 23 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
  Put("proc/self/cgroup", "5:memory:/slurm/job\n4:cpu,cpuacct:/quota\n0::/\n");
  Put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  Put("sys/fs/cgroup/memory/memory.usage_in_bytes", "5000000\n");
  Put("sys/fs/cgroup/memory/slurm/memory.limit_in_bytes", fmt::format("{}\n", 200 * kMiB));
  Put("sys/fs/cgroup/memory/slurm/memory.usage_in_bytes", fmt::format("{}\n", 150 * kMiB));
  Put("sys/fs/cgroup/memory/slurm/job/memory.limit_in_bytes", fmt::format("{}\n", 100 * kMiB));
  Put("sys/fs/cgroup/memory/slurm/job/memory.usage_in_bytes", fmt::format("{}\n", 10 * kMiB));
  Put("sys/fs/cgroup/cpu,cpuacct/quota/cpu.cfs_quota_us", "200000\n");
  Put("sys/fs/cgroup/cpu,cpuacct/quota/cpu.cfs_period_us", "100000\n");
  const GroupLimits limits = ReadGroupLimits(root_);
  EXPECT_EQ(limits.memory_bytes, 100 * kMiB);
  EXPECT_EQ(limits.available_bytes, 50 * kMiB);
  EXPECT_EQ(limits.cpus, 2);
}

// A container sees its own group as the top, under a name from outside.
TEST_F(ControlGroupsTest, AContainersOwnGroupIsFoundAtTheTop) {
  Put("proc/self/mountinfo",
      "30 23 0:26 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  Put("sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000\n");
  Put("sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "500000\n");
  Put("proc/self/cgroup", "5:memory:/docker/abc/inner\n");
  EXPECT_EQ(ReadGroupLimits(root_).memory_bytes, 500000);
  Put("proc/self/cgroup", "5:memory:/elsewhere\n");
  EXPECT_EQ(ReadGroupLimits(root_).memory_bytes, 1000000);
}

TEST_F(ControlGroupsTest, WhatIsLeftOfTheLimitMustSuffice) {
  EXPECT_TRUE(CheckGroupMemory(ReadGroupLimits(root_), 1000 * kMiB, "training").ok());
  const GroupLimits limits{.memory_bytes = 120 * kMiB, .available_bytes = 100 * kMiB};
  EXPECT_TRUE(CheckGroupMemory(limits, 100 * kMiB, "training").ok());
  const Status status = CheckGroupMemory(limits, 100 * kMiB + 1, "training");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              testing::HasSubstr("training would take 101 MiB of memory or more; expected at most "
                                 "100 MiB, what is left of the limit of 120 MiB"));
}

}  // namespace
}  // namespace gorila
