#include "gorila/run/milestones.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "gorila/base/file.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_results.h"
#include "gorila/run/trainer.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MilestonesTest : public testing::Test {
 protected:
  MilestonesTest() : config_(testing_config::SmallConfig()) {
    config_.run.frames = 3000;
    config_.run.metrics_every_frames = 1000;
    config_.evaluation.episodes = 2;
    config_.checkpoint.every_seconds = 0;
    config_.checkpoint.every_frames = 600;
    config_.checkpoint.keep = 1;
    config_.checkpoint.milestones_every_frames = 500;
    layout_ = MakeParameterLayout(ResolveNetwork(config_).value());
  }
  void SetUp() override {
    run_ = fs::path(testing::TempDir()) / fmt::format("milestones_test-{}", ::getpid());
    fs::remove_all(run_);
  }
  void TearDown() override { fs::remove_all(run_); }

  Milestones Make() const { return {config_, run_, layout_}; }

  DueMilestone DueAt(std::int64_t frames, float value = 1) const {
    return {frames,
            {.frames = frames + 4,
             .updates = 7,
             .parameters = std::vector<float>(layout_.size, value)}};
  }

  std::vector<std::int64_t> Listed() const {
    std::vector<std::int64_t> frames;
    const std::vector<Milestone> listed = ListMilestones(run_).value();
    for (const Milestone& milestone : listed) {
      frames.push_back(milestone.frames);
    }
    return frames;
  }

  std::vector<std::string> Contents() const {
    std::vector<std::string> contents;
    const std::vector<Milestone> listed = ListMilestones(run_).value();
    for (const Milestone& milestone : listed) {
      contents.push_back(ReadFile(milestone.path).value());
    }
    return contents;
  }

  TrainingOutcome Train() { return Trainer::Start(config_, run_).value()->Run({}).value(); }

  Config config_;
  ParameterLayout layout_;
  fs::path run_;
};

TEST_F(MilestonesTest, ComeDueAtMultiplesOfThePeriod) {
  Milestones milestones = Make();
  milestones.CountFrom(0);
  EXPECT_EQ(milestones.Due(499, {}), std::nullopt);
  EXPECT_THAT(milestones.Due(500, {}), Eq(500));
  EXPECT_EQ(milestones.Due(999, {}), std::nullopt);
  EXPECT_THAT(milestones.Due(1003, {}), Eq(1000));
}

TEST_F(MilestonesTest, OfSeveralAtOnceTheNewestIsTakenAndThatIsSaidOnce) {
  Milestones milestones = Make();
  milestones.CountFrom(0);
  std::vector<std::string> said;
  const auto say = [&said](std::string_view text) { said.emplace_back(text); };
  EXPECT_THAT(milestones.Due(1700, say), Eq(1500));
  EXPECT_THAT(milestones.Due(3700, say), Eq(3500));
  EXPECT_THAT(said, ElementsAre(HasSubstr("that of 1000 frames is left out")));
}

// A parameter server came back from an older snapshot.
TEST_F(MilestonesTest, FramesThatWentBackComeDueAgain) {
  Milestones milestones = Make();
  milestones.CountFrom(1100);
  EXPECT_EQ(milestones.Due(800, {}), std::nullopt);
  EXPECT_THAT(milestones.Due(1001, {}), Eq(1000));
}

// The process before may have taken it in time; now it is too late for that one.
TEST_F(MilestonesTest, WhatCameDueUnwatchedIsTakenUnlessItIsThere) {
  Milestones milestones = Make();
  milestones.ContinueFrom(900);
  EXPECT_THAT(milestones.Due(1100, {}), Eq(1000));
  ASSERT_TRUE(milestones.Write(DueAt(1000)).ok());
  Milestones next = Make();
  next.ContinueFrom(900);
  EXPECT_EQ(next.Due(1100, {}), std::nullopt);
  EXPECT_THAT(next.Due(1500, {}), Eq(1500));
}

TEST_F(MilestonesTest, AreNetworksThatSayWhenTheyWereTaken) {
  Milestones milestones = Make();
  ASSERT_TRUE(milestones.Write(DueAt(500)).ok());
  const std::string bytes = ReadFile(run_ / "milestones/frames-000000000500.safetensors").value();
  EXPECT_EQ(DecodeParameters(layout_, bytes).value(), std::vector<float>(layout_.size, 1));
  EXPECT_EQ(Safetensors::Decode(bytes)->metadata().at("frames"), "504");
  EXPECT_EQ(Safetensors::Decode(bytes)->metadata().at("environment"), "classic/catch");
}

