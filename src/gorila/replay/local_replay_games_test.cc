// Several games in one local replay: each has its share of the minibatches, also over a checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gorila/replay/local_replay.h"
#include "gorila/replay/testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;

constexpr int kStreams = 4;
constexpr std::array<int, kStreams> kGameOf = {0, 1, 2, 0};
constexpr int kGames = 3;

LocalReplayOptions Options(const std::string& selector, int games = kGames) {
  return {.capacity = 400,
          .transition = {.n_step = 2, .discount = 0.9},
          .rate = {.updates_per_step = 1e9, .min_size = 0},
          .selector = {.name = selector, .minibatch = 8},
          .games = games};
}

std::unique_ptr<LocalReplay> Make(const LocalReplayOptions& options, std::uint64_t seed = 3) {
  return LocalReplay::Make(options, NamedFrames(2), kStreams, RandomStream(seed)).value();
}

// Streams in lockstep whose episodes have 2, 20, 60 and 7 steps.
class Lockstep {
 public:
  void Insert(LocalReplay& replay, int stream) {
    const auto at = static_cast<std::size_t>(stream);
    constexpr std::array<int, kStreams> kSteps = {2, 20, 60, 7};
    const int k = steps_[at]++ % (kSteps[at] + 1);
    NamedRow row{.name = {stream, ++numbers_[at]}, .game = kGameOf[at]};
    if (k > 0) row.time_step = {StepType::kMid, 1, 1};
    if (k == kSteps[at]) row.time_step = {StepType::kLast, 1, 0};
    ASSERT_TRUE(replay.Insert(stream, row.row()).ok());
    // The next episode's first state comes with the step that ended the one before.
    if (k == kSteps[at]) Insert(replay, stream);
  }
  void Insert(LocalReplay& replay) {
    for (int stream = 0; stream < kStreams; ++stream) Insert(replay, stream);
  }

 private:
  std::array<int, kStreams> steps_{};
  std::array<int, kStreams> numbers_{};
};

std::array<int, kGames> CountGames(const TransitionBatch& batch) {
  std::array<int, kGames> counts{};
  for (std::size_t i = 0; i < batch.games.size(); ++i) {
    const int game = batch.games[i];
    FrameName name;
    std::memcpy(&name, &batch.s_tm1[(2 * i + 1) * sizeof name], sizeof name);
    EXPECT_EQ(game, kGameOf[static_cast<std::size_t>(name.stream)]);
    ++counts[static_cast<std::size_t>(game)];
  }
  return counts;
}

class LocalReplayGamesTest : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(WithReplacement, LocalReplayGamesTest,
                         testing::Values("uniform", "prioritized"),
                         [](const auto& info) { return info.param; });

// Game 1 has errors 1000 times those of the others; game 0 has two of the four streams.
TEST_P(LocalReplayGamesTest, EachHasTheSameShareOfMinibatchesWhateverItsEpisodesAndErrors) {
  const auto replay = Make(Options(GetParam()));
  Lockstep streams;
  for (int step = 0; step < 30; ++step) streams.Insert(*replay);
  std::array<int, kGames> total{};
  TransitionBatch batch;
  for (int minibatch = 0; minibatch < 300; ++minibatch) {
    streams.Insert(*replay);
    ASSERT_TRUE(replay->Sample(8, batch).ok());
    const auto counts = CountGames(batch);
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    ASSERT_LE(*most - *least, 1);
    for (std::size_t game = 0; game < kGames; ++game) total[game] += counts[game];
    std::vector<float> errors;
    for (const int game : batch.games) errors.push_back(game == 1 ? 1000.0F : 1.0F);
    ASSERT_TRUE(replay->UpdatePriorities(batch, errors).ok());
  }
  EXPECT_THAT(total, testing::Each(800));
  replay->CheckInvariants();
}

TEST_P(LocalReplayGamesTest, AStreamKeepsItsGame) {
  const auto replay = Make(Options(GetParam()));
  NamedRow row{.name = {1, 1}, .game = 1};
  ASSERT_TRUE(replay->Insert(1, row.row()).ok());
  row.time_step.step_type = StepType::kMid;
  row.game = 2;
  const Status changed = replay->Insert(1, row.row());
  EXPECT_TRUE(absl::IsInvalidArgument(changed));
  EXPECT_THAT(std::string(changed.message()), HasSubstr("a row of game 2 in a stream of game 1"));
  row.game = kGames;
  EXPECT_THAT(std::string(replay->Insert(2, row.row()).message()),
              HasSubstr("game 3 is not in 0..2"));
  row.game = 1;
  EXPECT_TRUE(replay->Insert(1, row.row()).ok());
}

TEST_P(LocalReplayGamesTest, ARestoredOneContinuesBitForBit) {
  const auto replay = Make(Options(GetParam()));
  Lockstep streams;
  for (int step = 0; step < 150; ++step) streams.Insert(*replay);
  TransitionBatch batch;
  ASSERT_TRUE(replay->Sample(7, batch).ok());  // the next turn is the second game's
  StateWriter rows;
  while (replay->SaveNewRows(1 << 20, rows)) {
  }
  StateWriter state;
  replay->SaveState(state);
  const auto restored = Make(Options(GetParam()), 99);
  StateReader reader(state.bytes());
  ASSERT_TRUE(restored->RestoreState(reader).ok());
  ASSERT_TRUE(reader.Finish().ok());
  StateReader segment(rows.bytes());
  ASSERT_TRUE(restored->RestoreRows(segment).ok());
  ASSERT_TRUE(restored->FinishRestore().ok());
  restored->CheckInvariants();
  Lockstep same = streams;
  TransitionBatch again;
  for (int minibatch = 0; minibatch < 50; ++minibatch) {
    streams.Insert(*replay);
    same.Insert(*restored);
    ASSERT_TRUE(replay->Sample(8, batch).ok());
    ASSERT_TRUE(restored->Sample(8, again).ok());
    ASSERT_EQ(again.keys, batch.keys);
    ASSERT_EQ(again.games, batch.games);
    ASSERT_EQ(again.probabilities, batch.probabilities);
    std::vector<float> errors;
    for (const auto key : batch.keys) errors.push_back(static_cast<float>(key % 5));
    ASSERT_TRUE(replay->UpdatePriorities(batch, errors).ok());
    ASSERT_TRUE(restored->UpdatePriorities(again, errors).ok());
  }
}

