// chart_cases.json: what charts in C++ and the dashboard's page (tests/e2e/curves_test.py) both
// keep.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/json.h"
#include "gorila/metrics/chart_axis.h"
#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/curve_shapes.h"
#include "gorila/metrics/number_format.h"

namespace gorila {
namespace {

using nlohmann::json;

json Cases() {
  return ParseJsonOrThrow<json>(
      ReadFile(GORILA_SOURCE_DIR "/src/gorila/metrics/chart_cases.json").value());
}

double Number(const json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

AxisScale ScaleOf(const json& one) {
  return one.value("scale", "linear") == "linear" ? AxisScale::kLinear : AxisScale::kLogarithmic;
}

void ExpectNear(double value, double expected, double within, const json& one) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(value)) << DumpJson(one);
  } else {
    EXPECT_NEAR(value, expected, within) << DumpJson(one);
  }
}

TEST(ChartCasesTest, Room) {
  const json cases = Cases();
  ASSERT_GE(cases["room"].size(), 3u);
  for (const json& one : cases["room"]) {
    EXPECT_EQ(MostTicksAcross(one["pixels"]), one["across"]) << DumpJson(one);
    EXPECT_EQ(MostTicksUp(one["pixels"]), one["up"]) << DumpJson(one);
  }
}

TEST(ChartCasesTest, Ranges) {
  const json cases = Cases();
  EXPECT_EQ(cases["padding"].get<double>(), kRangePadding);
  ASSERT_GE(cases["ranges"].size(), 15u);
  for (const json& one : cases["ranges"]) {
    std::optional<AxisRange> data;
    if (!one["data"].is_null()) data = AxisRange{one["data"][0], one["data"][1]};
    const AxisRange range = FitRange(data, one.value("padding", kRangePadding), ScaleOf(one));
    const double low = one["range"][0], high = one["range"][1];
    EXPECT_NEAR(range.low, low, 1e-9 * (high - low)) << DumpJson(one);
    EXPECT_NEAR(range.high, high, 1e-9 * (high - low)) << DumpJson(one);
  }
}

TEST(ChartCasesTest, Ticks) {
  const json cases = Cases();
  ASSERT_GE(cases["ticks"].size(), 30u);
  for (const json& one : cases["ticks"]) {
    const bool times = one.value("unit", "number") == "seconds";
    const ChartAxis axis = {.range = {one["range"][0], one["range"][1]},
                            .scale = ScaleOf(one),
                            .unit = times ? AxisUnit::kSeconds : AxisUnit::kNumber};
    std::vector<std::string> labels;
    std::vector<double> values;
    for (const AxisTick& tick : MakeAxisTicks(axis, one["most"])) {
      labels.push_back(tick.label);
      values.push_back(tick.value);
    }
    EXPECT_EQ(labels, one["labels"].get<std::vector<std::string>>()) << DumpJson(one);
    EXPECT_THAT(values,
                testing::Pointwise(testing::DoubleNear(1e-9 * (axis.range.high - axis.range.low)),
                                   one["values"].get<std::vector<double>>()))
        << DumpJson(one);
  }
}

TEST(ChartCasesTest, Durations) {
  const json cases = Cases();
  ASSERT_GE(cases["durations"].size(), 5u);
  for (const json& one : cases["durations"]) {
    EXPECT_EQ(FormatDuration(one["seconds"]), one["label"]);
  }
}

TEST(ChartCasesTest, Bands) {
  const json cases = Cases();
  ASSERT_GE(cases["bands"].size(), 3u);
  for (const json& one : cases["bands"]) {
    std::vector<CurvePoint> points;
    for (const json& at : one["points"]) {
      points.push_back({Number(at[0]), Number(at[1]), Number(at[2]), Number(at[3])});
    }
    json bands = json::array();
    for (const auto band : drawing::Stretches(points, drawing::HasBand)) {
      bands.push_back({band.front().x, band.back().x});
    }
    EXPECT_EQ(bands, one["bands"]) << DumpJson(one);
  }
}

TEST(ChartCasesTest, MeansOverRuns) {
  const json cases = Cases();
  ASSERT_GE(cases["means"].size(), 7u);
  for (const json& one : cases["means"]) {
    std::vector<std::vector<CurveSample>> runs;
    for (const json& run : one["runs"]) {
      runs.emplace_back();
      for (const json& at : run) runs.back().push_back({Number(at[0]), Number(at[1])});
    }
    const std::vector<CurvePoint> points = AggregateRuns(runs, /*grid_points=*/200);
    ASSERT_EQ(points.size(), one["count"].get<std::size_t>()) << DumpJson(one);
    if (points.empty()) continue;
    for (const auto& [point, expected] :
         {std::pair(points.front(), one["first"]), std::pair(points.back(), one["last"])}) {
      ExpectNear(point.x, Number(expected[0]), 1e-9, one);
      ExpectNear(point.mean, Number(expected[1]), 1e-9, one);
      ExpectNear(point.low, Number(expected[2]), one["within"], one);
      ExpectNear(point.high, Number(expected[3]), one["within"], one);
    }
  }
}

TEST(ChartCasesTest, ReturnsOverEpisodes) {
  const json cases = Cases();
  ASSERT_GE(cases["returns"].size(), 3u);
  for (const json& one : cases["returns"]) {
    std::vector<EpisodeBatch> batches;
    for (const json& at : one["batches"]) {
      batches.push_back({Number(at[0]), Number(at[1]), at[2].get<std::uint64_t>()});
    }
    const auto samples = SmoothOverEpisodes(batches, /*window_episodes=*/100);
    ASSERT_EQ(samples.size(), one["samples"].size()) << DumpJson(one);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      ExpectNear(samples[i].x, Number(one["samples"][i][0]), 0, one);
      ExpectNear(samples[i].y, Number(one["samples"][i][1]), 1e-9, one);
    }
  }
}

}  // namespace
}  // namespace gorila
