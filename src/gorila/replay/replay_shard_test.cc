#include "gorila/replay/replay_shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "gorila/replay/shard_testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;

constexpr StreamName kStream{.actor = 3, .life = 77, .stream = 2};

TEST(ReplayShardTest, GivesTheTransitionsOfWhatWasInserted) {
  const auto shard = MakeShard(ShardOptions(1000, /*n_step=*/2, /*stack=*/3));
  const InsertReply reply = InsertRows(*shard, kStream, Episode(5)).value();
  EXPECT_EQ(reply.accepted, 6);
  EXPECT_EQ(reply.waiting, "");
  TransitionBatch batch;
  const ReplayShardSize size = shard->Sample(200, Later(), batch).value();
  EXPECT_EQ(size.transitions, 5);
  EXPECT_EQ(size.rows, 6);
  std::set<int> actions;
  for (std::size_t i = 0; i < 200; ++i) {
    const Transition got = FromBatch(batch, i, 3);
    const int k = got.a_tm1;
    actions.insert(k);
    EXPECT_EQ(got.s_tm1.back(), (FrameName{0, k + 1}));
    EXPECT_EQ(got.s_tm1.front(), k < 2 ? FrameName{} : (FrameName{0, k - 1}));
    EXPECT_EQ(got.s_t.back(), (FrameName{0, std::min(k + 3, 6)}));
    EXPECT_EQ(got.discount_t == 0, k >= 3);
    EXPECT_EQ(batch.probabilities[i], 0.2);
  }
  EXPECT_EQ(actions.size(), 5u);
}

TEST(ReplayShardTest, ARetriedInsertIsTakenOnce) {
  const auto shard = MakeShard(ShardOptions(1000));
  const std::vector<NamedRow> episode = Episode(9);
  const std::vector<NamedRow> half(episode.begin(), episode.begin() + 5);
  EXPECT_EQ(InsertRows(*shard, kStream, half)->accepted, 5);
  const InsertReply again = InsertRows(*shard, kStream, half).value();
  EXPECT_EQ(again.accepted, 0);
  EXPECT_EQ(again.repeated, 5);
  const InsertReply rest = InsertRows(*shard, kStream, episode).value();
  EXPECT_EQ(rest.accepted, 5);
  EXPECT_EQ(rest.repeated, 5);
  EXPECT_EQ(shard->GetStatus().size.rows, 10);
  EXPECT_EQ(shard->GetStatus().size.transitions, 9);
  EXPECT_EQ(shard->GetStatus().counters.repeated, 10);
}

TEST(ReplayShardTest, TwoLivesOfAnActorAreNotJoined) {
  const auto shard = MakeShard(ShardOptions(1000));
  const std::vector<NamedRow> episode = Episode(9);
  const std::vector<NamedRow> unfinished(episode.begin(), episode.begin() + 4);
  ASSERT_TRUE(InsertRows(*shard, kStream, unfinished).ok());
  StreamName reborn = kStream;
  reborn.life = 78;
  ASSERT_TRUE(InsertRows(*shard, reborn, unfinished).ok());
  shard->CheckInvariants();
  EXPECT_EQ(shard->GetStatus().size.transitions, 6) << "three of each";
}

TEST(ReplayShardTest, RowsThatNeverCameBreakTheStream) {
  const auto shard = MakeShard(ShardOptions(1000, 1, /*stack=*/2));
  const std::vector<NamedRow> episode = Episode(20);
  ASSERT_TRUE(InsertRows(*shard, kStream, {episode.begin(), episode.begin() + 5}).ok());
  ASSERT_TRUE(InsertRows(*shard, kStream, {episode.begin() + 8, episode.begin() + 12}).ok());
  shard->CheckInvariants();
  EXPECT_EQ(shard->GetStatus().counters.broken_streams, 1);
  // Rows 0..4 make four; rows 8..11 make two, because row 8's stack needs row 7.
  EXPECT_EQ(shard->GetStatus().size.transitions, 6);
  TransitionBatch batch;
  ASSERT_TRUE(shard->Sample(300, Later(), batch).ok());
  for (std::size_t i = 0; i < 300; ++i) {
    const Transition got = FromBatch(batch, i, 2);
    EXPECT_EQ(got.s_t.back().number, got.s_tm1.back().number + 1);
  }
}

