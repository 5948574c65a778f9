// A local replay that serves unrolls: each row once, in order; a part drawn again; over a
// checkpoint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "gorila/replay/local_replay.h"
#include "gorila/replay/unroll_testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;

constexpr int kStreams = 3;
constexpr int kMinibatch = 4;

struct Shape {
  int unroll;
  int stack;
  FrameCompression compression = FrameCompression::kNone;
  double share = 0;
};

class LocalReplayUnrollTest : public testing::TestWithParam<Shape> {
 protected:
  static LocalReplayOptions Options() {
    return {
        .capacity = 900,
        .transition = {.unroll = GetParam().unroll, .discount = 0.9},
        .selector = {.name = "queue", .minibatch = kMinibatch, .replayed_share = GetParam().share},
        .frames = {.compression = GetParam().compression}};
  }
  static std::unique_ptr<LocalReplay> Make(std::uint64_t seed = 3) {
    return LocalReplay::Make(Options(), NamedFrames(GetParam().stack), kStreams, RandomStream(seed))
        .value();
  }
  static std::size_t Fresh() { return FreshOf(Options().selector, kMinibatch); }
};

TEST_P(LocalReplayUnrollTest, DrawsEveryRowOnceInOrderAndAgainOnlyWhatWasDrawn) {
  RandomEpisodes episodes(kStreams, 11);
  const auto replay = Make();
  std::vector<std::vector<NamedRow>> rows(kStreams);
  std::set<FrameName> drawn;
  std::vector<std::int32_t> next(kStreams, 1);
  TransitionBatch batch;
  for (int step = 0; step < 5000; ++step) {
    const NamedRow row = WithProbability(episodes.Next());
    ASSERT_TRUE(replay->Insert(row.name.stream, row.row()).ok());
    rows[static_cast<std::size_t>(row.name.stream)].push_back(row);
    while (replay->CanSample()) {
      ASSERT_TRUE(replay->Sample(kMinibatch, batch).ok());
      for (std::size_t i = 0; i < kMinibatch; ++i) {
        const Unroll got = UnrollFromBatch(batch, i, GetParam().stack);
        const FrameName name = got.states.front().back();
        const auto stream = static_cast<std::size_t>(name.stream);
        ExpectSame(got, UnrollOf(rows[stream], static_cast<std::size_t>(name.number - 1),
                                 Options().transition, GetParam().stack));
        if (i >= Fresh()) {
          ASSERT_TRUE(drawn.contains(name));
          continue;
        }
        ASSERT_EQ(name.number, next[stream]) << "none is left out";
        next[stream] += GetParam().unroll;
        drawn.insert(name);
      }
    }
    if (step % 50 == 0) replay->CheckInvariants();
  }
  EXPECT_GT(drawn.size() * static_cast<std::size_t>(GetParam().unroll), 4500U);
}

TEST_P(LocalReplayUnrollTest, ARestoredReplayDrawsWhatTheSavedOneWouldHave) {
  RandomEpisodes episodes(kStreams, 12);
  const auto replay = Make();
  TransitionBatch batch;
  StateWriter rows;
  for (int step = 0; step < 2000; ++step) {
    const NamedRow row = WithProbability(episodes.Next());
    ASSERT_TRUE(replay->Insert(row.name.stream, row.row()).ok());
    while (replay->CanSample()) ASSERT_TRUE(replay->Sample(kMinibatch, batch).ok());
  }
  StateWriter state;
  replay->SaveState(state);
  while (replay->SaveNewRows(1 << 20, rows)) {
  }
  const auto restored = Make(99);
  StateReader state_reader(state.bytes());
  StateReader rows_reader(rows.bytes());
  ASSERT_EQ(restored->RestoreState(state_reader), OkStatus());
  ASSERT_EQ(restored->RestoreRows(rows_reader), OkStatus());
  ASSERT_EQ(restored->FinishRestore(), OkStatus());
  TransitionBatch other;
  int samples = 0;
  for (int step = 0; step < 1500; ++step) {
    const NamedRow row = WithProbability(episodes.Next());
    ASSERT_TRUE(replay->Insert(row.name.stream, row.row()).ok());
    ASSERT_TRUE(restored->Insert(row.name.stream, row.row()).ok());
    ASSERT_EQ(restored->CanSample(), replay->CanSample());
    if (!replay->CanSample()) continue;
    ++samples;
    ASSERT_TRUE(replay->Sample(kMinibatch, batch).ok());
    ASSERT_TRUE(restored->Sample(kMinibatch, other).ok());
    ASSERT_EQ(other.keys, batch.keys);
    ASSERT_EQ(other.s_tm1, batch.s_tm1);
    ASSERT_EQ(other.log_mu, batch.log_mu);
  }
  EXPECT_GT(samples, 5);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LocalReplayUnrollTest,
                         testing::Values(Shape{1, 1}, Shape{5, 4}, Shape{20, 3},
                                         Shape{5, 4, FrameCompression::kZstd},
                                         Shape{5, 1, FrameCompression::kNone, 0.5},
                                         Shape{20, 4, FrameCompression::kZstd, 0.75}),
                         [](const auto& info) {
                           return fmt::format(
                               "T{}Stack{}{}{}", info.param.unroll, info.param.stack,
                               info.param.compression == FrameCompression::kZstd ? "Zstd" : "",
                               info.param.share > 0 ? "Replayed" : "");
                         });

TEST(LocalReplayUnrollTest, SaysWhatIsInTheQueueAndWhatItNeeds) {
  LocalReplayOptions options{
      .capacity = 300, .transition = {.unroll = 10}, .selector = {.name = "queue", .minibatch = 8}};
  const auto message = [&] {
    const auto replay = LocalReplay::Make(options, NamedFrames(1), 1, RandomStream(3));
    TransitionBatch batch;
    return std::string(replay.ok() ? (*replay)->Sample(8, batch).message()
                                   : replay.status().message());
  };
  EXPECT_EQ(message(), "replay: 0 unrolls in the queue; expected 8 for a minibatch");
  options.selector.replayed_share = 0.5;
  EXPECT_EQ(message(), "replay: 0 unrolls in the queue; expected 4 for a minibatch");
  options.capacity = 51;
  EXPECT_THAT(message(), HasSubstr("expected at least 52 with replay.selector queue (40 for the 4 "
                                   "of a minibatch + unroll 10 + stack 1 + 1"));
}

}  // namespace
}  // namespace gorila
