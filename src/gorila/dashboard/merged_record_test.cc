#include "gorila/dashboard/merged_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "gorila/base/json.h"
#include "gorila/base/random.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

std::string Record(const std::vector<double>& returns, Json more = Json::object()) {
  Json record = std::move(more);
  record["kind"] = "training";
  record["return_episodes"] = returns.size();
  const double count = static_cast<double>(returns.size());
  const double mean = std::accumulate(returns.begin(), returns.end(), 0.0) / count;
  double squares = 0;
  for (const double value : returns) squares += (value - mean) * (value - mean);
  record["return_mean"] = returns.empty() ? Json() : Json(mean);
  record["return_standard_deviation"] =
      returns.size() < 2 ? Json() : Json(std::sqrt(squares / (count - 1)));
  return DumpJson(record);
}

Json Merge(const std::vector<std::string>& lines) {
  const std::vector<std::string_view> views(lines.begin(), lines.end());
  return ParseJsonOrThrow<Json>(MergedRecord(views));
}

TEST(MergedRecordTest, SaysOfEpisodesWhatOneRecordOfAllWouldSay) {
  RandomStream random(3);
  std::vector<double> all;
  std::vector<std::string> lines;
  for (const std::size_t count : {3, 0, 1, 7, 1, 20}) {
    std::vector<double> returns(count);
    for (double& value : returns) value = 10 * random.Uniform();
    all.insert(all.end(), returns.begin(), returns.end());
    lines.push_back(Record(returns));
  }
  const Json expected = ParseJsonOrThrow<Json>(Record(all));
  const Json merged = Merge(lines);
  EXPECT_EQ(merged["return_episodes"], 32);
  EXPECT_NEAR(merged["return_mean"].get<double>(), expected["return_mean"].get<double>(), 1e-12);
  EXPECT_NEAR(merged["return_standard_deviation"].get<double>(),
              expected["return_standard_deviation"].get<double>(), 1e-12);
  EXPECT_EQ(merged["merged"], 6);
}

TEST(MergedRecordTest, AnyOrderOfMergingGivesTheSame) {
  const std::vector<std::string> lines = {Record({1, 5}), Record({2}), Record({9, 9, 3})};
  const std::string pair = MergedRecord(std::vector<std::string_view>{lines[0], lines[1]});
  EXPECT_EQ(RecordsIn(pair), 2);
  const Json at_once = Merge(lines);
  const Json in_turn = Merge({pair, lines[2]});
  EXPECT_EQ(in_turn["merged"], 3);
  for (const char* const name : {"return_mean", "return_standard_deviation"}) {
    EXPECT_NEAR(in_turn[name].get<double>(), at_once[name].get<double>(), 1e-12) << name;
  }
}

TEST(MergedRecordTest, TheRestIsTheNewest) {
  const Json merged = Merge({
      Record({1}, {{"frames", 10},
                   {"loss", 3},
                   {"gradient_norm", 7},
                   {"length_mean", 10},
                   {"staleness_counts", {1, 2, 0}}}),
      Record({2, 2, 2}, {{"frames", 20},
                         {"loss", 4},
                         {"gradient_norm", nullptr},
                         {"length_mean", 30},
                         {"staleness_counts", {1, 0, 5}}}),
  });
  EXPECT_EQ(merged["frames"], 20);
  EXPECT_EQ(merged["loss"], 4);
  EXPECT_EQ(merged["gradient_norm"], 7) << "the newest that was measured";
  EXPECT_EQ(merged["length_mean"], 25);
  EXPECT_EQ(merged["staleness_counts"], Json({2, 2, 5}));
}

TEST(MergedRecordTest, EachGameHasItsOwnEpisodes) {
  const auto games = [](int a, double mean_a, int b) {
    return Json{{"games",
                 {{"a", {{"return_episodes", a}, {"return_mean", mean_a}, {"frames", a}}},
                  {"b", {{"return_episodes", b}, {"return_mean", b > 0 ? Json(4) : Json()}}}}}};
  };
  const Json merged = Merge({Record({1}, games(1, 10, 2)), Record({1}, games(3, 2, 0))})["games"];
  EXPECT_EQ(merged["a"]["return_mean"], 4);
  EXPECT_EQ(merged["a"]["frames"], 3);
  EXPECT_EQ(merged["b"]["return_mean"], 4);
  EXPECT_EQ(merged["b"]["return_episodes"], 2);
}

TEST(MergedRecordTest, OfEvaluationsTheLastStaysAsItWas) {
  const std::vector<std::string> lines = {
      R"({"kind":"evaluation","return_mean":3,"return_episodes":2,"frames":1})",
      R"({"kind":"evaluation","return_mean":9,"return_episodes":2,"frames":2})"};
  const Json merged = Merge(lines);
  EXPECT_EQ(merged["return_mean"], 9);
  EXPECT_EQ(merged["return_episodes"], 2);
  EXPECT_EQ(merged["merged"], 2);
}

TEST(MergedRecordTest, WhatIsNoRecordIsPassedOver) {
  EXPECT_EQ(Merge({Record({4}), "[1]", Record({6})})["return_mean"], 5);
  EXPECT_EQ(MergedRecord(std::vector<std::string_view>{"{", "[2]"}), "[2]");
  EXPECT_EQ(RecordsIn("{\"merged\":x}"), 1);
}

}  // namespace
}  // namespace gorila
