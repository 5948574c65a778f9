// A replay that was saved as a state and segments, and restored, goes on bit for bit; damaged parts
// are found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/replay/local_replay.h"
#include "gorila/replay/testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using testing_replay::NamedFrames;
using testing_replay::RandomEpisodes;

constexpr int kStreams = 3;

struct Kind {
  std::string selector = "uniform";
  FrameStorageOptions frames = {};
};
constexpr FrameStorageOptions kZstd{.compression = FrameCompression::kZstd};
// A packed frame of 8 bytes has 17: room for 35 rows a stream, not 40.
constexpr FrameStorageOptions kTight{.compression = FrameCompression::kZstd,
                                     .compressed_frame_bytes = 15};

LocalReplayOptions Options(const Kind& kind = {}) {
  return {.capacity = 120,
          .transition = {.n_step = 3, .discount = 0.9},
          .rate = {.updates_per_step = 0.7, .min_size = 20},
          .selector = {.name = kind.selector},
          .frames = kind.frames};
}

std::unique_ptr<LocalReplay> MakeReplay(std::uint64_t seed = 1, const Kind& kind = {}) {
  return LocalReplay::Make(Options(kind), NamedFrames(4), kStreams, RandomStream(seed)).value();
}

// What a run's checkpoints keep of one replay: the segments that may still be needed.
class Checkpoints {
 public:
  // `max_bytes` decides how many segments the new rows make.
  void Save(LocalReplay& replay, std::int64_t max_bytes) {
    StateWriter rows;
    while (replay.SaveNewRows(max_bytes, rows)) {
      segments_.push_back({rows.Take(), replay.SavedRanges()});
      rows = StateWriter();
    }
    const auto now = replay.SavedRanges();
    std::erase_if(segments_, [&](const Segment& segment) {
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (segment.after[i].saved_until > now[i].begin) return false;
      }
      return true;
    });
    StateWriter state;
    replay.SaveState(state);
    state_ = state.Take();
  }

  Status Restore(LocalReplay& replay) const {
    StateReader state(state_);
    GORILA_RETURN_IF_ERROR(replay.RestoreState(state));
    GORILA_RETURN_IF_ERROR(state.Finish());
    for (const Segment& segment : segments_) {
      StateReader rows(segment.bytes);
      GORILA_RETURN_IF_ERROR(replay.RestoreRows(rows));
    }
    return replay.FinishRestore();
  }

  std::string& state() { return state_; }
  std::string& segment(std::size_t i) { return segments_[i].bytes; }
  std::size_t segments() const { return segments_.size(); }
  void RemoveSegment(std::size_t i) {
    segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  void SwapSegments(std::size_t i, std::size_t j) { std::swap(segments_[i], segments_[j]); }

 private:
  struct Segment {
    std::string bytes;
    std::vector<LocalReplay::SavedRange> after;
  };
  std::string state_;
  std::vector<Segment> segments_;
};

void InsertRows(RandomEpisodes& episodes, int count, std::vector<LocalReplay*> replays) {
  for (int i = 0; i < count; ++i) {
    const auto row = episodes.Next();
    for (LocalReplay* replay : replays) {
      ASSERT_TRUE(replay->Insert(row.name.stream, row.row()).ok());
    }
  }
}

// TD errors that a learner might have seen in this batch.
std::vector<float> Errors(const TransitionBatch& batch) {
  std::vector<float> errors;
  for (const std::uint64_t key : batch.keys) errors.push_back(static_cast<float>(key % 7) / 3);
  return errors;
}

