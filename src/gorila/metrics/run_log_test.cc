#include "gorila/metrics/run_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmath>
#include <csignal>
#include <limits>

#include "gorila/base/file.h"
#include "gorila/metrics/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunLogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(testing::TempDir()) /
        (std::string("run_log_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    ASSERT_TRUE(CreateFolders(folder_).ok());
    path_ = folder_ / "metrics.jsonl";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void Put(std::string_view contents) { ASSERT_TRUE(WriteFileSynced(path_, contents).ok()); }
  std::string Contents() const { return ReadFile(path_).value(); }

  fs::path folder_;
  fs::path path_;
};

TEST_F(RunLogTest, WritesOneObjectALineInTheOrderGiven) {
  RunLog log = RunLog::Open(path_).value();
  ASSERT_TRUE(log.Append({{"frames", 10}, {"epsilon", 0.1}, {"done", false}}).ok());
  ASSERT_TRUE(log.Append({{"a", "text"}}).ok());
  ASSERT_TRUE(log.Append(std::span<const RunLogField>()).ok());
  EXPECT_EQ(Contents(), "{\"frames\":10,\"epsilon\":0.1,\"done\":false}\n{\"a\":\"text\"}\n{}\n");
  EXPECT_EQ(log.bytes(), Contents().size());
}

TEST_F(RunLogTest, ObjectsOfObjectsAreWrittenAndRead) {
  const RunLogObject pong{{{"frames", 10}, {"return_mean", std::nan("")}}};
  const RunLogObject alien{{{"frames", 20}, {"name", "alien"}}};
  const RunLogObject none;
  const RunLogObject games{{{"pong", pong}, {"alien", alien}, {"none", none}}};
  RunLog log = RunLog::Open(path_).value();
  ASSERT_TRUE(log.Append({{"frames", 30}, {"games", games}}).ok());
  EXPECT_EQ(Contents(),
            "{\"frames\":30,\"games\":{\"pong\":{\"frames\":10,\"return_mean\":null},"
            "\"alien\":{\"frames\":20,\"name\":\"alien\"},\"none\":{}}}\n");
  const RunLogRecord record = ReadRunLog(path_).value().front();
  EXPECT_EQ(record.Number("frames"), 30);
  ASSERT_NE(record.Object("games"), nullptr);
  EXPECT_EQ(record.Object("games")->objects().size(), 3u);
  EXPECT_EQ(record.Object("games")->Object("pong")->Number("frames"), 10);
  EXPECT_EQ(record.Object("games")->Object("alien")->Text("name"), "alien");
  EXPECT_EQ(record.Object("pong"), nullptr);
  EXPECT_EQ(record.Object("frames"), nullptr);
}

TEST_F(RunLogTest, DeepObjectsOfOtherProgramsAreSkipped) {
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "{\"a\":";
  const RunLogRecord record = ParseRunLogLine(deep + "1" + std::string(200, '}')).value();
  ASSERT_NE(record.Object("a"), nullptr);
  ASSERT_NE(record.Object("a")->Object("a"), nullptr);
  EXPECT_EQ(record.Object("a")->Object("a")->Object("a"), nullptr);
}

TEST_F(RunLogTest, KeepsIntegersExactAndFloatsShort) {
  RunLog log = RunLog::Open(path_).value();
  ASSERT_TRUE(log.Append({{"u", std::numeric_limits<std::uint64_t>::max()},
                          {"i", std::numeric_limits<std::int64_t>::min()},
                          {"b", std::uint8_t{200}},
                          {"f", 0.1f},
                          {"d", 0.1 + 0.2},
                          {"one", 1.0}})
                  .ok());
  EXPECT_EQ(Contents(),
            "{\"u\":18446744073709551615,\"i\":-9223372036854775808,\"b\":200,\"f\":0.1,"
            "\"d\":0.30000000000000004,\"one\":1}\n");
}

TEST_F(RunLogTest, DoublesReadBackToTheSameBits) {
  const std::vector<double> values = {1.0 / 3,     5e-324, 1.7976931348623157e308, -0.0, 1e22,
                                      123456789.0, 1e-7,   6755399441055744.0};
  {
    RunLog log = RunLog::Open(path_).value();
    for (const double value : values) ASSERT_TRUE(log.Append({{"v", value}}).ok());
  }
  const auto records = ReadRunLog(path_).value();
  ASSERT_EQ(records.size(), values.size());
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].Number("v"), values[i]);
}

