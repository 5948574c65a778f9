#include "gorila/evaluation/start_recorder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

namespace gorila {
namespace {

EnvironmentSpec Spec() {
  return {.name = "pixel/breakout", .observation = {}, .action_names = {"no-op", "left"}};
}

StartRecorder Recorder(int per_episode) { return {"pixel/breakout", {}, 7, per_episode}; }

TEST(StartRecorderTest, TakesDifferentStepsOfEachEpisodeAndTheActionsThatLedThere) {
  StartRecorder recorder = Recorder(5);
  for (std::uint64_t episode = 1; episode <= 2; ++episode) {
    recorder.BeginEpisode(episode, Spec());
    for (int i = 0; i < 50; ++i) recorder.Add(i % 2);
    recorder.EndEpisode();
  }
  ASSERT_EQ(recorder.points().starts.size(), 10u);
  std::set<std::pair<std::uint64_t, std::size_t>> places;
  for (const StartPoint& start : recorder.points().starts) {
    EXPECT_EQ(start.seed, 7u);
    EXPECT_GE(start.actions.size(), 1u);
    EXPECT_LE(start.actions.size(), 49u);
    for (std::size_t i = 0; i < start.actions.size(); ++i) {
      EXPECT_EQ(start.actions[i], static_cast<int>(i % 2));
    }
    places.insert({start.episode, start.actions.size()});
  }
  EXPECT_EQ(places.size(), 10u);
}

TEST(StartRecorderTest, AShortEpisodeGivesWhatItHas) {
  StartRecorder recorder = Recorder(5);
  recorder.BeginEpisode(1, Spec());
  for (int i = 0; i < 3; ++i) recorder.Add(0);
  recorder.EndEpisode();
  EXPECT_EQ(recorder.points().starts.size(), 2u);
}

TEST(StartRecorderTest, RefusesToWriteNothing) {
  EXPECT_TRUE(absl::IsInvalidArgument(Recorder(5).Write("starts.jsonl")));
}

TEST(StartRecorderTest, WritesWhatCanBeReadBack) {
  StartRecorder recorder = Recorder(3);
  recorder.BeginEpisode(1, Spec());
  for (int i = 0; i < 30; ++i) recorder.Add(1);
  recorder.EndEpisode();
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("gorila-starts-{}", ::getpid());
  ASSERT_TRUE(recorder.Write(path).ok());
  EXPECT_EQ(ReadStartPoints(path).value(), recorder.points());
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace gorila
