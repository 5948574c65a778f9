#include "gorila/report/compared_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "gorila/report/run_folders_testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ComparedRunsTest : public RunFoldersTest {
 protected:
  StatusOr<ComparedRuns> Read(const std::vector<std::string>& arguments) {
    return ReadComparedRuns(arguments);
  }
  std::string Refusal(const std::vector<std::string>& arguments) {
    return std::string(Read(arguments).status().message());
  }
};

TEST_F(ComparedRunsTest, AFolderIsAllOfItsRuns) {
  MakeRun("a/seed1", CatchConfig(1), TrainingRow(100, 1));
  MakeRun("a/seed2", CatchConfig(2), TrainingRow(100, 1));
  const auto all = Read({root_});
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->runs.size(), 2u);
  EXPECT_EQ(all->runs[1].label, "seed2");
  EXPECT_THAT(all->problems, IsEmpty());
  const auto labelled = Read({"mine=" + root_.string()});
  ASSERT_TRUE(labelled.ok()) << labelled.status();
  EXPECT_EQ(labelled->runs[0].label, "mine");
  EXPECT_EQ(labelled->runs[1].label, "mine");
}

TEST_F(ComparedRunsTest, OfAFolderWhatCannotBeReadOrHasNoResultIsSaidInALineEach) {
  MakeRun("good", CatchConfig(), TrainingRow(100, 1));
  MakeRun("new", CatchConfig());
  for (int i = 0; i < 20; ++i) {
    std::ofstream(MakeRun(fmt::format("bad{}", i), CatchConfig()) / "config.toml") << "x";
  }
  const auto all = Read({root_});
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->runs.size(), 1u);
  ASSERT_EQ(all->problems.size(), 1u);
  EXPECT_THAT(all->problems[0], HasSubstr("20 of 22 runs cannot be read: "));
  ASSERT_EQ(all->young.size(), 1u);
  EXPECT_THAT(all->young[0], HasSubstr("without a result yet and left out: 1 of 22 runs: "));
}

TEST_F(ComparedRunsTest, ARunThatIsNamedItselfMustBeReadable) {
  const fs::path run = MakeRun("bad", CatchConfig());
  std::ofstream(run / "config.toml") << "x";
  EXPECT_THAT(Refusal({run}), HasSubstr("config.toml"));
  EXPECT_THAT(Refusal({root_}), HasSubstr("1 of 1 runs cannot be read"));
}

TEST_F(ComparedRunsTest, FoldersWithoutRunsAndRunsNamedTwiceAreRefused) {
  EXPECT_THAT(Refusal({root_}), HasSubstr("no config.toml, and there is no run below it"));
  EXPECT_THAT(Refusal({root_ / "none"}), HasSubstr("no such folder"));
  const fs::path run = MakeRun("a", CatchConfig(), TrainingRow(100, 1));
  EXPECT_THAT(Refusal({root_, run}), HasSubstr("is named twice"));
  EXPECT_TRUE(Read({"x=" + run.string(), "y=" + run.string()}).ok());
}

}  // namespace
}  // namespace gorila
