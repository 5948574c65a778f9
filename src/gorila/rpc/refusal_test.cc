#include "gorila/rpc/refusal.h"

#include <gtest/gtest.h>

namespace gorila::rpc {
namespace {

TEST(RefusalTest, EveryReasonHasANameThatIsFoundAgain) {
  for (int i = 0; i < kRefusals; ++i) {
    const auto refusal = static_cast<Refusal>(i);
    EXPECT_FALSE(RefusalName(refusal).empty());
    EXPECT_EQ(FindRefusal(RefusalName(refusal)), refusal);
  }
  EXPECT_EQ(FindRefusal("nonsense"), std::nullopt);
}

TEST(RefusalTest, AMarkedStatusKeepsCodeAndMessage) {
  const Status status = Refused(Refusal::kShape, InvalidArgument("3 floats; expected 4"));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message(), "3 floats; expected 4");
  EXPECT_EQ(RefusalOf(status), Refusal::kShape);
  EXPECT_EQ(RefusalOf(InvalidArgument("other")), std::nullopt);
}

TEST(RefusalTest, CountsEachReason) {
  RefusalCounters counters;
  counters.Count(Refusal::kToken);
  counters.Count(Refusal::kToken);
  counters.Count(Refusal::kShape);
  EXPECT_EQ(counters.count(Refusal::kToken), 2);
  EXPECT_EQ(counters.count(Refusal::kShape), 1);
  EXPECT_EQ(counters.count(Refusal::kRole), 0);
  EXPECT_EQ(counters.Total(), 3);
}

}  // namespace
}  // namespace gorila::rpc
