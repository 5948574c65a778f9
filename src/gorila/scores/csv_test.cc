#include "gorila/scores/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using testing::ElementsAre;

TEST(CsvTest, SplitsAtEverySeparator) {
  EXPECT_THAT(SplitAt("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(SplitAt("", ','), ElementsAre(""));
}

TEST(CsvTest, LinesLoseTheirEnds) {
  EXPECT_THAT(SplitLines("a\r\nb\n\nc"), ElementsAre("a", "b", "c"));
}

TEST(CsvTest, NumbersAreWholeAndFinite) {
  EXPECT_EQ(ParseNumber("-21.5"), -21.5);
  for (const char* bad : {"", "1x", " 1", "nan", "inf", "1e999"}) {
    EXPECT_FALSE(ParseNumber(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace gorila