TEST_F(RunLogTest, WritesWhatIsNotFiniteAsNullAndReadsItAsNan) {
  RunLog log = RunLog::Open(path_).value();
  ASSERT_TRUE(log.Append({{"nan", std::nan("")}, {"inf", -HUGE_VAL}, {"f", HUGE_VALF}}).ok());
  EXPECT_EQ(Contents(), "{\"nan\":null,\"inf\":null,\"f\":null}\n");
  EXPECT_TRUE(std::isnan(ReadRunLog(path_).value()[0].Number("inf").value()));
}

TEST_F(RunLogTest, EscapesNamesAndTexts) {
  const std::string text = "quote\" back\\ line\n tab\t bell\x07 \xc3\xa9";
  RunLog log = RunLog::Open(path_).value();
  ASSERT_TRUE(log.Append({{"a\"b", text}, {"broken", std::string_view("\xff")}}).ok());
  EXPECT_EQ(Contents().find('\n'), Contents().size() - 1);
  const RunLogRecord record = ReadRunLog(path_).value()[0];
  EXPECT_EQ(record.Text("a\"b"), text);
  EXPECT_EQ(record.Text("broken"), "\xef\xbf\xbd");
}

TEST_F(RunLogTest, OpenCutsAHalfWrittenLastLine) {
  Put("{\"a\":1}\n{\"a\":2");
  RunLog log = RunLog::Open(path_).value();
  EXPECT_EQ(log.bytes(), 8u);
  ASSERT_TRUE(log.Append({{"a", 3}}).ok());
  EXPECT_EQ(Contents(), "{\"a\":1}\n{\"a\":3}\n");
}

TEST_F(RunLogTest, OpenCutsAFileThatHoldsNoWholeLine) {
  Put("{\"a\":");
  EXPECT_EQ(RunLog::Open(path_).value().bytes(), 0u);
  EXPECT_EQ(Contents(), "");
}

TEST_F(RunLogTest, OpenReturnsToTheLengthOfTheCheckpoint) {
  Put("{\"a\":1}\n{\"a\":2}\n{\"a\":3");
  RunLog log = RunLog::Open(path_, 8).value();
  ASSERT_TRUE(log.Append({{"a", 4}}).ok());
  EXPECT_EQ(Contents(), "{\"a\":1}\n{\"a\":4}\n");
}

TEST_F(RunLogTest, OpenAtZeroStartsAnew) {
  Put("{\"a\":1}\n");
  EXPECT_EQ(RunLog::Open(path_, 0).value().bytes(), 0u);
  EXPECT_EQ(Contents(), "");
}

