#include "gorila/cli/play_controls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila::cli {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using Does = PlayPace::Does;

TEST(PlayPaceTest, SpacePausesAGameThatIsWatched) {
  PlayPace pace(/*person=*/false, milliseconds(100));
  EXPECT_EQ(pace.Press(Key::kSpace), Does::kChangesPace);
  EXPECT_TRUE(pace.paused());
  EXPECT_THAT(pace.Hint(), HasSubstr("paused   space continues"));
  EXPECT_EQ(pace.Press(Key::kStep), Does::kSteps);
  EXPECT_TRUE(pace.paused());
  EXPECT_EQ(pace.Press(Key::kPause), Does::kChangesPace);
  EXPECT_FALSE(pace.paused());
  EXPECT_EQ(pace.Press(Key::kStep), Does::kNothing);
}

TEST(PlayPaceTest, ArrowsAndSpaceAreTheGamesWherePeoplePlay) {
  PlayPace pace(/*person=*/true, milliseconds(100));
  EXPECT_EQ(pace.Press(Key::kSpace), Does::kNothing);
  EXPECT_FALSE(pace.paused());
  EXPECT_EQ(pace.Press(Key::kPause), Does::kChangesPace);
  EXPECT_EQ(pace.Press(Key::kLeft), Does::kSteps) << "a step with this key";
  EXPECT_THAT(pace.Hint(), HasSubstr("paused   p continues"));
}

TEST(PlayPaceTest, SpeedHasLimits) {
  PlayPace pace(/*person=*/false, milliseconds(100));
  EXPECT_THAT(pace.Hint(), HasSubstr("10 steps/s   q quits, space pauses, + - change speed"));
  EXPECT_EQ(pace.Press(Key::kFaster), Does::kChangesPace);
  EXPECT_EQ(pace.delay(), milliseconds(50));
  for (int i = 0; i < 20; ++i) pace.Press(Key::kFaster);
  EXPECT_EQ(pace.delay(), milliseconds(5));
  for (int i = 0; i < 20; ++i) pace.Press(Key::kSlower);
  EXPECT_EQ(pace.delay(), milliseconds(10'000));
}

TEST(PlayPaceTest, HintsFitIntoEightyColumns) {
  for (const bool person : {false, true}) {
    PlayPace pace(person, milliseconds(7));
    EXPECT_LE(pace.Hint().size(), 80u);
    pace.Press(Key::kPause);
    EXPECT_LE(pace.Hint().size(), 80u);
  }
}

}  // namespace
}  // namespace gorila::cli
