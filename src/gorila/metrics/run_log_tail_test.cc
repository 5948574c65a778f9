#include "gorila/metrics/run_log_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/base/file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RunLogTailTest : public ::testing::Test {
 protected:
  RunLogTailTest() { fs::create_directories(folder_); }
  ~RunLogTailTest() override { fs::remove_all(folder_); }

  void Put(std::string_view contents) { ASSERT_TRUE(WriteFileSynced(path_, contents).ok()); }

  // "frames" of all records, newest first; the first status that is not OK ends them.
  std::vector<double> Frames(Status* end = nullptr) {
    RunLogTail tail = RunLogTail::Open(path_).value();
    std::vector<double> frames;
    while (true) {
      const auto record = tail.Previous();
      if (end != nullptr) *end = record.status();
      if (!record.ok() || !record->has_value()) return frames;
      frames.push_back((*record)->Number("frames").value_or(-1));
    }
  }

  const fs::path folder_ =
      fs::path(::testing::TempDir()) /
      (std::string("tail_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
  const fs::path path_ = folder_ / "metrics.jsonl";
};

TEST_F(RunLogTailTest, RecordsComeNewestFirst) {
  Put("{\"frames\":1}\n{\"frames\":2}\n{\"frames\":3}\n");
  EXPECT_THAT(Frames(), ::testing::ElementsAre(3, 2, 1));
}

TEST_F(RunLogTailTest, AHalfWrittenLastLineIsLeftOut) {
  Put("{\"frames\":1}\n{\"fra");
  EXPECT_THAT(Frames(), ::testing::ElementsAre(1));
  Put("{\"fra");
  EXPECT_THAT(Frames(), ::testing::IsEmpty());
  Put("");
  EXPECT_THAT(Frames(), ::testing::IsEmpty());
}

TEST_F(RunLogTailTest, LinesThatAreNotWantedArePassedOverUnparsed) {
  std::string contents = "{\"kind\":\"b\",\"frames\":1}\n";
  // More than a part of them, some not even JSON.
  for (std::size_t i = 0; i < RunLogTail::kPartBytes / 8; ++i) contents += "{\"kind\":\"a\",...\n";
  Put(contents + "{\"kind\":\"b\",\"frames\":2}\n{\"kind\":\"a\",...\n");
  RunLogTail tail = RunLogTail::Open(path_).value();
  for (const double frames : {2, 1}) {
    const auto record = tail.PreviousUnless("{\"kind\":\"a\"");
    ASSERT_TRUE(record.ok() && record->has_value()) << record.status();
    EXPECT_EQ((*record)->Number("frames"), frames);
  }
  const auto end = tail.PreviousUnless("{\"kind\":\"a\"");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_FALSE(end->has_value());
}

TEST_F(RunLogTailTest, LinesMayBeLongerThanAPart) {
  std::string contents;
  for (int i = 0; i < 4; ++i) {
    const std::size_t more = RunLogTail::kPartBytes / 2 * static_cast<std::size_t>(i);
    contents += fmt::format("{{\"frames\":{},\"more\":\"{}\"}}\n", i, std::string(more, 'x'));
  }
  Put(contents + std::string(RunLogTail::kPartBytes * 2, 'y'));
  EXPECT_THAT(Frames(), ::testing::ElementsAre(3, 2, 1, 0));
}

TEST_F(RunLogTailTest, EveryRecordOfManyComesOnce) {
  std::string contents;
  for (int i = 0; i < 20'000; ++i) contents += fmt::format("{{\"frames\":{}}}\n", i);
  Put(contents);
  const std::vector<double> frames = Frames();
  ASSERT_EQ(frames.size(), 20'000u);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i], 19'999 - static_cast<double>(i));
  }
}

TEST_F(RunLogTailTest, TheLastRecordCostsOnePartHoweverLongTheLog) {
  std::string contents;
  for (int i = 0; i < 100'000; ++i) contents += fmt::format("{{\"frames\":{}}}\n", i);
  Put(contents);
  RunLogTail tail = RunLogTail::Open(path_).value();
  const auto record = tail.Previous().value();
  EXPECT_EQ(record->Number("frames"), 99'999);
  EXPECT_EQ(tail.bytes_read(), RunLogTail::kPartBytes);
}

TEST_F(RunLogTailTest, ADamagedLineIsNamedByItsPlace) {
  Put("{\"frames\":1}\ngarbage\n{\"frames\":3}\n");
  Status end;
  EXPECT_THAT(Frames(&end), ::testing::ElementsAre(3));
  EXPECT_TRUE(absl::IsDataLoss(end));
  EXPECT_THAT(std::string(end.message()), HasSubstr("metrics.jsonl' at byte 13"));
}

TEST_F(RunLogTailTest, AFileOfOneEndlessLineIsRefusedInBoundedMemory) {
  Put("{\"frames\":1}\n");
  fs::resize_file(path_, RunLogTail::kMostLineBytes * 4);  // zeros, as after a power cut
  Status end;
  EXPECT_THAT(Frames(&end), ::testing::IsEmpty());
  EXPECT_TRUE(absl::IsDataLoss(end)) << end;
}

TEST_F(RunLogTailTest, SaysWhatIsNotALog) {
  EXPECT_TRUE(absl::IsNotFound(RunLogTail::Open(path_).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RunLogTail::Open(folder_).status()));
}

}  // namespace
}  // namespace gorila
