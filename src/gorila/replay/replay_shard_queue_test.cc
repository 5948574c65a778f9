// A shard whose selector is queue: each transition once; actors wait when learners lag, and
// learners for data, with a reason; nothing that waits makes room.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gorila/replay/shard_testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using testing_replay::Episode;
using testing_replay::FromBatch;
using testing_replay::InsertRows;
using testing_replay::Later;
using testing_replay::MakeShard;
using testing_replay::NamedRow;
using testing_replay::Now;
using testing_replay::ShardSnapshot;

constexpr StreamName kStream{.actor = 1, .life = 77, .stream = 0};
constexpr int kMinibatch = 4;

ReplayShardOptions Queue(std::int64_t capacity = 4000, std::int64_t lead = 64) {
  ReplayShardOptions options = testing_replay::ShardOptions(capacity);
  options.replay.rate = {.insert_lead = lead};
  options.replay.selector = {.name = "queue", .minibatch = kMinibatch};
  return options;
}

// The numbers of the rows that a minibatch's transitions start at.
std::vector<std::int32_t> Draw(ReplayShard& shard) {
  TransitionBatch batch;
  EXPECT_TRUE(shard.Sample(kMinibatch, Later(), batch).ok());
  std::vector<std::int32_t> numbers;
  for (std::size_t i = 0; i < kMinibatch; ++i) {
    numbers.push_back(FromBatch(batch, i, 1).s_tm1.back().number);
  }
  shard.CheckInvariants();
  return numbers;
}

TEST(ReplayShardQueueTest, DrawsEachOnceInOrderAndThenWaitsForInsertsWithAReason) {
  const auto shard = MakeShard(Queue());
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(10)).ok());
  EXPECT_EQ(shard->GetStatus().size.allowed, 2);
  EXPECT_THAT(Draw(*shard), testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Draw(*shard), testing::ElementsAre(5, 6, 7, 8));
  TransitionBatch batch;
  const Status status = shard->Sample(kMinibatch, Now(), batch).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("2 transitions in the queue, 4 make a minibatch"));
  EXPECT_EQ(shard->GetStatus().sample_limit, status.message());
  EXPECT_EQ(shard->GetStatus().size.allowed, 0);
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(10, 11)).ok());
  EXPECT_THAT(Draw(*shard), testing::ElementsAre(9, 10, 12, 13)) << "row 11 ended the episode";
}

TEST(ReplayShardQueueTest, InsertsWaitWhileLearnersLagAndNothingIsLost) {
  const auto shard = MakeShard(Queue(4000, /*lead=*/8));
  const std::vector<NamedRow> episode = Episode(30);
  std::size_t sent = 0;
  // Row by row, as the limit is kept between the pieces that a call takes in.
  const auto send = [&] {
    while (sent < episode.size()) {
      const InsertReply reply = InsertRows(*shard, kStream, {episode[sent]}).value();
      if (reply.accepted == 0) return reply.waiting;
      ++sent;
    }
    return std::string();
  };
  EXPECT_THAT(send(), HasSubstr("8 transitions in the queue, replay.insert_lead 8"));
  EXPECT_EQ(sent, 9U) << "the ninth row completes the eighth transition";
  EXPECT_TRUE(shard->GetStatus().size.inserts_wait);
  std::set<std::int32_t> drawn;
  for (int round = 0; round < 7; ++round) {
    for (const std::int32_t number : Draw(*shard)) EXPECT_TRUE(drawn.insert(number).second);
    send();
  }
  EXPECT_EQ(sent, episode.size());
  EXPECT_EQ(drawn.size(), 28U);
  EXPECT_EQ(shard->GetStatus().size.transitions, 2);
}

// Sixty episodes of nine steps, as one piece: between pieces alone the limit is asked for.
std::vector<NamedRow> SixtyEpisodes() {
  std::vector<NamedRow> rows;
  for (int i = 0; i < 60; ++i) {
    for (const NamedRow& row : Episode(9, 10 * i)) rows.push_back(row);
  }
  return rows;
}

// The ring is full of rows that nobody has learnt from: they stay, and the insert says why.
TEST(ReplayShardQueueTest, WhatWasNotDrawnDoesNotMakeRoom) {
  const auto shard = MakeShard(Queue(400, /*lead=*/200));
  const InsertReply reply = InsertRows(*shard, kStream, SixtyEpisodes()).value();
  const std::int64_t accepted = reply.accepted;
  const std::string& waiting = reply.waiting;
  EXPECT_LE(accepted, 400);
  EXPECT_EQ(shard->GetStatus().counters.evicted, 0);
  shard->CheckInvariants();
  EXPECT_THAT(waiting, HasSubstr("wait for learners"));
  std::int32_t drawn = 0;
  std::int32_t last = 0;
  while (shard->GetStatus().size.allowed > 0) {
    for (const std::int32_t number : Draw(*shard)) {
      EXPECT_GT(number, last);
      last = number;
      ++drawn;
    }
  }
  // Of ten rows nine start a transition.
  EXPECT_GE(drawn, accepted * 9 / 10 - 2 * kMinibatch);
}

