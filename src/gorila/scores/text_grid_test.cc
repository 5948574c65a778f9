#include "gorila/scores/text_grid.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

const Grid kGrid{
    .rows = {{"agent", "mean", "notes"}, {"a", "17.25", "x|y"}, {"long name", "3", ""}},
    .numbers_from = 1,
    .numbers_to = 2};

TEST(TextGridTest, NumbersEndBelowOneAnotherAndTextsBegin) {
  EXPECT_EQ(PlainGrid(kGrid),
            "agent       mean  notes\n"
            "a          17.25  x|y\n"
            "long name      3\n");
}

TEST(TextGridTest, ABarDoesNotEndAMarkdownCell) {
  EXPECT_EQ(MarkdownGrid(kGrid),
            "| agent | mean | notes |\n"
            "| --- | ---: | --- |\n"
            "| a | 17.25 | x\\|y |\n"
            "| long name | 3 |  |\n");
}

}  // namespace
}  // namespace gorila
