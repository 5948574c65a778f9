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

// The ring is full of rows that nobody has learnt from: they stay, and the insert says why.
TEST(ReplayShardQueueTest, WhatWasNotDrawnDoesNotMakeRoom) {
  const auto shard = MakeShard(Queue(400, /*lead=*/200));
  std::int32_t next = 0;
  std::int64_t accepted = 0;
  std::string waiting;
  while (waiting.empty()) {
    ASSERT_LT(next, 4000);
    const auto episode = Episode(9, next);
    const InsertReply reply = InsertRows(*shard, kStream, episode, InsertLimit::kLifted).value();
    accepted += reply.accepted;
    waiting = reply.waiting;
    next += 10;
    shard->CheckInvariants();
  }
  EXPECT_THAT(waiting, HasSubstr("the oldest rows wait for learners"));
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