// With one game a state has the bytes that it always had, and all rows are of game 0.
TEST_P(LocalReplayGamesTest, AStateOfOneGameIsAsItWasAndFitsNoReplayOfSeveral) {
  const auto one = Make(Options(GetParam(), 1));
  RandomEpisodes episodes(kStreams, 5);
  for (int i = 0; i < 100; ++i) {
    const NamedRow row = episodes.Next();
    ASSERT_TRUE(one->Insert(row.name.stream, row.row()).ok());
  }
  TransitionBatch batch;
  ASSERT_TRUE(one->Sample(8, batch).ok());
  EXPECT_THAT(batch.games, testing::Each(0));
  StateWriter state;
  one->SaveState(state);
  StateReader first(state.bytes());
  std::uint64_t streams = 0;
  ASSERT_TRUE(first.Read(streams).ok());
  EXPECT_EQ(streams, kStreams);
  StateReader reader(state.bytes());
  const Status status = Make(Options(GetParam()))->RestoreState(reader);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("rows of 1 games, expected 3"));
}

TEST_P(LocalReplayGamesTest, NoChangedByteOfAStateMakesItUnusable) {
  const auto replay = Make(Options(GetParam()));
  Lockstep streams;
  for (int step = 0; step < 40; ++step) streams.Insert(*replay);
  StateWriter rows;
  while (replay->SaveNewRows(1 << 20, rows)) {
  }
  StateWriter state;
  replay->SaveState(state);
  for (std::size_t i = 0; i < state.bytes().size(); ++i) {
    std::string damaged = state.bytes();
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const auto restored = Make(Options(GetParam()), 99);
    StateReader reader(damaged);
    StateReader segment(rows.bytes());
    Status status = restored->RestoreState(reader);
    if (status.ok()) status = restored->RestoreRows(segment);
    if (status.ok()) status = restored->FinishRestore();
    if (status.ok()) {
      restored->CheckInvariants();
    } else {
      ASSERT_TRUE(absl::IsDataLoss(status)) << i;
    }
  }
}

TEST(LocalReplayOfGamesTest, TheirSelectorsAreCountedInTheBytes) {
  const auto bytes = [](const std::string& selector, int games) {
    return LocalReplay::ExpectedBytes(Options(selector, games), NamedFrames(2), kStreams);
  };
  EXPECT_EQ(bytes("prioritized", 3) - bytes("prioritized", 1), 400 * (2 * 16 + 2));
  EXPECT_EQ(bytes("queue", 3), bytes("queue", 1));
}

// The first priority comes from the errors of the actor's values, within the game.
TEST(LocalReplayOfGamesTest, InitialPrioritiesAreTheTransitionsOwn) {
  LocalReplayOptions options = Options("prioritized", 2);
  options.transition.n_step = 1;
  options.selector.initial_priorities = true;
  options.selector.priority_exponent = 1;
  const auto replay = Make(options);
  for (int stream = 0; stream < 2; ++stream) {
    const float scale = stream == 1 ? 1000 : 1;
    for (int k = 0; k < 4; ++k) {
      NamedRow row{.name = {stream, k + 1}, .game = stream};
      row.time_step = {k == 0 ? StepType::kFirst : StepType::kMid, 0, 1};
      if (k == 3) row.time_step = {StepType::kLast, 0, 0};
      row.values = {.taken = scale * static_cast<float>(k + 1), .best = 0};
      ASSERT_TRUE(replay->Insert(stream, row.row()).ok());
    }
  }
  TransitionBatch batch;
  ASSERT_TRUE(replay->Sample(200, batch).ok());
  for (std::size_t i = 0; i < 200; ++i) {
    const auto k = static_cast<double>(batch.keys[i] / kStreams);
    EXPECT_NEAR(batch.probabilities[i], (k + 1) / 12, 1e-6);
  }
}

// Environments step together, so that games come to the queue in equal parts.
TEST(LocalReplayOfGamesTest, AQueueHasEqualPartsOfEnvironmentsInLockstep) {
  LocalReplayOptions options = Options("queue");
  options.capacity = 2000;
  options.transition.n_step = 1;
  const auto replay = Make(options);
  Lockstep streams;
  TransitionBatch batch;
  std::array<int, kGames> total{};
  for (int step = 0; step < 1000; ++step) {
    streams.Insert(*replay);
    while (replay->CanSample()) {
      ASSERT_TRUE(replay->Sample(8, batch).ok());
      const auto counts = CountGames(batch);
      for (std::size_t game = 0; game < kGames; ++game) total[game] += counts[game];
    }
  }
  // Two of the four streams are the first game's. A minibatch may be on its way.
  EXPECT_NEAR(total[0], 2 * total[1], 8);
  EXPECT_NEAR(total[1], total[2], 8);
  EXPECT_GT(total[2], 900);
}

}  // namespace
}  // namespace gorila