// Samples both as long as the rate limiter allows; every batch must be the same.
void ExpectSameSamples(LocalReplay& a, LocalReplay& b) {
  TransitionBatch from_a;
  TransitionBatch from_b;
  while (a.CanSample()) {
    ASSERT_TRUE(b.CanSample());
    ASSERT_TRUE(a.Sample(8, from_a).ok());
    ASSERT_TRUE(b.Sample(8, from_b).ok());
    ASSERT_EQ(from_a.keys, from_b.keys);
    ASSERT_EQ(from_a.s_tm1, from_b.s_tm1);
    ASSERT_EQ(from_a.a_tm1, from_b.a_tm1);
    ASSERT_EQ(from_a.a_t, from_b.a_t);
    ASSERT_EQ(from_a.r_t, from_b.r_t);
    ASSERT_EQ(from_a.discount_t, from_b.discount_t);
    ASSERT_EQ(from_a.s_t, from_b.s_t);
    ASSERT_EQ(from_a.probabilities, from_b.probabilities);
    ASSERT_TRUE(a.UpdatePriorities(from_a, Errors(from_a)).ok());
    ASSERT_TRUE(b.UpdatePriorities(from_b, Errors(from_b)).ok());
  }
  ASSERT_FALSE(b.CanSample());
}

// At random instants the copy is thrown away and restored into a new replay, which from then on is
// the one that is saved: a run that is resumed again and again.
class ResumedReplayTest : public testing::TestWithParam<Kind> {};

TEST_P(ResumedReplayTest, ARunThatIsResumedAgainAndAgainSamplesTheSame) {
  RandomStream random(7);
  RandomEpisodes episodes(kStreams, 29);
  const auto uninterrupted = MakeReplay(1, GetParam());
  auto resumed = MakeReplay(1, GetParam());
  Checkpoints checkpoints;
  std::size_t most_segments = 0;
  for (int round = 0; round < 150; ++round) {
    ASSERT_NO_FATAL_FAILURE(
        InsertRows(episodes, random.Integer(0, 25), {uninterrupted.get(), resumed.get()}));
    if (random.Integer(0, 3) > 0) {
      checkpoints.Save(*resumed, random.Integer(1, 400));
      most_segments = std::max(most_segments, checkpoints.segments());
    }
    if (random.Integer(0, 4) == 0) {
      checkpoints.Save(*resumed, random.Integer(1, 400));
      resumed = MakeReplay(1000 + static_cast<std::uint64_t>(round), GetParam());
      ASSERT_TRUE(checkpoints.Restore(*resumed).ok()) << "round " << round;
      resumed->CheckInvariants();
      ASSERT_EQ(resumed->Size().rows, uninterrupted->Size().rows);
    }
    ASSERT_NO_FATAL_FAILURE(ExpectSameSamples(*uninterrupted, *resumed)) << "round " << round;
  }
  EXPECT_GT(most_segments, 10u);
  EXPECT_GT(uninterrupted->limiter().sampled(), 500);
}

INSTANTIATE_TEST_SUITE_P(Kinds, ResumedReplayTest,
                         testing::Values(Kind{}, Kind{"prioritized"}, Kind{"uniform", kZstd},
                                         Kind{"prioritized", kTight}),
                         [](const auto& info) {
                           const bool zstd =
                               info.param.frames.compression == FrameCompression::kZstd;
                           return info.param.selector + (zstd ? "Zstd" : "");
                         });

// Compression is no part of what is learned from: with it, and after changing it, samples are the
// same.
TEST(LocalReplayCheckpointTest, RestoresIntoAnotherCompression) {
  RandomEpisodes episodes(kStreams, 41);
  const auto plain = MakeReplay();
  const auto packed = MakeReplay(1, {.frames = kZstd});
  ASSERT_NO_FATAL_FAILURE(InsertRows(episodes, 700, {plain.get(), packed.get()}));
  Checkpoints of_plain;
  of_plain.Save(*plain, 700);
  Checkpoints of_packed;
  of_packed.Save(*packed, 700);
  const auto now_packed = MakeReplay(2, {.frames = kZstd});
  ASSERT_TRUE(of_plain.Restore(*now_packed).ok());
  const auto now_plain = MakeReplay(2);
  ASSERT_TRUE(of_packed.Restore(*now_plain).ok());
  ASSERT_NO_FATAL_FAILURE(
      InsertRows(episodes, 300, {plain.get(), packed.get(), now_packed.get(), now_plain.get()}));
  now_packed->CheckInvariants();
  // The samples use the random stream up, so each pair has its own.
  ASSERT_NO_FATAL_FAILURE(ExpectSameSamples(*plain, *packed));
  ASSERT_NO_FATAL_FAILURE(ExpectSameSamples(*now_packed, *now_plain));
}