// When the run has its frames its learners may have ended: nothing waits for them.
TEST(ReplayShardQueueTest, TheLastRowsOfARunAreTakenThoughTheOldestWait) {
  const auto shard = MakeShard(Queue(400, /*lead=*/200));
  const InsertReply reply =
      InsertRows(*shard, kStream, SixtyEpisodes(), InsertLimit::kLifted).value();
  EXPECT_EQ(reply.accepted, 600);
  EXPECT_EQ(reply.waiting, "");
  EXPECT_GE(shard->GetStatus().counters.evicted, 200);
  shard->CheckInvariants();
}

// More streams than chunks: rows of every stream keep arriving in the oldest chunks. With less than
// a minibatch in the queue neither side could go on, so that room is made.
TEST(ReplayShardQueueTest, ManyStreamsInALittleMemoryDoNotWaitForEachOther) {
  constexpr int kStreams = 40;
  ReplayShardOptions options = Queue(640, /*lead=*/320);
  options.replay.selector.minibatch = 32;
  const auto shard = MakeShard(options);
  std::vector<std::vector<NamedRow>> waiting(kStreams);
  std::vector<std::int32_t> next(kStreams, 0);
  std::int64_t accepted = 0;
  TransitionBatch batch;
  for (int round = 0; round < 300; ++round) {
    const std::int64_t before = accepted;
    for (int stream = 0; stream < kStreams; ++stream) {
      std::vector<NamedRow>& rows = waiting[static_cast<std::size_t>(stream)];
      std::int32_t& first = next[static_cast<std::size_t>(stream)];
      if (rows.empty()) {
        rows = Episode(9, first, stream);
        first += 10;
      }
      const StreamName name{.actor = 1, .life = 7, .stream = stream};
      const InsertReply reply = InsertRows(*shard, name, rows).value();
      accepted += reply.accepted;
      rows.erase(rows.begin(), rows.begin() + reply.accepted + reply.repeated);
    }
    ASSERT_GT(accepted, before) << "both sides wait in round " << round;
    while (shard->GetStatus().size.allowed > 0) {
      ASSERT_TRUE(shard->Sample(32, Later(), batch).ok());
    }
    shard->CheckInvariants();
  }
}

// A transition's stack may begin in the chunk before its own.
TEST(ReplayShardQueueTest, WhatAnEvictionWouldMakeUndrawableIsHeldToo) {
  ReplayShardOptions options = Queue(400, /*lead=*/200);
  options.observation = testing_replay::NamedFrames(4);
  options.replay.transition.n_step = 3;
  const auto shard = MakeShard(options);
  std::int32_t next = 0;
  std::set<std::int32_t> drawn;
  TransitionBatch batch;
  std::int32_t last = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<NamedRow> rows = Episode(30, next);
    while (!rows.empty()) {
      const InsertReply reply = InsertRows(*shard, kStream, rows).value();
      rows.erase(rows.begin(), rows.begin() + reply.accepted + reply.repeated);
      while (!rows.empty() && shard->GetStatus().size.allowed > 0) {
        ASSERT_TRUE(shard->Sample(kMinibatch, Later(), batch).ok());
        for (std::size_t i = 0; i < kMinibatch; ++i) {
          const std::int32_t number = FromBatch(batch, i, 4).s_tm1.back().number;
          ASSERT_GT(number, last);
          // Only an episode's last row starts nothing.
          ASSERT_LE(number - last, last % 31 == 30 ? 2 : 1) << "a transition was lost";
          last = number;
        }
      }
    }
    next += 31;
  }
  EXPECT_GT(last, 10000);
}

TEST(ReplayShardQueueTest, ARestartDrawsNothingAgainAndLosesNothing) {
  const auto shard = MakeShard(Queue());
  const std::vector<NamedRow> episode = Episode(30);
  ASSERT_TRUE(InsertRows(*shard, kStream, {episode.begin(), episode.begin() + 20}).ok());
  Draw(*shard);
  ShardSnapshot snapshot;
  snapshot.Save(*shard, 1 << 20);
  const auto restored = MakeShard(Queue(), 2);
  ASSERT_EQ(snapshot.Restore(*restored), OkStatus());
  restored->CheckInvariants();
  ASSERT_TRUE(InsertRows(*restored, kStream, episode).ok());
  std::int32_t expected = 5;
  while (restored->GetStatus().size.allowed > 0) {
    for (const std::int32_t number : Draw(*restored)) EXPECT_EQ(number, expected++);
  }
  EXPECT_EQ(expected, 29) << "30 transitions in sevens of four, two left";
}

TEST(ReplayShardQueueTest, ALeadThatCannotBeIsRefusedByName) {
  for (const std::int64_t lead : {0, 3, 2001}) {
    const Status status = ReplayShard::Make(Queue(4000, lead), RandomStream(1)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(fmt::format("replay.insert_lead is {}", lead)));
  }
}

}  // namespace
}  // namespace gorila
