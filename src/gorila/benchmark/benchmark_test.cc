#include "gorila/benchmark/benchmark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "gorila/base/json.h"

namespace gorila {
namespace {

using testing::HasSubstr;

TEST(BenchmarkTableTest, FindsEveryRowAndSuggestsForOthers) {
  for (const BenchmarkRow& row : BenchmarkTable()) {
    const auto found = FindBenchmark(row.name);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ((*found)->run, row.run);
  }
  const auto unknown = FindBenchmark("lerner");
  EXPECT_TRUE(absl::IsInvalidArgument(unknown.status()));
  EXPECT_EQ(
      unknown.status().message(),
      "unknown benchmark 'lerner'; did you mean 'learner'? 'gorila help benchmark' lists all");
  EXPECT_THAT(std::string(FindBenchmark("al").status().message()), HasSubstr("'all'"));
}

// How fast is no matter here: every measurement must come out, and with its limit where it has one.
TEST(BenchmarkTableTest, EveryRowMeasures) {
  std::map<std::string, BenchmarkResult> measured;
  for (const BenchmarkRow& row : BenchmarkTable()) {
    SCOPED_TRACE(std::string(row.name));
    const auto results = row.run({.seconds = 0.01, .cores = 2});
    ASSERT_TRUE(results.ok()) << results.status();
    ASSERT_FALSE(results->empty());
    for (const BenchmarkResult& result : *results) {
      SCOPED_TRACE(result.name);
      EXPECT_TRUE(result.name.starts_with(std::string(row.name) + "/"));
      EXPECT_GT(result.value, 0);
      EXPECT_FALSE(result.unit.empty());
      EXPECT_EQ(result.limit.has_value(), !result.limit_name.empty());
      EXPECT_EQ(result.limit.has_value(), result.ratio.has_value());
      measured.emplace(result.name, result);
    }
  }
  // 32 unrolls of 20 time steps, against 32 transitions.
  for (const std::string preset : {"learner/minatar_dqn/1/", "learner/nature_dqn/1/"}) {
    ASSERT_TRUE(measured.contains(preset + "double_dqn"));
    const BenchmarkResult& updates = measured.at(preset + "vtrace");
    const BenchmarkResult& steps = measured.at(preset + "vtrace/steps");
    EXPECT_EQ(updates.unit, "updates/s");
    EXPECT_EQ(steps.unit, "steps/s");
    EXPECT_DOUBLE_EQ(steps.value, 640 * updates.value);
    EXPECT_DOUBLE_EQ(steps.limit.value(), 640 * updates.limit.value());
    EXPECT_EQ(steps.ratio, updates.ratio);
  }
}

TEST(BenchmarkJsonTest, HasTheDocumentedFields) {
  const BenchmarkResult results[] = {
      {.name = "a/b", .value = 8, .unit = "x/s", .limit = 10, .limit_name = "best", .ratio = 0.8},
      {.name = "c", .value = 1, .unit = "y"}};
  const auto document = ParseJsonOrThrow<nlohmann::json>(BenchmarkJson(results, "a machine"));
  EXPECT_EQ(document["machine"], "a machine");
  ASSERT_EQ(document["results"].size(), 2U);
  EXPECT_EQ(document["results"][0]["name"], "a/b");
  EXPECT_EQ(document["results"][0]["value"], 8);
  EXPECT_EQ(document["results"][0]["unit"], "x/s");
  EXPECT_EQ(document["results"][0]["limit"], 10);
  EXPECT_EQ(document["results"][0]["ratio_to_limit"], 0.8);
  EXPECT_TRUE(document["results"][1]["limit"].is_null());
  EXPECT_TRUE(document["results"][1]["ratio_to_limit"].is_null());
}

TEST(BenchmarkTextTest, MarksNoisyMeasurements) {
  const BenchmarkResult quiet[] = {{.name = "a", .value = 1, .unit = "x/s", .spread = 0.01}};
  const BenchmarkResult noisy[] = {{.name = "a", .value = 1, .unit = "x/s", .spread = 0.5}};
  EXPECT_THAT(BenchmarkText(quiet), testing::Not(HasSubstr("noisy")));
  EXPECT_THAT(BenchmarkText(noisy), HasSubstr("noisy: +-25 %"));
}

}  // namespace
}  // namespace gorila