// What does not fit is dropped, oldest first, and what is left is whole.
TEST(LocalReplayCheckpointTest, RestoresIntoLessMemory) {
  RandomEpisodes episodes(kStreams, 43);
  const auto roomy = MakeReplay();
  ASSERT_NO_FATAL_FAILURE(InsertRows(episodes, 200, {roomy.get()}));
  Checkpoints checkpoints;
  checkpoints.Save(*roomy, 700);
  const auto tight = MakeReplay(1, {.frames = kTight});
  ASSERT_TRUE(checkpoints.Restore(*tight).ok());
  tight->CheckInvariants();
  EXPECT_EQ(roomy->Size().rows, 120);
  EXPECT_EQ(tight->Size().rows, 105);
  EXPECT_EQ(tight->SavedRanges()[0].saved_until, roomy->SavedRanges()[0].saved_until);
}

// The rows inserted after a checkpoint are of a future that a run resumed from it never has.
TEST(LocalReplayCheckpointTest, RestoresTheInstantOfTheSaveWhateverCameAfter) {
  RandomEpisodes episodes(kStreams, 3);
  const auto original = MakeReplay();
  ASSERT_NO_FATAL_FAILURE(InsertRows(episodes, 200, {original.get()}));
  Checkpoints checkpoints;
  checkpoints.Save(*original, 100);
  const auto first = MakeReplay(2);
  ASSERT_TRUE(checkpoints.Restore(*first).ok());
  ASSERT_NO_FATAL_FAILURE(InsertRows(episodes, 50, {original.get()}));
  TransitionBatch batch;
  ASSERT_TRUE(original->Sample(4, batch).ok());
  const auto second = MakeReplay(3);
  ASSERT_TRUE(checkpoints.Restore(*second).ok());
  ASSERT_NO_FATAL_FAILURE(ExpectSameSamples(*first, *second));
}

TEST(LocalReplayCheckpointTest, EveryRowIsSavedOnce) {
  RandomEpisodes episodes(kStreams, 31);
  const auto replay = MakeReplay();
  StateWriter writer;
  EXPECT_FALSE(replay->SaveNewRows(1 << 20, writer)) << "nothing was inserted";
  ASSERT_NO_FATAL_FAILURE(InsertRows(episodes, 60, {replay.get()}));
  EXPECT_TRUE(replay->SaveNewRows(1 << 20, writer));
  const std::size_t bytes = writer.bytes().size();
  EXPECT_GE(bytes, 60 * StreamStore::BytesPerRow(NamedFrames(4)));
  EXPECT_FALSE(replay->SaveNewRows(1 << 20, writer));
  EXPECT_EQ(writer.bytes().size(), bytes);
  ASSERT_NO_FATAL_FAILURE(InsertRows(episodes, 1, {replay.get()}));
  EXPECT_TRUE(replay->SaveNewRows(1 << 20, writer));
}

class DamagedReplayTest : public testing::TestWithParam<FrameStorageOptions> {
 protected:
  DamagedReplayTest() {
    RandomEpisodes episodes(kStreams, 37);
    const auto replay = MakeReplay(1, kind_);
    InsertRows(episodes, 150, {replay.get()});
    whole_.Save(*replay, 700);
  }

  Status Restore(const Checkpoints& checkpoints) {
    return checkpoints.Restore(*MakeReplay(99, kind_));
  }

  // A replay that came back in spite of the damage must at least be one that can be used.
  void ExpectDataLossOrUsable(const Checkpoints& damaged) {
    const auto replay = MakeReplay(99, kind_);
    const Status status = damaged.Restore(*replay);
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      return;
    }
    replay->CheckInvariants();
    TransitionBatch batch;
    if (replay->CanSample()) {
      EXPECT_TRUE(replay->Sample(50, batch).ok());
    }
  }

  static std::size_t PlainStateSize() {
    RandomEpisodes episodes(kStreams, 37);
    const auto replay = MakeReplay();
    InsertRows(episodes, 150, {replay.get()});
    StateWriter state;
    replay->SaveState(state);
    return state.bytes().size();
  }

  const Kind kind_{.frames = GetParam()};
  Checkpoints whole_;
};

