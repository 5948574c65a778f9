#include "gorila/dashboard/record_history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(RecordHistoryTest, BeyondItTheExtremesAndTheNewestStay) {
  RecordHistory history(100, kMostBytes);
  std::size_t most = 0;
  for (int i = 0; i < 100000; ++i) {
    const double value = i == 40001 ? 900 : i == 60002 ? -900 : i % 7;
    history.Add(Record("training", i, value));
    if (i % 10 == 0) history.Add(Record("evaluation", i, value));
    most = std::max(most, history.size());
  }
  EXPECT_LE(most, 200u);
  EXPECT_EQ(history.last_training(), Record("training", 99999, 99999 % 7));
  const auto records = ParseJsonOrThrow<nlohmann::json>(history.Json())["rows"];
  EXPECT_EQ(records.back()["frames"], 99999);
  int before = -1;
  std::vector<double> values;
  for (const auto& record : records) {
    EXPECT_GE(record["frames"].get<int>(), before);
    before = record["frames"];
    values.push_back(record["return_mean"]);
  }
  EXPECT_THAT(values, ::testing::IsSupersetOf({900.0, -900.0}));
  EXPECT_EQ(records.front()["frames"], 0);
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
