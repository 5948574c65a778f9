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

TEST(NearestPathTest, ANameWithoutAFolderIsComparedWithLastParts) {
  const std::string_view known[] = {"atari/et", "minatar/breakout", "pixel/breakout", "run.seed"};
  EXPECT_EQ(NearestPath("breakout", known), "minatar/breakout");
  EXPECT_EQ(NearestPath("brekout", known), "minatar/breakout");
  EXPECT_EQ(NearestPath("pixl/brekout", known), "pixel/breakout");
  EXPECT_EQ(NearestPath("run.sed", known), "run.seed");
  EXPECT_EQ(NearestPath("x", {}), "");
}

TEST(NearestNamesTextTest, NamesTheNearestFew) {
  const std::string_view known[] = {"train", "trail", "resume", "rain", "brain"};
  EXPECT_EQ(NearestNamesText("trian", known), "'train', 'trail' or 'rain'");
  EXPECT_EQ(NearestNamesText("resum", known), "'resume'");
  EXPECT_EQ(NearestNamesText("x", {}), "");
}

}  // namespace
}  // namespace gorila
