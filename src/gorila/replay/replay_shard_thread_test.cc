// Many actors, many learners and a snapshot at once; ThreadSanitizer looks on.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "gorila/replay/shard_testing.h"

namespace gorila {
namespace {

using namespace testing_replay;

constexpr int kActors = 3;
constexpr int kLearners = 3;

// Every frame of a sample must be of one stream, and in order: a chunk that was used again while it
// was being copied would show.
void ExpectWholeTransitions(const TransitionBatch& batch, int stack) {
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    const Transition got = FromBatch(batch, i, stack);
    for (const auto& states : {got.s_tm1, got.s_t}) {
      for (std::size_t k = 1; k < states.size(); ++k) {
        if (states[k - 1].number == 0) continue;
        ASSERT_EQ(states[k].number, states[k - 1].number + 1);
        ASSERT_EQ(states[k].stream, states[k - 1].stream);
      }
    }
    ASSERT_EQ(got.s_t.back().stream, got.s_tm1.back().stream);
    ASSERT_EQ(got.s_t.back().number, got.s_tm1.back().number + 1);
  }
}

struct Storage {
  std::string selector;
  FrameCompression compression = FrameCompression::kNone;
};
class ReplayShardThreadTest : public testing::TestWithParam<Storage> {};

TEST_P(ReplayShardThreadTest, ActorsLearnersAndSnapshotsWorkAtOnce) {
  constexpr int kStack = 3;
  ReplayShardOptions options = ShardOptions(400, 1, kStack);
  options.replay.selector.name = GetParam().selector;
  options.replay.frames.compression = GetParam().compression;
  const auto shard = MakeShard(options);
  std::atomic<int> actors_left{kActors};
  std::atomic<std::int64_t> accepted{0};
  std::vector<std::thread> threads;
  for (int actor = 0; actor < kActors; ++actor) {
    threads.emplace_back([&, actor] {
      for (int life = 0; life < 8; ++life) {
        const StreamName stream{.actor = actor, .life = static_cast<std::uint64_t>(life)};
        for (int episode = 0; episode < 12; ++episode) {
          const auto rows = Episode(19, 20 * episode, 1 + 10 * actor + life);
          for (bool sent = false; !sent;) {
            const auto reply = InsertRows(*shard, stream, rows);
            ASSERT_TRUE(reply.ok()) << reply.status();
            accepted += reply->accepted;
            sent = reply->waiting.empty();  // else all chunks were being read
          }
        }
      }
      --actors_left;
    });
  }
  for (int learner = 0; learner < kLearners; ++learner) {
    threads.emplace_back([&] {
      TransitionBatch batch;
      while (actors_left > 0) {
        ASSERT_TRUE(shard->Sample(16, Later(), batch).ok());
        ASSERT_NO_FATAL_FAILURE(ExpectWholeTransitions(batch, kStack));
        const std::vector<float> errors(batch.keys.size(), 2);
        ASSERT_TRUE(shard->UpdatePriorities(1, batch.keys, errors, Later()).ok());
      }
    });
  }
  ShardSnapshot snapshot;
  while (actors_left > 0) {
    snapshot.Save(*shard, 2000);
    const auto restored = MakeShard(options);
    const Status status = snapshot.Restore(*restored);
    ASSERT_TRUE(status.ok()) << status;
    restored->CheckInvariants();
    shard->CheckInvariants();
  }
  for (std::thread& thread : threads) thread.join();
  shard->CheckInvariants();
  EXPECT_EQ(accepted, kActors * 8 * 12 * 20);
  EXPECT_EQ(shard->GetStatus().counters.accepted, accepted);
}

INSTANTIATE_TEST_SUITE_P(Selectors, ReplayShardThreadTest,
                         testing::Values(Storage{"uniform"}, Storage{"prioritized"},
                                         Storage{"uniform", FrameCompression::kZstd}),
                         [](const auto& info) {
                           const bool zstd = info.param.compression == FrameCompression::kZstd;
                           return info.param.selector + (zstd ? "Zstd" : "");
                         });

TEST(ReplayShardWaitTest, AnInsertWakesASampleAndASampleMakesRoomForAnInsert) {
  ReplayShardOptions options = ShardOptions(10000);
  options.replay.rate = {.updates_per_step = 0.25, .min_size = 50, .insert_lead = 20};
  const auto shard = MakeShard(options);
  constexpr int kEpisodes = 100;
  constexpr int kSteps = 9;
  std::thread actor([&] {
    for (int episode = 0; episode < kEpisodes; ++episode) {
      for (bool taken = false; !taken; std::this_thread::yield()) {
        const auto reply = InsertRows(*shard, {.actor = 1}, Episode(kSteps, 10 * episode));
        ASSERT_TRUE(reply.ok());
        taken = reply->waiting.empty();
      }
    }
  });
  // The last steps need no sample to go on, and pay for none that nobody takes.
  const int samples = (kEpisodes * kSteps - 50 - 20) / 4;
  TransitionBatch batch;
  for (int i = 0; i < samples; ++i) ASSERT_TRUE(shard->Sample(4, Later(), batch).ok());
  actor.join();
  EXPECT_EQ(shard->GetStatus().counters.sampled, samples);
}

TEST(ReplayShardWaitTest, ClosingEndsEveryWait) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.rate = {.updates_per_step = 1, .min_size = 100, .insert_lead = 1};
  const auto shard = MakeShard(options);
  ASSERT_TRUE(InsertRows(*shard, {.actor = 1}, Episode(90)).ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      TransitionBatch batch;
      EXPECT_TRUE(absl::IsUnavailable(shard->Sample(4, Later(), batch).status()));
    });
  }
  while (shard->GetStatus().waiting_samples < 3) std::this_thread::yield();
  shard->Close();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace gorila
