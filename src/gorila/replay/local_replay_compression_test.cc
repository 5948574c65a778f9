// Replays of compressed frames against one of the same rows that does not compress.
#include <gtest/gtest.h>

#include "gorila/replay/local_replay.h"
#include "gorila/replay/testing.h"

namespace gorila {
namespace {

using testing_replay::Pictures;
using testing_replay::RandomEpisodes;

constexpr int kStreams = 2;
constexpr int kStack = 3;

LocalReplayOptions Options(FrameCompression compression, std::int64_t frame_bytes = 0) {
  return {.capacity = 700,
          .transition = {.n_step = 2, .discount = 0.9},
          .rate = {.updates_per_step = 1, .min_size = 20},
          .frames = {.compression = compression, .compressed_frame_bytes = frame_bytes}};
}

std::unique_ptr<LocalReplay> Make(const LocalReplayOptions& options, std::uint64_t seed = 1) {
  return LocalReplay::Make(options, Pictures::Spec(kStack), kStreams, RandomStream(seed)).value();
}

// Rows of random episodes with pictures for frames.
class Source {
 public:
  void InsertInto(const std::vector<LocalReplay*>& replays) {
    const auto row = episodes_.Next();
    const std::vector<std::byte> frame = pictures_.Next();
    for (LocalReplay* replay : replays) {
      ASSERT_TRUE(replay
                      ->Insert(row.name.stream,
                               {.frame = frame, .time_step = row.time_step, .action = row.action})
                      .ok());
    }
  }

 private:
  RandomEpisodes episodes_{kStreams, 3};
  Pictures pictures_{4};
};

void ExpectSameSample(LocalReplay& a, LocalReplay& b) {
  ASSERT_EQ(a.CanSample(), b.CanSample());
  if (!a.CanSample()) return;
  TransitionBatch from_a;
  TransitionBatch from_b;
  ASSERT_TRUE(a.Sample(8, from_a).ok());
  ASSERT_TRUE(b.Sample(8, from_b).ok());
  ASSERT_EQ(from_a.keys, from_b.keys);
  ASSERT_EQ(from_a.s_tm1, from_b.s_tm1);
  ASSERT_EQ(from_a.s_t, from_b.s_t);
}

TEST(LocalReplayCompressionTest, SamplesAreThoseOfAReplayThatDoesNotCompress) {
  // Enough for the rows before there is a dictionary, which hardly become smaller.
  const auto plain = Make(Options(FrameCompression::kNone));
  const auto packed = Make(Options(FrameCompression::kZstd, 850));
  Source source;
  for (int inserted = 0; inserted < 3000; ++inserted) {
    ASSERT_NO_FATAL_FAILURE(source.InsertInto({plain.get(), packed.get()}));
    ASSERT_NO_FATAL_FAILURE(ExpectSameSample(*plain, *packed)) << inserted;
  }
  packed->CheckInvariants();
  EXPECT_EQ(plain->Size().rows, 700);
  EXPECT_EQ(packed->Size().rows, 700);
  EXPECT_EQ(plain->FrameBytes(), 700 * static_cast<std::int64_t>(Pictures::kBytes));
  EXPECT_LT(packed->FrameBytes(), plain->FrameBytes() / 8);
}

// Room for few rows at first, and for all once there is a dictionary. Which rows make room depends
// on how many bytes each takes, so a resumed replay must pack them as before.
TEST(LocalReplayCompressionTest, AResumedReplayDropsTheSameRows) {
  const LocalReplayOptions options = Options(FrameCompression::kZstd, 100);
  const auto uninterrupted = Make(options);
  auto resumed = Make(options);
  Source source;
  std::vector<std::string> segments;
  std::int64_t fewest = 700;
  std::int64_t most = 0;
  for (int inserted = 1; inserted <= 2500; ++inserted) {
    ASSERT_NO_FATAL_FAILURE(source.InsertInto({uninterrupted.get(), resumed.get()}));
    if (inserted % 97 == 0) {
      for (StateWriter rows; resumed->SaveNewRows(1 << 20, rows); rows = StateWriter()) {
        segments.push_back(rows.Take());
      }
      StateWriter state;
      resumed->SaveState(state);
      resumed = Make(options, 99);
      StateReader reader(state.bytes());
      ASSERT_TRUE(resumed->RestoreState(reader).ok());
      ASSERT_TRUE(reader.Finish().ok());
      for (const std::string& segment : segments) {
        StateReader rows(segment);
        ASSERT_TRUE(resumed->RestoreRows(rows).ok());
      }
      ASSERT_TRUE(resumed->FinishRestore().ok());
      resumed->CheckInvariants();
    }
    const std::int64_t rows = uninterrupted->Size().rows;
    ASSERT_EQ(resumed->Size().rows, rows) << inserted;
    ASSERT_EQ(resumed->FrameBytes(), uninterrupted->FrameBytes()) << inserted;
    ASSERT_NO_FATAL_FAILURE(ExpectSameSample(*uninterrupted, *resumed)) << inserted;
    if (inserted == 400) fewest = rows;
    most = rows;
  }
  EXPECT_LT(fewest, 200);
  EXPECT_EQ(most, 700);
}

}  // namespace
}  // namespace gorila
