// Steps are the hot path of an actor: they must not allocate.
#include <gtest/gtest.h>

#include <new>
#include <string>
#include <vector>

#include "gorila/base/allocation_counter.h"
#include "gorila/env/plugin/testing.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

TEST(AllocationTest, CounterSeesAnAllocation) {
  ResetAllocationCounts();
  // A plain call: a compiler may leave a new-expression out.
  ::operator delete(::operator new(1000));
  EXPECT_EQ(CountAllocations().allocations, 1U);
}

TEST(AllocationTest, ResetAndStepAllocateNothing) {
  for (const EnvironmentRow& row : EnvironmentTable()) {
    SCOPED_TRACE(std::string(row.name));
    const auto made = MakeEnvironment(row.name, {}, MakeRandomDraws(RandomStream(1)));
    ASSERT_TRUE(made.ok());
    Environment& environment = **made;
    std::vector<std::byte> observation(environment.spec().observation.frame_bytes());
    RandomStream actions(2);
    ResetAllocationCounts();
    bool reset = true;
    for (int i = 0; i < (row.atari ? 3000 : 20000); ++i) {
      const TimeStep step =
          reset
              ? environment.Reset(observation).value()
              : environment.Step(actions.Integer(0, environment.spec().num_actions()), observation)
                    .value();
      reset = step.last();
    }
    EXPECT_EQ(CountAllocations().allocations, 0U);
  }
}

// After episodes of every length: the log of actions keeps its memory.
TEST(AllocationTest, ResetAndStepOfAPluginAllocateNothing) {
  for (const char* const plugin : {"test_plugin", "test_plugin_state", "maze", "paddle"}) {
    SCOPED_TRACE(plugin);
    const auto made =
        MakeEnvironment("plugin:" + TestPlugin(plugin), {}, MakeRandomDraws(RandomStream(1)));
    ASSERT_TRUE(made.ok()) << made.status();
    Environment& environment = **made;
    std::vector<std::byte> observation(environment.spec().observation.frame_bytes());
    RandomStream actions(2);
    bool reset = true;
    for (int i = 0; i < 20000; ++i) {
      if (i == 5000) ResetAllocationCounts();
      const StatusOr<TimeStep> step =
          reset
              ? environment.Reset(observation)
              : environment.Step(actions.Integer(0, environment.spec().num_actions()), observation);
      ASSERT_TRUE(step.ok());
      reset = step->last();
    }
    EXPECT_EQ(CountAllocations().allocations, 0U);
  }
}

}  // namespace
}  // namespace gorila
