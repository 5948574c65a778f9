#include "gorila/base/csv.h"

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

TEST(CsvTest, CellsThatWouldEndEarlyAreQuoted) {
  EXPECT_EQ(CsvCell("DQN + 3-step"), "DQN + 3-step");
  EXPECT_EQ(CsvCell("runs/a, b"), "\"runs/a, b\"");
  EXPECT_EQ(CsvCell("a \"b\""), "\"a \"\"b\"\"\"");
  EXPECT_EQ(CsvCell("a\nb"), "\"a\nb\"");
}

}  // namespace
}  // namespace gorila
