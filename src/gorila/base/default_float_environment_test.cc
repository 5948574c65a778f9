#include "gorila/base/default_float_environment.h"

#include <gtest/gtest.h>

#include "gorila/base/denormals.h"

namespace gorila {
namespace {

// Not at compile time.
bool DenormalsCount() {
  volatile float smallest = 1e-40F;
  volatile float one = 1;
  return smallest * one > 0;
}

class DefaultFloatEnvironmentTest : public testing::Test {
 protected:
  void SetUp() override {
#if !defined(__SSE__) && !defined(__aarch64__)
    GTEST_SKIP() << "this processor's control register is unknown";
#endif
  }
  ~DefaultFloatEnvironmentTest() override { SetFloatControl(before_); }

  const std::uint64_t before_ = FloatControl();
};

TEST_F(DefaultFloatEnvironmentTest, DenormalsCountInsideAndNotAfter) {
  FlushDenormalsInThisThread();
  ASSERT_FALSE(DenormalsCount());
  {
    const DefaultFloatEnvironment floats;
    EXPECT_TRUE(DenormalsCount());
  }
  EXPECT_FALSE(DenormalsCount());
}

TEST_F(DefaultFloatEnvironmentTest, WhatChangesInsideIsUndone) {
  {
    const DefaultFloatEnvironment floats;
    FlushDenormalsInThisThread();
  }
  EXPECT_TRUE(DenormalsCount());
}

TEST_F(DefaultFloatEnvironmentTest, DefaultIsWhatAThreadStartsWith) {
  const DefaultFloatEnvironment floats;
  constexpr std::uint64_t kSticky = 0x3f;  // exceptions that have happened, on x86
  EXPECT_EQ(FloatControl() & ~kSticky, before_ & ~kSticky);
}

}  // namespace
}  // namespace gorila
