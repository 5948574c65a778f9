#include "gorila/dashboard/record_history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "gorila/base/json.h"

namespace gorila {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

std::string Record(const char* kind, int frames, double value) {
  return fmt::format("{{\"kind\":\"{}\",\"frames\":{},\"return_mean\":{}}}", kind, frames, value);
}

TEST(RecordHistoryTest, KeepsAllRecordsUpToItsLimit) {
  RecordHistory history(16, kMostBytes);
  for (int i = 0; i < 16; ++i) history.Add(Record("training", i, i));
  history.Add(Record("final_evaluation", 16, 3));
  EXPECT_EQ(history.size(), 17u);
  history.Clear();
  EXPECT_EQ(history.Json(), "{\"rows\":[]}");
  EXPECT_EQ(history.last_training(), "");
}

// A record of `episodes` episodes.
std::string Episodes(int frames, int episodes, double mean) {
  return fmt::format(R"({{"kind":"training","frames":{},"return_episodes":{},"return_mean":{},)"
                     R"("return_standard_deviation":1}})",
                     frames, episodes, mean);
}

TEST(RecordHistoryTest, BeyondItTheRunStaysEquallyDenseAndItsMeansRight) {
  constexpr int kRecords = 50'000;
  RecordHistory history(100, kMostBytes);
  std::size_t most = 0;
  double sum = 0, episodes = 0;
  for (int i = 0; i < kRecords; ++i) {
    // Like a checkpoint's, every tenth record has few episodes, and so the extremes.
    const int count = i % 10 == 0 ? 1 : 20;
    const double mean = i % 10 == 0 ? (i % 20 == 0 ? 1000 : -1000) : 10;
    history.Add(Episodes(i, count, mean));
    if (i % 10 == 0) history.Add(Record("evaluation", i, i));
    sum += count * mean;
    episodes += count;
    most = std::max(most, history.size());
  }
  EXPECT_LE(most, 200u);
  EXPECT_EQ(history.last_training(), Episodes(kRecords - 1, 20, 10));
  int before = -1;
  for (const RecordHistory& of : {history, history.Thinned(40, kMostBytes)}) {
    double kept_sum = 0, kept_episodes = 0;
    std::vector<int> in_tenths(10);
    before = -1;
    const auto json = ParseJsonOrThrow<nlohmann::json>(of.Json());
    for (const auto& record : json["rows"]) {
      EXPECT_GE(record["frames"].get<int>(), before);
      before = record["frames"];
      if (record["kind"] != "training") continue;
      ++in_tenths[static_cast<std::size_t>(before / (kRecords / 10))];
      kept_sum += record["return_mean"].get<double>() * record["return_episodes"].get<double>();
      kept_episodes += record["return_episodes"].get<double>();
    }
    EXPECT_EQ(before, kRecords - 1);
    EXPECT_EQ(kept_episodes, episodes);
    EXPECT_NEAR(kept_sum / kept_episodes, sum / episodes, 1e-6);
    const int fewest = *std::min_element(in_tenths.begin(), in_tenths.end());
    const int all = std::accumulate(in_tenths.begin(), in_tenths.end(), 0);
    EXPECT_GE(4 * 10 * fewest, all) << "a part of the run has few";
  }
}

TEST(RecordHistoryTest, RecordsWithoutAReturnAreThinnedToo) {
  RecordHistory history(16, kMostBytes);
  for (int i = 0; i < 1000; ++i) {
    history.Add(fmt::format("{{\"kind\":\"training\",\"return_mean\":null,\"frames\":{}}}", i));
  }
  EXPECT_LE(history.size(), 16u);
}

TEST(RecordHistoryTest, LongRecordsAreBoundedByTheirBytes) {
  RecordHistory history(1000, 50'000);
  const std::string more(1000, 'x');
  for (int i = 0; i < 2000; ++i) {
    history.Add(fmt::format(
        "{{\"kind\":\"training\",\"frames\":{},\"return_mean\":1,\"more\":\"{}\"}}", i, more));
    EXPECT_LE(history.Json().size(), 60'000u);
  }
  EXPECT_GE(history.size(), 20u);
}

TEST(RecordHistoryTest, TheNewestRecordsStayHoweverLong) {
  RecordHistory history(16, 10);
  for (int i = 0; i < 100; ++i) history.Add(Record("training", i, i));
  EXPECT_GE(history.size(), 4u);
  EXPECT_LE(history.size(), 7u);
  EXPECT_EQ(ParseJsonOrThrow<nlohmann::json>(history.Json())["rows"].back()["frames"], 99);
}

}  // namespace
}  // namespace gorila
