#include "gorila/env/minatar/recording.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gorila/base/file.h"

namespace gorila::minatar {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

fs::path RecordingsFolder() {
  const char* const given = std::getenv("GORILA_MINATAR_RECORDINGS");
  return given != nullptr ? fs::path(given) : fs::path(GORILA_SOURCE_DIR) / "data" / "minatar";
}

TEST(RecordingsTest, EveryGameReproducesItsRecordedEpisodes) {
  const StatusOr<VerifyReport> report = VerifyRecordings(RecordingsFolder());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_GT(report->steps, 0);
  EXPECT_EQ(report->mismatches, 0) << testing::PrintToString(report->descriptions);
  if (std::getenv("GORILA_MINATAR_RECORDINGS") == nullptr) {
    EXPECT_EQ(report->episodes, 60);
    EXPECT_EQ(report->steps, 45074);
  }
}

// The first line of a game's recordings, altered by each test, in a folder of the test's own.
class AlteredRecordingTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / fmt::format("recordings_{}", test->name());
    fs::remove_all(folder_);
    ASSERT_TRUE(CreateFolders(folder_).ok());
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string FirstLine(const std::string& game, int skipped = 0) {
    std::ifstream file(fs::path(GORILA_SOURCE_DIR) / "data" / "minatar" / (game + ".jsonl"));
    std::string line;
    for (int i = 0; i <= skipped; ++i) std::getline(file, line);
    EXPECT_FALSE(line.empty());
    return line;
  }
  static void Replace(std::string& text, const std::string& from, const std::string& to,
                      std::size_t start = 0) {
    const std::size_t at = text.find(from, start);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }
  StatusOr<VerifyReport> Verify(const std::string& contents) {
    EXPECT_TRUE(WriteFileAtomically(folder_ / "game.jsonl", contents).ok());
    return VerifyRecordings(folder_);
  }
  // Expects the one mismatch, which `contents` has in its second line.
  void ExpectMismatch(const std::string& line, const std::string& description) {
    const StatusOr<VerifyReport> report = Verify(FirstLine("breakout") + "\n" + line + "\n");
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->episodes, 2);
    EXPECT_EQ(report->mismatches, 1);
    EXPECT_FALSE(report->ok());
    EXPECT_THAT(report->descriptions, ElementsAre(HasSubstr("game.jsonl:2: " + description)));
  }
  void ExpectError(const std::string& line, absl::StatusCode code, const std::string& message) {
    const StatusOr<VerifyReport> report = Verify(FirstLine("breakout") + "\n" + line + "\n");
    EXPECT_EQ(report.status().code(), code);
    EXPECT_THAT(std::string(report.status().message()), HasSubstr("game.jsonl:2: " + message));
  }

  fs::path folder_;
};

TEST_F(AlteredRecordingTest, UnalteredLineMatches) {
  const StatusOr<VerifyReport> report = Verify(FirstLine("breakout"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->episodes, 1);
  EXPECT_EQ(report->steps, 6);
  EXPECT_TRUE(report->ok());
}

TEST_F(AlteredRecordingTest, RewardIsCompared) {
  std::string line = FirstLine("breakout");
  Replace(line, "\"reward\":0", "\"reward\":1");
  ExpectMismatch(line, "step 1: reward 0, expected 1");
}

TEST_F(AlteredRecordingTest, TerminalIsCompared) {
  std::string line = FirstLine("breakout");
  Replace(line, "\"terminal\":true", "\"terminal\":false");
  ExpectMismatch(line, "step 6: terminal true, expected false");
}

TEST_F(AlteredRecordingTest, InitialStateIsCompared) {
  std::string line = FirstLine("breakout");
  Replace(line, "\"initial_state\":\"0", "\"initial_state\":\"8");
  ExpectMismatch(line, "step 0: state at channel 'paddle', row 0, column 0 is 0, expected 1");
}

TEST_F(AlteredRecordingTest, StateOfAStepIsCompared) {
  std::string line = FirstLine("breakout");
  Replace(line, "\"state\":\"0", "\"state\":\"1", line.find("\"action\":3"));
  ExpectMismatch(line, "step 2: state at channel 'paddle', row 0, column 3 is 0, expected 1");
}

TEST_F(AlteredRecordingTest, LengthAndPaddingOfAStateAreCompared) {
  std::string longer = FirstLine("breakout");
  Replace(longer, "\"state\":\"", "\"state\":\"00");
  ExpectMismatch(longer, "step 1: state of 50 bytes, expected 51");
  // Breakout's 400 cells fill 50 bytes; Freeway's 700 leave four bits over.
  std::string padded = FirstLine("freeway");
  const std::size_t end = padded.find('"', padded.find("\"state\":\"") + 9);
  ASSERT_EQ(padded[end - 1], '0');
  padded[end - 1] = '1';
  ExpectMismatch(padded, "step 1: state is right, expected other padding bits");
}

TEST_F(AlteredRecordingTest, ChecksumIsCompared) {
  std::string line = FirstLine("breakout", 3);
  const std::size_t at = line.find("\"crc32\":\"") + 9;
  line[at] = line[at] == '0' ? '1' : '0';
  ExpectMismatch(line, "step 1: state has crc32 ");
}

TEST_F(AlteredRecordingTest, ValueOfADrawMatters) {
  std::string line = FirstLine("breakout");
  Replace(line, "[\"i\",0,2,1]", "[\"i\",0,2,0]");
  ExpectMismatch(line, "step 0: state at channel 'ball'");
}

TEST_F(AlteredRecordingTest, BoundsOfADrawAreCompared) {
  std::string line = FirstLine("breakout");
  Replace(line, "[\"i\",0,2,1]", "[\"i\",0,3,0]");
  const StatusOr<VerifyReport> report = Verify(line);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->descriptions.at(0),
              HasSubstr("drew an integer(0, 2), expected an integer(0, 3)"));
}

