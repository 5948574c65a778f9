#include "gorila/scores/score_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gorila/metrics/png_image.h"

namespace gorila {
namespace {

using testing::HasSubstr;

ScoreTable Table(const std::vector<ScoreResult>& results = {}) {
  return MakeScoreTable(PublishedAtariGames(), results, {.bootstrap = {.resamples = 0}}).value();
}

int CountPixels(const RgbImage& image, std::uint32_t rgb) {
  int count = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const std::uint32_t pixel = static_cast<std::uint32_t>(image.pixels[i]) << 16 |
                                static_cast<std::uint32_t>(image.pixels[i + 1]) << 8 |
                                image.pixels[i + 2];
    count += pixel == rgb ? 1 : 0;
  }
  return count;
}

RgbImage Draw(const ScoreTable& table) {
  return DecodePng(RenderScoreChartPng(table).value()).value();
}

TEST(ScoreChartTest, ShowsOurBarsOnlyWhereWeHaveResults) {
  constexpr std::uint32_t kOurs = 0xd55e00;
  EXPECT_EQ(CountPixels(Draw(Table()), kOurs), 0);
  EXPECT_GT(CountPixels(Draw(Table({{"pong", "noop30", 20, "a"}})), kOurs), 1000);
}

TEST(ScoreChartTest, BarsGrowWithScores) {
  constexpr std::uint32_t kOurs = 0xd55e00;
  const int low = CountPixels(Draw(Table({{"pong", "noop30", -15, "a"}})), kOurs);
  const int high = CountPixels(Draw(Table({{"pong", "noop30", 21, "a"}})), kOurs);
  EXPECT_GT(high, low + 500);
}

TEST(ScoreChartTest, HasAPanelForEachSection) {
  ScoreTable table = Table();
  const RgbImage both = Draw(table);
  table.sections.pop_back();
  const RgbImage one = Draw(table);
  EXPECT_GT(both.width, 3 * one.width / 2);
  EXPECT_EQ(both.height, one.height);
}

TEST(ScoreChartTest, WritesPngAndSvgAndNothingElse) {
  const Status status = WriteScoreChart("chart.jpg", Table());
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected '.png' or '.svg'"));
  EXPECT_THAT(RenderScoreChartSvg(Table()).value(), HasSubstr("<svg"));
  EXPECT_TRUE(absl::IsInvalidArgument(RenderScoreChartPng(ScoreTable{}).status()));
}

}  // namespace
}  // namespace gorila
