#include "gorila/report/run_summary.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace gorila {
namespace {

namespace fs = std::filesystem;

TEST(LabelledRunTest, IsALabelAndAFolderOrAFolderAlone) {
  EXPECT_EQ(ParseLabelledRun("deep=runs/a").label, "deep");
  EXPECT_EQ(ParseLabelledRun("deep=runs/a").directory, "runs/a");
  EXPECT_EQ(ParseLabelledRun("runs/a").label, "a");
  EXPECT_EQ(ParseLabelledRun("runs/a").directory, "runs/a");
}

TEST(LabelledRunTest, AFolderThatExistsIsNoLabel) {
  const fs::path folder = fs::path(testing::TempDir()) / "labelled_run_a=b";
  fs::create_directories(folder);
  const LabelledRun run = ParseLabelledRun(folder.string());
  EXPECT_EQ(run.directory, folder);
  EXPECT_EQ(run.label, "labelled_run_a=b");
  fs::remove(folder);
}

TEST(LabelledRunTest, LabelsAreUtf8WhateverTheFoldersNameIs) {
  EXPECT_EQ(DefaultLabel("runs/q\xff"), "q\xEF\xBF\xBD");
  EXPECT_EQ(ParseLabelledRun("\xff=runs/a").label, "\xEF\xBF\xBD");
  EXPECT_EQ(DefaultLabel("runs/l\xC3\xA4ufe"), "l\xC3\xA4ufe");
}

TEST(LabelledRunTest, ARunIsCalledByItsName) {
  const fs::path folder = fs::path(testing::TempDir()) / fmt::format("named_run_{}", ::getpid());
  fs::create_directories(folder);
  ASSERT_TRUE(WriteRunLabels(folder, {.name = "mine"}).ok());
  EXPECT_EQ(ParseLabelledRun(folder.string()).label, "mine");
  EXPECT_EQ(ParseLabelledRun("other=" + folder.string()).label, "other");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace gorila
