#include "gorila/base/address_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMiB = 1 << 20;

TEST(AddressSpaceTest, CountsWhatIsMapped) { EXPECT_GT(LookAtAddressSpace().used, kMiB); }

TEST(AddressSpaceTest, WithoutALimitAnythingFits) {
  const AddressSpace space{.used = 100 * kMiB};
  EXPECT_TRUE(CheckAddressSpace(space, AddressSpace::kNoLimit, "training").ok());
}

TEST(AddressSpaceTest, WhatDoesNotFitIsRefusedWithTheLimit) {
  const AddressSpace space{.limit = 250 * kMiB, .used = 100 * kMiB};
  EXPECT_TRUE(CheckAddressSpace(space, 150 * kMiB, "training").ok());
  const Status status = CheckAddressSpace(space, 150 * kMiB + 1, "training");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("training would take 151 MiB or more of address space besides the 100 MiB "
                        "in use; expected at most the limit of 250 MiB (ulimit -v 256000)"));
}

}  // namespace
}  // namespace gorila