TEST_F(MilestonesTest, WaitWhileTheyCannotBeWritten) {
  fs::create_directories(run_);
  std::ofstream(run_ / "milestones") << "a file in the way";
  Milestones milestones = Make();
  std::vector<std::string> errors;
  for (int i = 1; i <= 6; ++i) {
    errors.emplace_back(milestones.Write(DueAt(500 * i)).message());
    EXPECT_THAT(errors.back(), HasSubstr("milestone"));
  }
  EXPECT_THAT(errors[4], HasSubstr("gave up 'frames-000000000500"));
  EXPECT_TRUE(milestones.waiting());
  fs::remove(run_ / "milestones");
  EXPECT_TRUE(milestones.Retry().ok());
  EXPECT_FALSE(milestones.waiting());
  EXPECT_THAT(Listed(), ElementsAre(1500, 2000, 2500, 3000));
}

TEST_F(MilestonesTest, OtherFilesAreNotListed) {
  EXPECT_THAT(ListMilestones(run_).value(), IsEmpty());
  Milestones milestones = Make();
  ASSERT_TRUE(milestones.Write(DueAt(500)).ok());
  for (const char* const name : {"frames-.safetensors", "frames-5x.safetensors", "notes.txt",
                                 "frames-000000000500.safetensors.tmp"}) {
    std::ofstream(run_ / "milestones" / name) << "x";
  }
  EXPECT_THAT(Listed(), ElementsAre(500));
}

TEST_F(MilestonesTest, ARunKeepsAllOfThemWhateverBecomesOfCheckpointsAndResults) {
  ASSERT_TRUE(Train().finished);
  EXPECT_THAT(Listed(), ElementsAre(500, 1000, 1500, 2000, 2500, 3000));
  ASSERT_TRUE(RemoveResults(run_).ok());
  EXPECT_THAT(Listed(), SizeIs(6));
}

TEST_F(MilestonesTest, ThoseOfADeterministicRunRepeatAndChangeNothing) {
  Train();
  const std::vector<std::string> first = Contents();
  const std::string network = ReadFile(FinalNetworkFile(run_)).value();
  fs::remove_all(run_);
  Train();
  EXPECT_EQ(Contents(), first);
  fs::remove_all(run_);
  config_.checkpoint.milestones_every_frames = 0;
  Train();
  EXPECT_EQ(ReadFile(FinalNetworkFile(run_)).value(), network);
  EXPECT_FALSE(fs::exists(MilestonesFolder(run_)));
}

// The stop leaves a checkpoint at 2000 frames or so; what is beyond it is of a future that was
// lost.
TEST_F(MilestonesTest, AResumedRunKeepsThoseBeforeAndReplacesThoseAfter) {
  Train();
  const std::vector<std::string> whole = Contents();
  fs::remove_all(run_);
  bool stop = false;
  const TrainerHooks hooks{.stop_requested =
                               [&] {
                                 std::error_code error;
                                 stop = stop || fs::exists(MilestoneFile(run_, 1500), error);
                                 return stop;
                               },
                           .progress = {},
                           .message = {}};
  ASSERT_FALSE(Trainer::Start(config_, run_).value()->Run(hooks)->finished);
  ASSERT_LT(Listed().back(), 3000);
  std::ofstream(MilestoneFile(run_, 2500)) << "of a killed process";
  const auto resumed = Trainer::Resume(config_, RunDirectory::Open(run_).value(), {});
  ASSERT_TRUE((*resumed)->Run({})->finished);
  EXPECT_EQ(Contents(), whole);
}

TEST_F(MilestonesTest, AThreadedRunTakesThemToo) {
  config_.run.deterministic = false;
  config_.run.frames = 30000;
  config_.checkpoint.every_frames = 0;
  config_.checkpoint.milestones_every_frames = 30000;
  ASSERT_TRUE(Train().finished);
  EXPECT_THAT(Listed(), ElementsAre(30000));
}

}  // namespace
}  // namespace gorila