TEST(ReplayShardTest, RowsThatCannotBeAreRefusedAndChangeNothing) {
  const auto shard = MakeShard(ShardOptions(1000));
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(3)).ok());
  const auto refused = [&](auto damage, std::string_view reason) {
    OwnedRun good({.actor = 9}, Episode(4));
    OwnedRun bad({.actor = 8}, Episode(4));
    damage(bad);
    const std::vector<RowRun> runs = {good.run(), bad.run()};
    const Status status = shard->Insert(runs, Later(), InsertLimit::kKept).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << reason;
    EXPECT_THAT(std::string(status.message()), HasSubstr(std::string(reason)));
  };
  refused([](OwnedRun& run) { run.frames_.pop_back(); }, "39 bytes of frames, expected 40");
  refused([](OwnedRun& run) { run.actions_.pop_back(); }, "5 rows with 4 actions");
  refused([](OwnedRun& run) { run.actions_[1] = 100; }, "action 100, expected 0 to 99");
  refused([](OwnedRun& run) { run.actions_[1] = -1; }, "action -1");
  refused([](OwnedRun& run) { run.first_ = -1; }, "from number -1");
  refused([](OwnedRun& run) { run.time_steps_[2].step_type = StepType::kFirst; }, "must run from");
  refused([](OwnedRun& run) { run.time_steps_[2].step_type = StepType::kLast; }, "must run from");
  refused([](OwnedRun& run) { run.time_steps_[2].step_type = static_cast<StepType>(3); },
          "step type 3");
  refused(
      [](OwnedRun& run) { run.time_steps_[2].reward = std::numeric_limits<float>::quiet_NaN(); },
      "reward nan");
  refused([](OwnedRun& run) { run.time_steps_[2].discount = 1.5; }, "discount 1.5");
  // It would follow a last row without a first.
  refused(
      [](OwnedRun& run) {
        run.stream_ = kStream;
        run.first_ = 4;
        run.time_steps_[0].step_type = StepType::kMid;
      },
      "must run from");
  shard->CheckInvariants();
  EXPECT_EQ(shard->GetStatus().size.rows, 4);
  EXPECT_EQ(shard->GetStatus().counters.refused_inserts, 11);
  EXPECT_EQ(shard->GetStatus().counters.streams, 1);
}

TEST(ReplayShardTest, OldRowsMakeRoomAndTheBudgetHolds) {
  const ReplayShardOptions options = ShardOptions(640);
  const auto shard = MakeShard(options);
  for (int life = 0; life < 100; ++life) {
    StreamName stream = kStream;
    stream.life = static_cast<std::uint64_t>(life);
    ASSERT_TRUE(InsertRows(*shard, stream, Episode(49)).ok());
    ASSERT_LE(shard->GetStatus().size.rows, 640);
  }
  shard->CheckInvariants();
  EXPECT_GE(shard->GetStatus().size.rows, 600);
  EXPECT_EQ(shard->GetStatus().counters.evicted, 5000 - shard->GetStatus().size.rows);
  const std::int64_t row_bytes = ChunkStore::BytesPerRow(options.observation) + 8;
  EXPECT_GE(ReplayShard::ExpectedBytes(options), 640 * row_bytes);
}

TEST(ReplayShardTest, ASampleThatWaitedTooLongIsToldWhy) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.rate = {.updates_per_step = 0.5, .min_size = 6};
  const auto shard = MakeShard(options);
  TransitionBatch batch;
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(4)).ok());
  const Status few = shard->Sample(2, Now(), batch).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(few));
  EXPECT_THAT(std::string(few.message()), HasSubstr("4 of replay.min_size 6 time steps"));
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(2, 5)).ok());
  EXPECT_EQ(shard->GetStatus().sample_limit, "");
  ASSERT_TRUE(shard->Sample(2, Now(), batch).ok());
  const Status early = shard->Sample(2, Now(), batch).status();
  EXPECT_THAT(std::string(early.message()), HasSubstr("1 minibatches sampled of 6 time steps"));
  EXPECT_EQ(shard->GetStatus().sample_limit, std::string(early.message()));
}

TEST(ReplayShardTest, AnInsertThatRanAheadIsToldWhyAndMayBeRepeated) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.rate = {.updates_per_step = 1, .min_size = 2, .insert_lead = 3};
  const auto shard = MakeShard(options);
  const std::vector<NamedRow> rows = Episode(20);
  std::int64_t accepted = 0;
  TransitionBatch batch;
  for (int round = 0; round < 30 && accepted < 21; ++round) {
    const InsertReply reply = InsertRows(*shard, kStream, rows).value();
    accepted += reply.accepted;
    EXPECT_EQ(reply.accepted + reply.repeated == 21, reply.waiting.empty());
    if (!reply.waiting.empty()) {
      EXPECT_THAT(reply.waiting, HasSubstr("replay.insert_lead 3"));
    }
    while (shard->Sample(1, Now(), batch).ok()) continue;
  }
  EXPECT_EQ(accepted, 21);
  shard->CheckInvariants();
}