INSTANTIATE_TEST_SUITE_P(Compressions, DamagedReplayTest,
                         testing::Values(FrameStorageOptions{}, kZstd), [](const auto& info) {
                           return info.param.compression == FrameCompression::kZstd ? "Zstd"
                                                                                    : "None";
                         });

TEST_P(DamagedReplayTest, TheUndamagedOneRestores) {
  EXPECT_GE(whole_.segments(), 4u);
  EXPECT_TRUE(Restore(whole_).ok());
}

TEST_P(DamagedReplayTest, ATruncatedStateIsDataLoss) {
  const std::size_t plain_state = PlainStateSize();
  for (std::size_t size = 0; size < whole_.state().size(); size += 3) {
    // Without what compression adds, it is the whole state of a replay that did not compress.
    if (size == plain_state) continue;
    Checkpoints damaged = whole_;
    damaged.state().resize(size);
    EXPECT_TRUE(absl::IsDataLoss(Restore(damaged))) << size;
  }
}

TEST_P(DamagedReplayTest, ATruncatedOrExtendedSegmentIsDataLoss) {
  for (std::size_t size = 0; size < whole_.segment(1).size(); size += 3) {
    Checkpoints damaged = whole_;
    damaged.segment(1).resize(size);
    EXPECT_TRUE(absl::IsDataLoss(Restore(damaged))) << size;
  }
  whole_.segment(1) += '\0';
  EXPECT_TRUE(absl::IsDataLoss(Restore(whole_)));
}

TEST_P(DamagedReplayTest, AMissingSegmentIsDataLoss) {
  for (std::size_t i = 0; i < whole_.segments(); ++i) {
    Checkpoints damaged = whole_;
    damaged.RemoveSegment(i);
    EXPECT_TRUE(absl::IsDataLoss(Restore(damaged))) << i;
  }
}

TEST_P(DamagedReplayTest, SegmentsInAnotherOrderAreDataLoss) {
  whole_.SwapSegments(1, 2);
  EXPECT_TRUE(absl::IsDataLoss(Restore(whole_)));
}

TEST_P(DamagedReplayTest, ASegmentInPlaceOfAnotherIsDataLoss) {
  whole_.segment(2) = whole_.segment(1);
  EXPECT_TRUE(absl::IsDataLoss(Restore(whole_)));
}

TEST_P(DamagedReplayTest, NoChangedByteOfTheStateMakesItUnusable) {
  for (std::size_t i = 0; i < whole_.state().size(); ++i) {
    Checkpoints damaged = whole_;
    damaged.state()[i] = static_cast<char>(damaged.state()[i] ^ 0x41);
    ExpectDataLossOrUsable(damaged);
  }
}

TEST_P(DamagedReplayTest, NoChangedByteOfASegmentMakesItUnusable) {
  for (std::size_t i = 0; i < whole_.segment(1).size(); ++i) {
    Checkpoints damaged = whole_;
    damaged.segment(1)[i] = static_cast<char>(damaged.segment(1)[i] ^ 0x01);
    ExpectDataLossOrUsable(damaged);
  }
}

// Both parts are whole, but of different instants.
TEST_P(DamagedReplayTest, AStateOfAnotherInstantIsDataLoss) {
  RandomEpisodes episodes(kStreams, 37);
  const auto replay = MakeReplay(1, kind_);
  ASSERT_NO_FATAL_FAILURE(InsertRows(episodes, 148, {replay.get()}));
  Checkpoints earlier;
  earlier.Save(*replay, 700);
  whole_.state() = earlier.state();
  EXPECT_TRUE(absl::IsDataLoss(Restore(whole_)));
}

TEST_P(DamagedReplayTest, AStateOfAnotherNumberOfStreamsIsDataLoss) {
  const auto other =
      LocalReplay::Make(Options(kind_), NamedFrames(4), kStreams + 1, RandomStream(1)).value();
  StateReader reader(whole_.state());
  const Status status = other->RestoreState(reader);
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("3 streams, expected 4"));
}

}  // namespace
}  // namespace gorila
