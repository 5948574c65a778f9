#include "gorila/config/run_labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <thread>

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RunLabelsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    run_ = fs::path(testing::TempDir()) / fmt::format("labels_{}_{}", test->name(), ::getpid());
    fs::create_directories(run_);
  }
  void TearDown() override { fs::remove_all(run_); }

  void WriteFile(const std::string& text) { std::ofstream(run_ / kLabelsFile) << text; }
  std::string ReadError() {
    const auto labels = ReadRunLabels(run_);
    EXPECT_TRUE(absl::IsDataLoss(labels.status())) << labels.status();
    return std::string(labels.status().message());
  }

  fs::path run_;
};

std::string Refusal(const RunLabels& labels) {
  const Status status = CheckRunLabels(labels);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST_F(RunLabelsTest, ReadBackAsWritten) {
  const RunLabels labels = {.name = "l\xC3\xA4ufe \"a\\b\" # 1",
                            .note = "lower rate, \xE4\xB8\xAD",
                            .tags = {"baseline", "paper-2"}};
  ASSERT_TRUE(WriteRunLabels(run_, labels).ok());
  const auto read = ReadRunLabels(run_);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, labels);
}

TEST_F(RunLabelsTest, ARunWithoutTheFileHasNoneAndWithoutLabelsThereIsNoFile) {
  EXPECT_EQ(*ReadRunLabels(run_), RunLabels());
  ASSERT_TRUE(WriteRunLabels(run_, {.name = "a"}).ok());
  ASSERT_TRUE(ChangeRunLabels(run_, {.name = ""}).ok());
  EXPECT_FALSE(fs::exists(run_ / kLabelsFile));
}

TEST_F(RunLabelsTest, ChangesKeepTheRest) {
  ASSERT_TRUE(WriteRunLabels(run_, {.name = "a", .note = "b", .tags = {"x", "y"}}).ok());
  const auto labels =
      ChangeRunLabels(run_, {.note = "c", .add_tags = {"z", "y"}, .remove_tags = {"x", "none"}});
  ASSERT_TRUE(labels.ok()) << labels.status();
  EXPECT_EQ(*labels, (RunLabels{.name = "a", .note = "c", .tags = {"y", "z"}}));
  EXPECT_EQ(*ReadRunLabels(run_), *labels);
}

TEST_F(RunLabelsTest, ARefusedChangeLeavesTheFile) {
  ASSERT_TRUE(WriteRunLabels(run_, {.name = "a"}).ok());
  EXPECT_FALSE(ChangeRunLabels(run_, {.name = "b", .add_tags = {"two words"}}).ok());
  EXPECT_EQ(ReadRunLabels(run_)->name, "a");
}

TEST_F(RunLabelsTest, ChangesAtTheSameTimeAreAllKept) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int j = 0; j < 5; ++j) {
        const auto done = ChangeRunLabels(run_, {.add_tags = {fmt::format("t{}.{}", i, j)}});
        EXPECT_TRUE(done.ok()) << done.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ReadRunLabels(run_)->tags.size(), 20u);
}

TEST_F(RunLabelsTest, TextIsOneLineOfUtf8WithoutControlCharacters) {
  EXPECT_THAT(Refusal({.name = "a\xff"}), HasSubstr("the name is not UTF-8"));
  for (const char* text :
       {"a\nb", "a\tb", "\x1b[2J", "a\x7f", "a\xC2\x9b", "a\xE2\x80\xAE", "a\xE2\x80\xA8"}) {
    EXPECT_THAT(Refusal({.note = text}), HasSubstr("the note has a line end or another control"));
  }
  EXPECT_THAT(Refusal({.name = " a"}), HasSubstr("begins or ends with a space"));
}

TEST_F(RunLabelsTest, LengthIsInCharacters) {
  std::string name;
  for (std::size_t i = 0; i < kMostNameCharacters; ++i) name += "\xE4\xB8\xAD";
  EXPECT_TRUE(CheckRunLabels({.name = name}).ok());
  EXPECT_THAT(Refusal({.name = name + "a"}), HasSubstr("101 characters; expected at most 100"));
  EXPECT_THAT(Refusal({.note = std::string(kMostNoteCharacters + 1, 'a')}),
              HasSubstr("expected at most 2000"));
}

TEST_F(RunLabelsTest, TagsAreWordsThatDiffer) {
  EXPECT_THAT(Refusal({.tags = {""}}), HasSubstr("without spaces and commas"));
  EXPECT_THAT(Refusal({.tags = {"a b"}}), HasSubstr("tag 'a b'"));
  EXPECT_THAT(Refusal({.tags = {"a,b"}}), HasSubstr("tag 'a,b'"));
  EXPECT_THAT(Refusal({.tags = {"a", "b", "a"}}), HasSubstr("tag 'a' is there twice"));
  EXPECT_THAT(Refusal({.tags = std::vector<std::string>(kMostTags + 1, "a")}),
              HasSubstr("51 tags"));
}

TEST_F(RunLabelsTest, AFileThatSomebodyDamagedIsNamedWithTheLine) {
  WriteFile("name = \"a\"\nname = 3\n");
  EXPECT_THAT(ReadError(), HasSubstr("labels.toml' (mend it or remove it): line 2: not TOML"));
  WriteFile("# x\nname = 3\n");
  EXPECT_THAT(ReadError(), HasSubstr("line 2: 'name': expected a text in quotes"));
  WriteFile("tags = [1]\n");
  EXPECT_THAT(ReadError(), HasSubstr("'tags': expected a text in quotes"));
  WriteFile("tag = [\"a\"]\n");
  EXPECT_THAT(ReadError(), HasSubstr("'tag': expected name, note or tags"));
  WriteFile("name = \"a\\nb\"\n");
  EXPECT_THAT(ReadError(), HasSubstr("control character"));
}

}  // namespace
}  // namespace gorila