TEST(ReplayShardTest, InsertsAreNotHeldWhileNothingCouldBeSampled) {
  ReplayShardOptions options = ShardOptions(1000, /*n_step=*/5);
  options.replay.rate = {.updates_per_step = 1, .min_size = 1, .insert_lead = 1};
  const auto shard = MakeShard(options);
  const std::vector<NamedRow> rows = Episode(9);
  for (std::size_t i = 0; i < 6; ++i) {  // with fewer no transition of 5 steps is complete
    EXPECT_EQ(InsertRows(*shard, kStream, {rows[i]})->accepted, 1) << i;
  }
  EXPECT_EQ(InsertRows(*shard, kStream, {rows[6]})->accepted, 0);
  TransitionBatch batch;
  EXPECT_TRUE(shard->Sample(1, Now(), batch).ok());
}

TEST(ReplayShardTest, RowsOfARunThatHasItsFramesAreNotHeld) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.rate = {.updates_per_step = 1, .min_size = 2, .insert_lead = 3};
  const auto shard = MakeShard(options);
  ASSERT_EQ(InsertRows(*shard, kStream, Episode(20))->accepted, 21) << "as one piece";
  EXPECT_TRUE(shard->GetSize(Now())->inserts_wait);
  EXPECT_EQ(InsertRows(*shard, kStream, Episode(5, 21))->accepted, 0);
  const InsertReply last =
      InsertRows(*shard, kStream, Episode(5, 21), InsertLimit::kLifted).value();
  EXPECT_EQ(last.accepted, 6);
  EXPECT_EQ(last.waiting, "");
}

TEST(ReplayShardTest, ASampleTooManyIsAnsweredWithoutAWait) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.rate = {.updates_per_step = 1, .min_size = 10};
  options.max_waiting_samples = 0;
  const auto shard = MakeShard(options);
  TransitionBatch batch;
  const Status status = shard->Sample(1, ReplayEndpoint::Deadline::max(), batch).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST(ReplayShardTest, PrioritiesOfAnotherGenerationAreStale) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.selector = {.name = "prioritized", .priority_exponent = 1};
  options.generation = 5;
  const auto shard = MakeShard(options);
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(2)).ok());
  TransitionBatch batch;
  EXPECT_EQ(shard->Sample(16, Later(), batch)->generation, 5);
  std::vector<float> errors;
  for (const int action : batch.a_tm1) errors.push_back(action == 0 ? 9 : 1);
  ASSERT_TRUE(shard->UpdatePriorities(4, batch.keys, errors, Later()).ok());
  EXPECT_EQ(shard->GetStatus().counters.stale_priorities, 16);
  EXPECT_NEAR(shard->GetStatus().size.mass, 2, 1e-4);
  ASSERT_TRUE(shard->UpdatePriorities(5, batch.keys, errors, Later()).ok());
  EXPECT_EQ(shard->GetStatus().counters.priorities, 16);
  EXPECT_NEAR(shard->GetStatus().size.mass, 10, 1e-4);
}

TEST(ReplayShardTest, RefusesWhatCannotBeBuilt) {
  EXPECT_TRUE(
      absl::IsInvalidArgument(ReplayShard::Make(ShardOptions(4, 3, 4), RandomStream(1)).status()));
  ReplayShardOptions options = ShardOptions(100);
  options.replay.rate.min_size = 101;
  EXPECT_TRUE(absl::IsInvalidArgument(ReplayShard::Make(options, RandomStream(1)).status()));
  options = ShardOptions(100);
  options.replay.selector.name = "best";
  EXPECT_TRUE(absl::IsInvalidArgument(ReplayShard::Make(options, RandomStream(1)).status()));
}

TEST(ReplayShardTest, AClosedShardRefusesToWait) {
  const auto shard = MakeShard(ShardOptions(100));
  shard->Close();
  TransitionBatch batch;
  EXPECT_TRUE(absl::IsUnavailable(shard->Sample(1, Later(), batch).status()));
  EXPECT_TRUE(absl::IsUnavailable(InsertRows(*shard, kStream, Episode(2)).status()));
}

}  // namespace
}  // namespace gorila
