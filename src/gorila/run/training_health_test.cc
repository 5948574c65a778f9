#include "gorila/run/training_health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

ProgressSnapshot Progress(std::uint64_t accepted, std::uint64_t invalid) {
  ProgressSnapshot progress;
  progress.frames = 1000;
  progress.updates = accepted;
  progress.accepted = accepted;
  progress.invalid = invalid;
  return progress;
}

class TrainingHealthTest : public testing::Test {
 protected:
  void Look(std::uint64_t accepted, std::uint64_t invalid) {
    health_.Look(Progress(accepted, invalid),
                 [this](std::string_view line) { said_.emplace_back(line); });
  }

  TrainingHealth health_{Config()};
  std::vector<std::string> said_;
};

TEST_F(TrainingHealthTest, AFewInvalidGradientsAreNothing) {
  Look(1000, 10);
  Look(2000, 20);
  EXPECT_THAT(said_, IsEmpty());
  EXPECT_EQ(health_.Problem(Progress(2000, 20)), "");
}

TEST_F(TrainingHealthTest, DivergenceIsSaidOnceWhileTraining) {
  Look(2, 500);
  Look(2, 900);
  EXPECT_THAT(
      said_,
      ElementsAre(HasSubstr("training diverges: 500 of the last 502 gradients are not finite")));
  EXPECT_THAT(health_.Problem(Progress(2, 7250)),
              HasSubstr("diverged: 7250 of 7252 gradients were not finite"));
}

TEST_F(TrainingHealthTest, DivergenceAfterLongTrainingIsSeenToo) {
  Look(1000000, 0);
  Look(1000100, 400);
  EXPECT_EQ(said_.size(), 1U);
  EXPECT_THAT(health_.Problem(Progress(1000100, 400)), HasSubstr("the run diverged"));
}

TEST_F(TrainingHealthTest, ARunTooShortForALookIsJudgedInTheEnd) {
  EXPECT_THAT(health_.Problem(Progress(1, 20)), HasSubstr("20 of 21 gradients"));
}

TEST_F(TrainingHealthTest, ARunWithoutAnUpdateLearntNothing) {
  EXPECT_THAT(health_.Problem(Progress(0, 0)), HasSubstr("made no update in 1000 frames"));
}

TEST_F(TrainingHealthTest, ARunOfRefusedGradientsAloneDoesNotAskForMoreFrames) {
  const std::string problem = health_.Problem(Progress(0, 119));
  EXPECT_THAT(problem, HasSubstr("made no update in 1000 frames: 119 gradients were not finite"));
  EXPECT_THAT(problem, Not(HasSubstr("more frames")));
}

TEST_F(TrainingHealthTest, AShardThatCameBackFromASnapshotIsNoDivergence) {
  Look(1000, 50);
  Look(800, 40);
  Look(1000, 50);
  EXPECT_THAT(said_, IsEmpty());
}

}  // namespace
}  // namespace gorila
