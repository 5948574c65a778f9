// With the selector queue: every transition once, in order, also over a checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/replay/local_replay.h"
#include "gorila/replay/testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using testing_replay::FrameName;
using testing_replay::FromBatch;
using testing_replay::NamedFrames;
using testing_replay::NamedRow;
using testing_replay::RandomEpisodes;
using testing_replay::ReplayModel;

constexpr int kStreams = 3;
constexpr int kMinibatch = 5;

LocalReplayOptions Options(int n_step) {
  return {.capacity = 60,
          .transition = {.n_step = n_step, .discount = 0.9},
          .selector = {.name = "queue", .minibatch = kMinibatch}};
}

std::unique_ptr<LocalReplay> Make(int n_step, int stack) {
  return LocalReplay::Make(Options(n_step), NamedFrames(stack), kStreams, RandomStream(3)).value();
}

class LocalReplayQueueTest : public testing::TestWithParam<std::tuple<int, int>> {
 protected:
  int n_step() const { return std::get<0>(GetParam()); }
  int stack() const { return std::get<1>(GetParam()); }
};

// Against the model of what is complete: after each row the transitions that it completed join the
// queue, and what is drawn is its front.
TEST_P(LocalReplayQueueTest, DrawsEveryCompleteTransitionOnceInOrderOfArrival) {
  RandomEpisodes episodes(kStreams, 11);
  const auto replay = Make(n_step(), stack());
  ReplayModel model(Options(n_step()), stack(), kStreams);
  std::map<FrameName, int> drawn;
  std::vector<FrameName> last(kStreams);
  std::int64_t inserted = 0;
  TransitionBatch batch;
  for (int step = 0; step < 4000; ++step) {
    const NamedRow row = episodes.Next();
    ASSERT_TRUE(replay->Insert(row.name.stream, row.row()).ok());
    model.Insert(row);
    ++inserted;
    const auto complete = model.Transitions();
    while (replay->CanSample()) {
      ASSERT_TRUE(replay->Sample(kMinibatch, batch).ok());
      for (std::size_t i = 0; i < kMinibatch; ++i) {
        const auto got = FromBatch(batch, i, stack());
        const FrameName name = got.s_tm1.back();
        ASSERT_EQ(++drawn[name], 1) << "drawn twice";
        ASSERT_TRUE(last[static_cast<std::size_t>(name.stream)] < name) << "out of order";
        last[static_cast<std::size_t>(name.stream)] = name;
        const auto want = complete.find(name);
        ASSERT_NE(want, complete.end());
        ASSERT_EQ(got.a_tm1, want->second.a_tm1);
        ASSERT_EQ(got.a_t, want->second.a_t);
        ASSERT_EQ(got.s_t, want->second.s_t);
        ASSERT_EQ(batch.probabilities[i], 1);
      }
    }
    replay->CheckInvariants();
    // Nothing complete is left out: what was not drawn is in the queue.
    std::size_t waiting = 0;
    for (const auto& [name, transition] : complete) waiting += drawn.contains(name) ? 0 : 1;
    ASSERT_EQ(static_cast<std::size_t>(replay->Size().transitions), waiting);
    ASSERT_LT(waiting, static_cast<std::size_t>(kMinibatch));
  }
  EXPECT_GT(drawn.size(), static_cast<std::size_t>(inserted) / 2);
}

TEST_P(LocalReplayQueueTest, ARestoredReplayDrawsWhatTheSavedOneWouldHave) {
  RandomEpisodes episodes(kStreams, 12);
  const auto replay = Make(n_step(), stack());
  TransitionBatch batch;
  for (int step = 0; step < 500; ++step) {
    const NamedRow row = episodes.Next();
    ASSERT_TRUE(replay->Insert(row.name.stream, row.row()).ok());
    while (replay->CanSample()) ASSERT_TRUE(replay->Sample(kMinibatch, batch).ok());
  }
  StateWriter state;
  replay->SaveState(state);
  StateWriter rows;
  while (replay->SaveNewRows(1 << 20, rows)) {
  }
  const auto restored = Make(n_step(), stack());
  StateReader state_reader(state.bytes());
  ASSERT_TRUE(restored->RestoreState(state_reader).ok());
  StateReader rows_reader(rows.bytes());
  ASSERT_TRUE(restored->RestoreRows(rows_reader).ok());
  ASSERT_EQ(restored->FinishRestore(), OkStatus());
  for (int step = 0; step < 300; ++step) {
    const NamedRow row = episodes.Next();
    ASSERT_TRUE(replay->Insert(row.name.stream, row.row()).ok());
    ASSERT_TRUE(restored->Insert(row.name.stream, row.row()).ok());
    ASSERT_EQ(restored->CanSample(), replay->CanSample());
    if (!replay->CanSample()) continue;
    TransitionBatch other;
    ASSERT_TRUE(replay->Sample(kMinibatch, batch).ok());
    ASSERT_TRUE(restored->Sample(kMinibatch, other).ok());
    ASSERT_EQ(other.keys, batch.keys);
    ASSERT_EQ(other.s_t, batch.s_t);
  }
}

INSTANTIATE_TEST_SUITE_P(StepsAndStacks, LocalReplayQueueTest,
                         testing::Combine(testing::Values(1, 3), testing::Values(1, 4)));

TEST(LocalReplayQueueTest, WaitsForAWholeMinibatchAndSaysSo) {
  const auto replay = Make(1, 1);
  TransitionBatch batch;
  const Status status = replay->Sample(kMinibatch, batch);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("0 transitions in the queue; expected 5"));
}

TEST(LocalReplayQueueTest, TooLittleRoomForWhatWaitsIsRefused) {
  LocalReplayOptions options = Options(1);
  options.capacity = 20;
  const Status status =
      LocalReplay::Make(options, NamedFrames(1), kStreams, RandomStream(3)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("replay.capacity is 20"));
}

}  // namespace
}  // namespace gorila
