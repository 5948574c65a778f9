// Steps are the hot path of an actor: they must not allocate. This file replaces the program's
// operator new by one that counts.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "gorila/env/registry.h"

namespace {
std::atomic<long> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace gorila {
namespace {

TEST(AllocationTest, CounterSeesAnAllocation) {
  const long before = allocations;
  // A plain call: a compiler may leave a new-expression out.
  ::operator delete(::operator new(1000));
  EXPECT_EQ(allocations, before + 1);
}

TEST(AllocationTest, ResetAndStepAllocateNothing) {
  for (const EnvironmentRow& row : EnvironmentTable()) {
    SCOPED_TRACE(std::string(row.name));
    const auto made = MakeEnvironment(row.name, {}, MakeRandomDraws(RandomStream(1)));
    ASSERT_TRUE(made.ok());
    Environment& environment = **made;
    std::vector<std::byte> observation(environment.spec().observation.frame_bytes());
    RandomStream actions(2);
    const long before = allocations;
    bool reset = true;
    for (int i = 0; i < 20000; ++i) {
      const TimeStep step =
          reset
              ? environment.Reset(observation)
              : environment.Step(actions.Integer(0, environment.spec().num_actions()), observation);
      reset = step.last();
    }
    EXPECT_EQ(allocations, before);
  }
}

}  // namespace
}  // namespace gorila
