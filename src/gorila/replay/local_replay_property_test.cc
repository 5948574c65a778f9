// Random episodes through a small replay, so that everything wraps many times, against a model that
// keeps every row and applies the definition of an n-step transition; frames uncompressed,
// compressed, and compressed in too little memory for the capacity.
#include <gtest/gtest.h>

#include <set>

#include "gorila/replay/local_replay.h"
#include "gorila/replay/testing.h"

namespace gorila {
namespace {

using testing_replay::FrameName;
using testing_replay::FromBatch;
using testing_replay::NamedFrames;
using testing_replay::RandomEpisodes;
using testing_replay::ReplayModel;
using testing_replay::Transition;

constexpr int kStreams = 3;

struct Shape {
  int n_step;
  int stack;
  double reward_clip;
  FrameStorageOptions frames = {};

  bool tight() const { return frames.compressed_frame_bytes > 0; }
};

constexpr FrameStorageOptions kZstd{.compression = FrameCompression::kZstd};
// A packed frame of 8 bytes has 17.
constexpr FrameStorageOptions kTight{.compression = FrameCompression::kZstd,
                                     .compressed_frame_bytes = 10};

class LocalReplayPropertyTest : public testing::TestWithParam<Shape> {
 protected:
  LocalReplayPropertyTest()
      : options_{.capacity = GetParam().tight() ? 300 : 91,  // 100 or 30 rows a stream
                 .transition = {.n_step = GetParam().n_step,
                                .discount = 0.9,
                                .reward_clip = GetParam().reward_clip},
                 .rate = {.updates_per_step = 1e9, .min_size = 0},
                 .frames = GetParam().frames},
        replay_(
            LocalReplay::Make(options_, NamedFrames(GetParam().stack), kStreams, RandomStream(17))
                .value()),
        model_(options_, GetParam().stack, kStreams) {}

  // Draws so many that all transitions are among them, and compares each.
  void CompareSamples() {
    const std::map<FrameName, Transition> expected = model_.Transitions();
    const std::int64_t transitions = replay_->Size().transitions;
    if (GetParam().tight()) {
      ASSERT_LE(transitions, static_cast<std::int64_t>(expected.size()));
    } else {
      ASSERT_EQ(transitions, static_cast<std::int64_t>(expected.size()));
    }
    if (transitions == 0) return;
    const int draws = 16 * static_cast<int>(transitions);
    ASSERT_TRUE(replay_->Sample(draws, batch_).ok());
    std::map<FrameName, std::uint64_t> keys;
    for (std::size_t i = 0; i < static_cast<std::size_t>(draws); ++i) {
      const Transition got = FromBatch(batch_, i, GetParam().stack);
      const FrameName start = got.s_tm1.back();
      const auto found = expected.find(start);
      ASSERT_NE(found, expected.end()) << start.stream << " " << start.number;
      const Transition& want = found->second;
      ASSERT_EQ(got.s_tm1, want.s_tm1);
      ASSERT_EQ(got.s_t, want.s_t);
      ASSERT_EQ(got.a_tm1, want.a_tm1);
      ASSERT_EQ(got.a_t, want.a_t);
      ASSERT_NEAR(got.r_t, want.r_t, 1e-6 * (1 + std::abs(want.r_t)));
      ASSERT_NEAR(got.discount_t, want.discount_t, 1e-7);
      ASSERT_EQ(keys.emplace(start, batch_.keys[i]).first->second, batch_.keys[i]);
    }
    ASSERT_EQ(static_cast<std::int64_t>(keys.size()), transitions)
        << "transitions that were never drawn";
    std::set<std::uint64_t> distinct;
    for (const auto& [start, key] : keys) distinct.insert(key);
    ASSERT_EQ(distinct.size(), keys.size()) << "transitions with the same key";
  }

  const LocalReplayOptions options_;
  const std::unique_ptr<LocalReplay> replay_;
  ReplayModel model_;
  TransitionBatch batch_;
};

TEST_P(LocalReplayPropertyTest, DrawsExactlyTheCompleteLivingTransitions) {
  RandomEpisodes episodes(kStreams, 23);
  for (int inserted = 1; inserted <= 1200; ++inserted) {
    const auto row = episodes.Next();
    ASSERT_TRUE(replay_->Insert(row.name.stream, row.row()).ok());
    model_.Insert(row);
    replay_->CheckInvariants();
    if (inserted % 20 == 0) {
      CompareSamples();
      ASSERT_FALSE(HasFatalFailure()) << "after " << inserted << " rows";
    }
  }
  const ReplaySize size = replay_->Size();
  if (GetParam().tight()) {
    EXPECT_GT(size.rows, size.capacity / 2);
    EXPECT_LT(size.rows, size.capacity * 2 / 3);
  } else {
    EXPECT_EQ(size.rows, size.capacity);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, LocalReplayPropertyTest,
    testing::Values(Shape{1, 1, 0}, Shape{3, 1, 0}, Shape{5, 1, 1}, Shape{1, 4, 1}, Shape{3, 4, 0},
                    Shape{5, 4, 0}, Shape{1, 1, 0, kZstd}, Shape{1, 4, 0, kZstd},
                    Shape{5, 4, 0, kZstd}, Shape{1, 4, 0, kTight}, Shape{3, 1, 0, kTight}),
    [](const auto& info) {
      const bool zstd = info.param.frames.compression == FrameCompression::kZstd;
      return "NStep" + std::to_string(info.param.n_step) + "Stack" +
             std::to_string(info.param.stack) +
             (info.param.tight() ? "Tight"
              : zstd             ? "Zstd"
                                 : "");
    });

}  // namespace
}  // namespace gorila