TEST_F(RunLogTest, OpenRefusesALengthThatTheFileDoesNotHaveAndLeavesItAlone) {
  Put("{\"a\":1}\n");
  const auto longer = RunLog::Open(path_, 9);
  EXPECT_EQ(longer.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(longer.status().ToString(), HasSubstr("has 8 bytes; the checkpoint recorded 9"));
  EXPECT_EQ(RunLog::Open(path_, 5).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Contents(), "{\"a\":1}\n");
}

TEST_F(RunLogTest, OpenNamesAPathThatCannotBeWritten) {
  const auto log = RunLog::Open(folder_ / "none" / "metrics.jsonl");
  EXPECT_FALSE(log.ok());
  EXPECT_THAT(log.status().ToString(), HasSubstr("none/metrics.jsonl"));
}

// A full disk, played by a limit on the size of files.
TEST_F(RunLogTest, ALineThatCannotBeWrittenLeavesNoHalfOneAndFollowsLater) {
  RunLog log = RunLog::Open(path_).value();
  ASSERT_TRUE(log.Append({{"a", 1}}).ok());
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 12;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_TRUE(log.Append({{"a", 2}}).ok());
  const Status synced = log.Sync();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(synced.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Contents(), "{\"a\":1}\n");
  ASSERT_TRUE(log.Append({{"a", 3}}).ok());
  EXPECT_EQ(Contents(), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
}

TEST_F(RunLogTest, SyncKeepsTheContents) {
  RunLog log = RunLog::Open(path_).value();
  ASSERT_TRUE(log.Append({{"a", 1}}).ok());
  EXPECT_TRUE(log.Sync().ok());
  EXPECT_EQ(Contents(), "{\"a\":1}\n");
}

TEST_F(RunLogTest, ReaderLooksUpNumbersAndTextsByName) {
  Put("{\"frames\":7,\"kind\":\"train\",\"ok\":true,\"nested\":{\"x\":1},\"list\":[1]}\n");
  const auto records = ReadRunLog(path_).value();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].Number("frames"), 7);
  EXPECT_EQ(records[0].Number("ok"), 1);
  EXPECT_EQ(records[0].Text("kind"), "train");
  EXPECT_EQ(records[0].Number("kind"), std::nullopt);
  EXPECT_EQ(records[0].Text("frames"), std::nullopt);
  EXPECT_EQ(records[0].Number("nested"), std::nullopt);
  EXPECT_EQ(records[0].Number("x"), std::nullopt);
}

TEST_F(RunLogTest, ReaderLeavesOutALineThatIsStillBeingWritten) {
  Put("{\"a\":1}\n{\"a\":2}");
  EXPECT_EQ(ReadRunLog(path_).value().size(), 1u);
}

TEST_F(RunLogTest, ReaderNamesTheLineThatIsDamaged) {
  for (const char* damaged : {"{\"a\":", "[1]", "", "7"}) {
    Put(std::string("{\"a\":1}\n{\"a\":2}\n") + damaged + "\n{\"a\":4}\n");
    const auto records = ReadRunLog(path_);
    EXPECT_EQ(records.status().code(), absl::StatusCode::kDataLoss) << damaged;
    EXPECT_THAT(records.status().ToString(), HasSubstr("line 3")) << damaged;
  }
}

TEST_F(RunLogTest, ReaderPassesOverWhatIsDamagedAndCountsIt) {
  const std::string endless(kMostLogLineBytes + 1000, 'x');
  Put("{\"a\":1}\n" + endless + "\n{\"a\":2}\n\n{\"a\":3}\n");
  std::vector<double> read;
  const Status status = ForEachRunLogRecord(
      path_, [&read](const RunLogRecord& record) { read.push_back(*record.Number("a")); });
  EXPECT_THAT(read, testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.ToString(), testing::AllOf(HasSubstr("2 lines"), HasSubstr("line 2"),
                                                HasSubstr("more than 16777216 bytes")));
}

TEST_F(RunLogTest, ReaderPutsLinesTogetherFromTheFilesParts) {
  const std::string text(100'000, 'x');
  Put(fmt::format("{{\"a\":1}}\n{{\"t\":\"{}\"}}\n{{\"a\":2}}\n", text));
  const auto records = ReadRunLog(path_).value();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[1].Text("t"), text);
  EXPECT_EQ(records[2].Number("a"), 2);
}

TEST_F(RunLogTest, ReaderRefusesWhatIsNoRegularFile) {
  EXPECT_EQ(ReadRunLog(path_).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadRunLog(folder_).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(ReadRunLog(path_).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(RunLogRecordTest, ListsOfNumbersComeBack) {
  std::string line;
  const std::vector<double> values = {1, std::nan(""), 0.5};
  RunLogValue(values).AppendJson(line);
  EXPECT_EQ(line, "[1,null,0.5]");
  const RunLogRecord record = ParseRunLogLine("{\"a\":" + line + ",\"b\":[\"x\"]}").value();
  ASSERT_EQ(record.Numbers("a").size(), 3u);
  EXPECT_EQ(record.Numbers("a")[2], 0.5);
  EXPECT_TRUE(std::isnan(record.Numbers("a")[1]));
  EXPECT_TRUE(record.Numbers("b").empty());
  EXPECT_TRUE(record.Numbers("c").empty());
}

}  // namespace
}  // namespace gorila
