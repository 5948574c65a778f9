#include "gorila/env/episode.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

TEST(EpisodeTest, TerminalStepEndsWithDiscountZero) {
  Episode episode(0);
  EXPECT_FALSE(episode.running());
  EXPECT_EQ(episode.Begin().step_type, StepType::kFirst);
  const TimeStep mid = episode.Advance(2, false);
  EXPECT_EQ(mid.step_type, StepType::kMid);
  EXPECT_EQ(mid.reward, 2);
  EXPECT_EQ(mid.discount, 1);
  const TimeStep last = episode.Advance(3, true);
  EXPECT_EQ(last.step_type, StepType::kLast);
  EXPECT_EQ(last.reward, 3);
  EXPECT_EQ(last.discount, 0);
  EXPECT_FALSE(episode.running());
}

TEST(EpisodeTest, TimeLimitEndsWithDiscountOneUnlessTerminal) {
  for (const bool terminal : {false, true}) {
    Episode episode(2);
    episode.Begin();
    EXPECT_FALSE(episode.Advance(0, false).last());
    const TimeStep last = episode.Advance(0, terminal);
    EXPECT_TRUE(last.last());
    EXPECT_EQ(last.discount, terminal ? 0 : 1);
  }
}

TEST(EpisodeTest, BeginStartsTheCountAnew) {
  Episode episode(2);
  episode.Begin();
  episode.Advance(0, false);
  episode.Begin();
  EXPECT_FALSE(episode.Advance(0, false).last());
}

TEST(EpisodeTest, RestoredEpisodeKeepsItsCount) {
  Episode episode(3);
  episode.Begin();
  episode.Advance(0, false);
  StateWriter writer;
  episode.SaveState(writer);
  Episode restored(3);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  EXPECT_FALSE(restored.Advance(0, false).last());
  EXPECT_TRUE(restored.Advance(0, false).last());
}

TEST(EpisodeDeathTest, AdvanceOutsideAnEpisodeAborts) {
  Episode episode(0);
  EXPECT_DEATH(episode.Advance(0, false), "Step without Reset");
}

}  // namespace
}  // namespace gorila
