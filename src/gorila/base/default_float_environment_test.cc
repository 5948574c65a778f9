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

TEST_F(DefaultFloatEnvironmentTest, OtherSettingsComeBackToo) {
#if defined(__SSE__)
  constexpr std::uint64_t kOthers[] = {0x2000, 0x4000, 0x8000, 0x0040};  // rounding, FTZ, DAZ
#else
  constexpr std::uint64_t kOthers[] = {std::uint64_t{1} << 22, std::uint64_t{1} << 24};
#endif
  for (const std::uint64_t other : kOthers) {
    SetFloatControl(DefaultFloatEnvironment::kDefault | other);
    {
      const DefaultFloatEnvironment floats;
      EXPECT_TRUE(DenormalsCount());
    }
    EXPECT_EQ(FloatControl() & ~std::uint64_t{0x3f}, DefaultFloatEnvironment::kDefault | other);
  }
}

}  // namespace
}  // namespace gorila
