#include "gorila/replay/local_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "gorila/replay/testing.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_replay::FrameName;
using testing_replay::FromBatch;
using testing_replay::NamedFrames;
using testing_replay::NamedRow;
using testing_replay::Transition;

constexpr double kUnlimited = 1e9;

LocalReplayOptions Options(int n_step, double discount) {
  return {.capacity = 100,
          .transition = {.n_step = n_step, .discount = discount},
          .rate = {.updates_per_step = kUnlimited, .min_size = 0}};
}

std::unique_ptr<LocalReplay> Make(const LocalReplayOptions& options, int stack = 1,
                                  int streams = 1) {
  return LocalReplay::Make(options, NamedFrames(stack), streams, RandomStream(3)).value();
}

// A stream's next rows: an episode whose row k has action 10 + k and these rewards from row 1 on.
void InsertEpisode(LocalReplay& replay, std::vector<float> rewards, float last_discount,
                   int stream = 0) {
  static int number = 0;
  for (std::size_t k = 0; k <= rewards.size(); ++k) {
    NamedRow row{.name = {stream, ++number}, .action = 10 + static_cast<int>(k)};
    if (k > 0) row.time_step = {StepType::kMid, rewards[k - 1], 1};
    if (k == rewards.size()) row.time_step = {StepType::kLast, rewards[k - 1], last_discount};
    ASSERT_TRUE(replay.Insert(stream, row.row()).ok());
  }
}

// All transitions by the action they start with.
std::map<int, Transition> All(LocalReplay& replay, int stack = 1) {
  TransitionBatch batch;
  EXPECT_TRUE(replay.Sample(500, batch).ok());
  std::map<int, Transition> all;
  for (std::size_t i = 0; i < 500; ++i) {
    all[batch.a_tm1[i]] = FromBatch(batch, i, stack);
  }
  return all;
}

TEST(LocalReplayTest, OneStepTransitionsOfATerminalEpisode) {
  const auto replay = Make(Options(1, 0.5));
  InsertEpisode(*replay, {1, 2, 4}, /*last_discount=*/0);
  auto all = All(*replay);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[10].r_t, 1);
  EXPECT_EQ(all[11].r_t, 2);
  EXPECT_EQ(all[12].r_t, 4);
  EXPECT_EQ(all[10].discount_t, 0.5);
  EXPECT_EQ(all[11].discount_t, 0.5);
  EXPECT_EQ(all[12].discount_t, 0);
  EXPECT_EQ(all[10].s_t, all[11].s_tm1);
  EXPECT_EQ(all[11].s_t, all[12].s_tm1);
}

TEST(LocalReplayTest, ATimeLimitIsNoTerminal) {
  const auto replay = Make(Options(1, 0.5));
  InsertEpisode(*replay, {1, 2}, /*last_discount=*/1);
  auto all = All(*replay);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[11].discount_t, 0.5) << "the state at the limit still has a value";
}

TEST(LocalReplayTest, ThreeStepReturnsAreCutAtTheTerminal) {
  const auto replay = Make(Options(3, 0.5));
  InsertEpisode(*replay, {1, 2, 4, 8}, /*last_discount=*/0);
  auto all = All(*replay);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[10].r_t, 1 + 0.5 * 2 + 0.25 * 4);
  EXPECT_EQ(all[10].discount_t, 0.125);
  EXPECT_EQ(all[11].r_t, 2 + 0.5 * 4 + 0.25 * 8);
  EXPECT_EQ(all[11].discount_t, 0);
  EXPECT_EQ(all[12].r_t, 4 + 0.5 * 8);
  EXPECT_EQ(all[12].discount_t, 0);
  EXPECT_EQ(all[13].r_t, 8);
  EXPECT_EQ(all[13].discount_t, 0);
}

TEST(LocalReplayTest, ThreeStepReturnsBeforeATimeLimitBootstrapFromItsState) {
  const auto replay = Make(Options(3, 0.5));
  InsertEpisode(*replay, {1, 2, 4, 8}, /*last_discount=*/1);
  auto all = All(*replay);
  EXPECT_EQ(all[11].discount_t, 0.125);
  EXPECT_EQ(all[12].discount_t, 0.25);
  EXPECT_EQ(all[13].discount_t, 0.5);
  EXPECT_EQ(all[12].s_t, all[13].s_t);
}

TEST(LocalReplayTest, ClipsEachStepsReward) {
  LocalReplayOptions options = Options(3, 0.5);
  options.transition.reward_clip = 1;
  const auto replay = Make(options);
  InsertEpisode(*replay, {100, -0.5, -7}, /*last_discount=*/0);
  auto all = All(*replay);
  EXPECT_EQ(all[10].r_t, 1 - 0.5 * 0.5 - 0.25 * 1);
}