TEST_F(AlteredRecordingTest, KindOfADrawIsCompared) {
  std::string line = FirstLine("breakout");
  Replace(line, "[\"i\",0,2,1]", "[\"u\",0.5]");
  const StatusOr<VerifyReport> report = Verify(line);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->descriptions.at(0), HasSubstr("drew an integer(0, 2), expected a uniform"));
}

TEST_F(AlteredRecordingTest, MissingAndSurplusDrawsAreFound) {
  std::string missing = FirstLine("breakout");
  Replace(missing, "[[\"i\",0,2,1]]", "[]");
  StatusOr<VerifyReport> report = Verify(missing);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->descriptions.at(0), HasSubstr("drew an integer(0, 2), expected no draw"));

  std::string surplus = FirstLine("breakout");
  Replace(surplus, "{\"action\":3", "{\"draws\":[[\"u\",0.5]],\"action\":3");
  ExpectMismatch(surplus, "step 2: drew nothing more, expected a uniform");
}

TEST_F(AlteredRecordingTest, OnlyTheFirstMismatchesAreDescribed) {
  std::string line = FirstLine("breakout");
  Replace(line, "\"reward\":0", "\"reward\":1");
  std::string contents;
  for (int i = 0; i < 25; ++i) contents += line + "\n";
  const StatusOr<VerifyReport> report = Verify(contents);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->episodes, 25);
  EXPECT_EQ(report->steps, 25);
  EXPECT_EQ(report->mismatches, 25);
  EXPECT_EQ(report->descriptions.size(), VerifyReport::kMaxDescriptions);
}

TEST_F(AlteredRecordingTest, MalformedLinesNameFileAndLine) {
  constexpr auto kDataLoss = absl::StatusCode::kDataLoss;
  ExpectError(FirstLine("breakout").substr(0, 500), kDataLoss, "not a line of JSON");
  ExpectError("", kDataLoss, "not a line of JSON");
  ExpectError("[1, 2]", kDataLoss, "expected a JSON object");
  const auto altered = [](const std::string& from, const std::string& to) {
    std::string line = FirstLine("breakout");
    Replace(line, from, to);
    return line;
  };
  ExpectError(altered("\"game\":\"breakout\"", "\"game\":7"), kDataLoss,
              "'game' is 7, expected a name");
  ExpectError(altered("\"steps\":", "\"stops\":"), kDataLoss, "'steps' is missing");
  ExpectError(altered("\"action\":3", "\"action\":6"), kDataLoss,
              "step 2: 'action' is 6, expected an integer from 0 to 5");
  ExpectError(altered("\"reward\":0", "\"reward\":\"0\""), kDataLoss,
              "step 1: 'reward' is \"0\", expected a number");
  ExpectError(altered("\"terminal\":false", "\"terminal\":0"), kDataLoss,
              "step 1: 'terminal' is 0, expected true or false");
  ExpectError(altered("\"initial_state\":\"0", "\"initial_state\":\"g"), kDataLoss,
              "'initial_state' is \"g");
  ExpectError(altered("\"state\":", "\"skate\":"), kDataLoss, "step 1: 'state' is missing");
  ExpectError(altered("[\"i\",0,2,1]", "[\"i\",0,2,2]"), kDataLoss,
              "'draw value' is 2, expected an integer from 0 to 1");
  ExpectError(altered("[\"i\",0,2,1]", "[\"u\",1.0]"), kDataLoss, "'draw' is [\"u\",1.0]");
}

TEST_F(AlteredRecordingTest, UnknownGameIsNamed) {
  std::string line = FirstLine("breakout");
  Replace(line, "\"breakout\"", "\"breakdown\"");
  ExpectError(line, absl::StatusCode::kInvalidArgument,
              "unknown game 'breakdown'; did you mean 'breakout'?");
}

TEST_F(AlteredRecordingTest, FoldersWithoutRecordingsAreErrors) {
  const StatusOr<VerifyReport> empty = VerifyRecordings(folder_);
  EXPECT_EQ(empty.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(empty.status().message()),
              HasSubstr("has no *.jsonl file; expected recordings"));

  const StatusOr<VerifyReport> missing = VerifyRecordings(folder_ / "elsewhere");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("elsewhere"));

  const StatusOr<VerifyReport> no_episode = Verify("");
  EXPECT_EQ(no_episode.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(VerifyRecordings(folder_ / "game.jsonl").status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(PackBitsTest, MostSignificantBitComesFirstAndTheLastByteIsPadded) {
  const std::string cells{1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1};
  EXPECT_EQ(PackBits(cells), std::string("\x83\x60"));
}

}  // namespace
}  // namespace gorila::minatar
