#include "gorila/metrics/prometheus_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace gorila {
namespace {

using Type = PrometheusText::Type;

TEST(PrometheusTextTest, WritesAFamilyWithItsHelpAndType) {
  PrometheusText text;
  text.Begin("frames_total", Type::kCounter, "All frames.");
  text.Add({}, 12);
  text.Add({{"run", "a"}, {"bundle", "0"}}, 0.5);
  EXPECT_EQ(text.Take(),
            "# HELP frames_total All frames.\n"
            "# TYPE frames_total counter\n"
            "frames_total 12\n"
            "frames_total{run=\"a\",bundle=\"0\"} 0.5\n");
}

TEST(PrometheusTextTest, EscapesWhatWouldEndAValue) {
  PrometheusText text;
  text.Begin("x", Type::kGauge, "a\\b\nc");
  text.Add({{"run", "a\"b\\c\nd"}}, 1);
  EXPECT_EQ(text.Take(), "# HELP x a\\\\b\\nc\n# TYPE x gauge\nx{run=\"a\\\"b\\\\c\\nd\"} 1\n");
}

TEST(PrometheusTextTest, WritesNumbersThatAreNotFinite) {
  PrometheusText text;
  text.Begin("x", Type::kGauge, "h");
  text.Add({}, std::nan(""));
  text.Add({}, std::numeric_limits<double>::infinity());
  text.Add({}, -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(text.Take().ends_with("x NaN\nx +Inf\nx -Inf\n"));
}

TEST(PrometheusTextTest, HistogramBucketsAddUp) {
  PrometheusText text;
  text.Begin("age", Type::kHistogram, "h");
  text.AddHistogram({{"run", "a"}}, std::vector<double>{0, 1}, std::vector<std::uint64_t>{3, 2, 1},
                    2.5);
  EXPECT_TRUE(
      text.Take().ends_with("age_bucket{run=\"a\",le=\"0\"} 3\n"
                            "age_bucket{run=\"a\",le=\"1\"} 5\n"
                            "age_bucket{run=\"a\",le=\"+Inf\"} 6\n"
                            "age_sum{run=\"a\"} 2.5\n"
                            "age_count{run=\"a\"} 6\n"));
}

}  // namespace
}  // namespace gorila