TEST(LocalReplayTest, ATransitionCanBeDrawnOnceItsNthNextRowIsThere) {
  const auto replay = Make(Options(3, 0.9));
  NamedRow row{.name = {0, 1}};
  ASSERT_TRUE(replay->Insert(0, row.row()).ok());
  row.time_step.step_type = StepType::kMid;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(replay->Insert(0, row.row()).ok());
    EXPECT_EQ(replay->Size().transitions, 0);
    EXPECT_FALSE(replay->CanSample());
  }
  ASSERT_TRUE(replay->Insert(0, row.row()).ok());
  EXPECT_EQ(replay->Size().transitions, 1);
  EXPECT_TRUE(replay->CanSample());
}

TEST(LocalReplayTest, SizeCountsAllStreams) {
  LocalReplayOptions options = Options(1, 0.9);
  options.capacity = 32;
  const auto replay = Make(options, 1, 3);
  InsertEpisode(*replay, {1, 1, 1}, 0, 0);
  InsertEpisode(*replay, {1, 1}, 0, 2);
  EXPECT_EQ(replay->Size().rows, 7);
  EXPECT_EQ(replay->Size().transitions, 5);
  EXPECT_EQ(replay->Size().capacity, 30) << "rounded down to a multiple of the streams";
}

TEST(LocalReplayTest, OnlyDecisionsCountAsInsertedExperience) {
  const auto replay = Make(Options(1, 0.9));
  InsertEpisode(*replay, {1, 1, 1}, 0);
  EXPECT_EQ(replay->limiter().inserted(), 3);
}

TEST(LocalReplayTest, SamplesOnlyAsFastAsTheRateLimiterAllows) {
  LocalReplayOptions options = Options(1, 0.9);
  options.rate = {.updates_per_step = 0.5, .min_size = 4};
  const auto replay = Make(options);
  InsertEpisode(*replay, {1, 1, 1}, 0);
  TransitionBatch batch;
  batch.size = 77;
  const Status early = replay->Sample(2, batch);
  EXPECT_EQ(early.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(early.message()), HasSubstr("3 time steps inserted"));
  EXPECT_EQ(batch.size, 77);
  InsertEpisode(*replay, {1, 1}, 0);
  EXPECT_TRUE(replay->Sample(2, batch).ok());
  EXPECT_FALSE(replay->CanSample()) << "half an update a step: the next one at 6 steps";
  InsertEpisode(*replay, {1}, 0);
  EXPECT_TRUE(replay->Sample(2, batch).ok());
  EXPECT_EQ(batch.size, 2);
}

TEST(LocalReplayTest, ABatchHasOneOfEverythingForEachTransition) {
  const auto replay = Make(Options(1, 0.9), /*stack=*/4);
  InsertEpisode(*replay, {1, 1, 1, 1, 1}, 0);
  TransitionBatch batch;
  for (const std::size_t size : {7u, 2u}) {  // a buffer may shrink too
    ASSERT_TRUE(replay->Sample(static_cast<int>(size), batch).ok());
    EXPECT_EQ(batch.s_tm1.size(), size * 4 * sizeof(FrameName));
    EXPECT_EQ(batch.s_t.size(), size * 4 * sizeof(FrameName));
    EXPECT_EQ(batch.a_tm1.size(), size);
    EXPECT_EQ(batch.r_t.size(), size);
    EXPECT_EQ(batch.discount_t.size(), size);
    EXPECT_EQ(batch.keys.size(), size);
    EXPECT_EQ(batch.probabilities, std::vector<double>(size, 0.2));
  }
}

TEST(LocalReplayTest, DrawsInProportionToTheErrorsItWasTold) {
  LocalReplayOptions options = Options(1, 0.9);
  options.selector = {.name = "prioritized", .priority_exponent = 1};
  const auto replay = Make(options);
  InsertEpisode(*replay, {1, 1, 1}, 0);
  TransitionBatch batch;
  ASSERT_TRUE(replay->Sample(64, batch).ok());
  std::vector<float> errors;
  for (const int action : batch.a_tm1) errors.push_back(action == 11 ? 6 : 1);
  ASSERT_TRUE(replay->UpdatePriorities(batch, errors).ok());
  ASSERT_TRUE(replay->Sample(4000, batch).ok());
  int drawn = 0;
  for (std::size_t i = 0; i < batch.a_tm1.size(); ++i) {
    EXPECT_NEAR(batch.probabilities[i], batch.a_tm1[i] == 11 ? 0.75 : 0.125, 1e-5);
    if (batch.a_tm1[i] == 11) ++drawn;
  }
  EXPECT_NEAR(drawn, 3000, 5 * std::sqrt(4000 * 0.75 * 0.25));
}

