#include "gorila/base/nearest.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

TEST(NearestNameTest, FindsTheSmallestEditDistance) {
  const std::string_view known[] = {"breakout", "asterix", "seaquest"};
  EXPECT_EQ(NearestName("brekout", known), "breakout");
  EXPECT_EQ(NearestName("astrix", known), "asterix");
  EXPECT_EQ(NearestName("seaquest", known), "seaquest");
}

TEST(NearestNameTest, NothingKnownGivesNothing) { EXPECT_EQ(NearestName("x", {}), ""); }

}  // namespace
}  // namespace gorila
