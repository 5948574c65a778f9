#include "gorila/report/run_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class FindRunsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = fs::path(testing::TempDir()) / fmt::format("find_runs_{}_{}", test->name(), ::getpid());
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path MakeRun(const std::string& name) {
    const fs::path run = root_ / name;
    fs::create_directories(run);
    std::ofstream(run / "config.toml") << "\n";
    return run;
  }

  fs::path root_;
};

TEST_F(FindRunsTest, FindsRunsAtAnyDepthSortedAndNotInsideOfRuns) {
  const fs::path deep = MakeRun("sweeps/a/breakout/seed1");
  const fs::path first = MakeRun("a");
  MakeRun("a/copy");
  MakeRun(".trash/old");
  fs::create_directories(root_ / "empty");
  std::ofstream(root_ / "notes.txt") << "x";
  const auto found = FindRuns(root_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->runs, ElementsAre(first, deep));
  EXPECT_THAT(found->notes, IsEmpty());
}

TEST_F(FindRunsTest, NumbersAreInTheirOrder) {
  std::vector<fs::path> runs;
  for (const char* name :
       {"n_step-2/seed1", "n_step-2/seed9", "n_step-2/seed10", "n_step-10/seed1"}) {
    runs.push_back(MakeRun(name));
  }
  EXPECT_EQ(FindRuns(root_)->runs, runs);
}

TEST_F(FindRunsTest, ARunIsFoundInItself) {
  const fs::path run = MakeRun("a");
  MakeRun("a/copy");
  const auto found = FindRuns(run);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->runs, ElementsAre(run));
}

TEST_F(FindRunsTest, ALinkedRunIsListedOnceUnderItsOwnPathAndCyclesEnd) {
  const fs::path run = MakeRun("z/run");
  fs::create_directory_symlink(run, root_ / "latest");
  fs::create_directory_symlink(root_, root_ / "z/up");
  fs::create_directory_symlink(root_ / "nowhere", root_ / "broken");
  fs::create_directory_symlink("self", root_ / "self");
  const auto found = FindRuns(root_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->runs, ElementsAre(run));
  EXPECT_THAT(found->notes, IsEmpty());
}

TEST_F(FindRunsTest, ALinkOutOfTheFolderIsFollowed) {
  MakeRun("elsewhere/run");
  fs::create_directories(root_ / "runs");
  fs::create_directory_symlink(root_ / "elsewhere", root_ / "runs/other_disk");
  const auto found = FindRuns(root_ / "runs");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->runs, ElementsAre(root_ / "runs/other_disk/run"));
}

TEST_F(FindRunsTest, NotesSayInOneLineWhichFoldersWereRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const fs::path run = MakeRun("a");
  for (const char* name : {"locked1", "locked2"}) {
    fs::create_directories(root_ / name);
    fs::permissions(root_ / name, fs::perms::none);
  }
  const auto found = FindRuns(root_);
  const auto all = FindAllRuns(root_);
  for (const char* name : {"locked1", "locked2"}) {
    fs::permissions(root_ / name, fs::perms::owner_all);
  }
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->runs, ElementsAre(run));
  ASSERT_EQ(found->notes.size(), 1u);
  EXPECT_THAT(found->notes[0], HasSubstr("2 folders were not searched: "));
  EXPECT_THAT(found->notes[0], HasSubstr("locked1"));
  EXPECT_TRUE(absl::IsUnavailable(all.status())) << all.status();
}

TEST_F(FindRunsTest, AFolderWithoutRunsIsAnErrorOnlyWhereSomeAreNeeded) {
  const auto found = FindRuns(root_);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->runs, IsEmpty());
  const Status none = FindSomeRuns(root_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(none));
  EXPECT_THAT(std::string(none.message()), HasSubstr("has no run in it or below"));
}

TEST_F(FindRunsTest, NoFolderAndAFileAreErrors) {
  EXPECT_TRUE(absl::IsNotFound(FindRuns(root_ / "none").status()));
  std::ofstream(root_ / "file") << "x";
  EXPECT_TRUE(absl::IsInvalidArgument(FindRuns(root_ / "file").status()));
}

}  // namespace
}  // namespace gorila