TEST(LocalReplayTest, PrioritiesOfTransitionsThatAreGoneArePassedOver) {
  LocalReplayOptions options = Options(1, 0.9);
  options.capacity = 6;
  options.selector.name = "prioritized";
  const auto replay = Make(options);
  InsertEpisode(*replay, {1, 1, 1}, 0);
  TransitionBatch batch;
  ASSERT_TRUE(replay->Sample(32, batch).ok());
  const TransitionBatch old = batch;
  for (int i = 0; i < 3; ++i) InsertEpisode(*replay, {1, 1}, 0);
  ASSERT_TRUE(replay->UpdatePriorities(old, std::vector<float>(32, 50)).ok());
  ASSERT_TRUE(replay->Sample(32, batch).ok());
  for (const double probability : batch.probabilities) EXPECT_EQ(probability, 0.25);
  replay->CheckInvariants();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(
      absl::IsInvalidArgument(replay->UpdatePriorities(batch, std::vector<float>(32, kNan))));
}

// An actor that was restored without its replay goes on in the middle of an episode.
TEST(LocalReplayTest, AnEpisodeWhoseBeginningIsUnknownGivesNoStackThatNeedsIt) {
  const auto replay = Make(Options(1, 0.9), /*stack=*/3);
  for (int number = 1; number <= 4; ++number) {
    const NamedRow row{.name = {0, number}, .time_step = {StepType::kMid, 0, 1}, .action = number};
    ASSERT_TRUE(replay->Insert(0, row.row()).ok());
  }
  replay->CheckInvariants();
  ASSERT_EQ(replay->Size().transitions, 1);
  auto all = All(*replay, 3);
  EXPECT_THAT(all[3].s_tm1, ElementsAre(FrameName{0, 1}, FrameName{0, 2}, FrameName{0, 3}));
}

TEST(LocalReplayTest, RefusesRowsThatDoNotBelong) {
  const auto replay = Make(Options(1, 0.9), 1, 2);
  const NamedRow first{.name = {0, 1}};
  EXPECT_THAT(std::string(replay->Insert(2, first.row()).message()),
              HasSubstr("stream 2 is not in 0..1"));
  EXPECT_TRUE(absl::IsInvalidArgument(replay->Insert(-1, first.row())));
  ASSERT_TRUE(replay->Insert(1, first.row()).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(replay->Insert(1, first.row()))) << "a first after a first";
  EXPECT_EQ(replay->Size().rows, 1);
}

TEST(LocalReplayTest, RefusesACapacityThatHoldsNoTransition) {
  LocalReplayOptions options = Options(3, 0.9);
  const auto make = [&](std::int64_t capacity) {
    options.capacity = capacity;
    return LocalReplay::Make(options, NamedFrames(4), 2, RandomStream(1)).status();
  };
  EXPECT_TRUE(make(16).ok());
  const Status status = make(15);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("replay.capacity is 15"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("at least 16"));
}

TEST(LocalReplayTest, RefusesAMinimumSizeThatIsNeverReached) {
  LocalReplayOptions options = Options(1, 0.9);
  options.rate.min_size = 101;
  const Status status = LocalReplay::Make(options, NamedFrames(1), 1, RandomStream(1)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("replay.min_size is 101"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("replay.capacity, 100"));
}

TEST(LocalReplayTest, ExpectedBytesGrowWithCapacityAndFrame) {
  LocalReplayOptions options = Options(1, 0.9);
  const ObservationSpec atari{.height = 84, .width = 84, .stack = 4};
  options.capacity = 1000;
  const std::int64_t bytes = LocalReplay::ExpectedBytes(options, atari, 1);
  EXPECT_GE(bytes, 1000 * 84 * 84) << "every frame once";
  EXPECT_LE(bytes, 1000 * (84 * 84 + 64)) << "and little else";
  options.capacity = 3000;
  EXPECT_EQ(LocalReplay::ExpectedBytes(options, atari, 1), 3 * bytes);
}

TEST(LocalReplayTest, AMillionCompressedFramesAreExpectedToTakeLessThanAGibibyte) {
  LocalReplayOptions options = Options(1, 0.9);
  const ObservationSpec atari{.height = 84, .width = 84, .stack = 4};
  options.capacity = 1000000;
  options.frames.compression = FrameCompression::kZstd;
  for (const char* selector : {"uniform", "prioritized"}) {
    options.selector.name = selector;
    EXPECT_LE(LocalReplay::ExpectedBytes(options, atari, 8), std::int64_t{1} << 30) << selector;
  }
  EXPECT_GE(LocalReplay::ExpectedBytes(options, atari, 8), 1000000 * (84 * 84 / 8 + 32));
  options.frames.compressed_frame_bytes = 300;
  EXPECT_LE(LocalReplay::ExpectedBytes(options, atari, 8), 1000000 * (300 + 64));
}

}  // namespace
}  // namespace gorila
