// Shards in this process behind an endpoint that can be made to fail.
#include "gorila/replay/sharded_replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <set>

#include "gorila/replay/shard_testing.h"
#include "gorila/replay/unroll_testing.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;

// Passes calls on to a shard that outlives it, unless told to fail.
class Endpoint final : public ReplayEndpoint {
 public:
  struct Control {
    std::unique_ptr<ReplayShard> shard;
    Status failure;               // of every call
    bool answer_is_lost = false;  // of the next insert, which the shard does take
    int updates = 0;
    int inserts = 0;                     // that came here
    int unread = 0;                      // inserts that find every chunk in use
    std::function<void()> on_size = {};  // called by GetSize
  };
  explicit Endpoint(Control& control) : control_(control) {}

  StatusOr<InsertReply> Insert(std::span<const RowRun> runs, Deadline deadline,
                               InsertLimit limit) override {
    GORILA_RETURN_IF_ERROR(control_.failure);
    ++control_.inserts;
    if (control_.unread > 0 && control_.unread-- > 0) {
      return InsertReply{.waiting = "all 3 chunks are being read"};
    }
    StatusOr<InsertReply> reply = control_.shard->Insert(runs, deadline, limit);
    if (!std::exchange(control_.answer_is_lost, false)) return reply;
    return absl::UnavailableError("the connection broke");
  }
  StatusOr<ReplayShardSize> Sample(int size, Deadline deadline, TransitionBatch& batch) override {
    GORILA_RETURN_IF_ERROR(control_.failure);
    return control_.shard->Sample(size, deadline, batch);
  }
  Status UpdatePriorities(std::int64_t generation, std::span<const std::uint64_t> keys,
                          std::span<const float> td_errors, Deadline deadline) override {
    GORILA_RETURN_IF_ERROR(control_.failure);
    ++control_.updates;
    return control_.shard->UpdatePriorities(generation, keys, td_errors, deadline);
  }
  StatusOr<ReplayShardSize> GetSize(Deadline deadline) override {
    GORILA_RETURN_IF_ERROR(control_.failure);
    if (control_.on_size) control_.on_size();
    return control_.shard->GetSize(deadline);
  }

 private:
  Control& control_;
};

class ShardedReplayTest : public testing::Test {
 protected:
  void MakeShards(const std::vector<ReplayShardOptions>& options) {
    controls_.resize(options.size());
    for (std::size_t i = 0; i < options.size(); ++i) controls_[i].shard = MakeShard(options[i]);
  }

  std::unique_ptr<ShardedReplay> Make(ShardedReplayOptions options = {}) {
    options.life = 5;
    options.frame_bytes = sizeof(FrameName);
    if (options.retry == ShardedReplayOptions().retry) options.retry = std::chrono::milliseconds(1);
    options.message = [this](std::string_view text) { messages_.emplace_back(text); };
    std::vector<std::unique_ptr<ReplayEndpoint>> endpoints;
    for (auto& control : controls_) endpoints.push_back(std::make_unique<Endpoint>(control));
    return std::make_unique<ShardedReplay>(options, std::move(endpoints), RandomStream(3));
  }

  // The next episode of a stream.
  void InsertEpisode(ShardedReplay& replay, int stream, int steps) {
    std::int32_t& next = next_[stream];
    for (const NamedRow& row : Episode(steps, next, stream)) {
      ASSERT_TRUE(replay.Insert(stream, row.row()).ok());
    }
    next += steps + 1;
  }

  std::int64_t Rows(std::size_t shard) { return controls_[shard].shard->GetStatus().size.rows; }

  std::deque<Endpoint::Control> controls_;
  std::map<int, std::int32_t> next_;
  std::vector<std::string> messages_;
};

TEST_F(ShardedReplayTest, AStreamStaysWithItsShard) {
  MakeShards({ShardOptions(1000), ShardOptions(1000), ShardOptions(1000)});
  const auto replay = Make({.actor = 1, .streams = 4, .insert_rows = 5});
  for (int round = 0; round < 6; ++round) {
    for (int stream = 0; stream < 4; ++stream) InsertEpisode(*replay, stream, 6 + stream);
  }
  ASSERT_TRUE(replay->Flush().ok());
  EXPECT_EQ(Rows(0), 6 * 9) << "stream 2 of actor 1 is the sixth of all";
  EXPECT_EQ(Rows(1), 6 * (7 + 10));
  EXPECT_EQ(Rows(2), 6 * 8);
  for (auto& control : controls_) {
    EXPECT_EQ(control.shard->GetStatus().counters.broken_streams, 0);
    control.shard->CheckInvariants();
  }
  EXPECT_EQ(replay->counters().rows, replay->counters().accepted);
}

TEST_F(ShardedReplayTest, RowsAreSentTogether) {
  MakeShards({ShardOptions(1000)});
  const auto replay = Make({.streams = 1, .insert_rows = 8});
  InsertEpisode(*replay, 0, 6);
  EXPECT_EQ(Rows(0), 0);
  InsertEpisode(*replay, 0, 6);
  EXPECT_EQ(Rows(0), 8);
  ASSERT_TRUE(replay->Flush().ok());
  EXPECT_EQ(Rows(0), 14);
}

TEST_F(ShardedReplayTest, SamplesShardsInProportionToTheirSize) {
  MakeShards({ShardOptions(1000), ShardOptions(1000), ShardOptions(1000)});
  const std::vector<int> steps = {10, 30, 60};
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(InsertRows(*controls_[i].shard, {}, Episode(steps[i])).ok());
  }
  const auto replay = Make();
  TransitionBatch batch;
  constexpr int kSamples = 2000;
  for (int i = 0; i < kSamples; ++i) ASSERT_TRUE(replay->Sample(1, batch).ok());
  for (std::size_t i = 0; i < 3; ++i) {
    const double p = steps[i] / 100.0;
    const auto sampled = static_cast<double>(controls_[i].shard->GetStatus().counters.sampled);
    EXPECT_NEAR(sampled, kSamples * p, 5 * std::sqrt(kSamples * p * (1 - p))) << i;
  }
  EXPECT_EQ(replay->Size().transitions, 100);
}

TEST_F(ShardedReplayTest, AShardThatMayNotBeSampledIsLeftOutWhileAnotherMay) {
  ReplayShardOptions limited = ShardOptions(1000);
  limited.replay.rate = {.updates_per_step = 0.1, .min_size = 10};
  MakeShards({limited, ShardOptions(1000)});
  for (auto& control : controls_) {
    ASSERT_TRUE(InsertRows(*control.shard, {}, Episode(60)).ok());
  }
  const auto replay = Make();
  TransitionBatch batch;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(replay->Sample(1, batch).ok());
  EXPECT_EQ(controls_[0].shard->GetStatus().counters.sampled, 6);
  EXPECT_EQ(controls_[1].shard->GetStatus().counters.sampled, 94);
}

TEST_F(ShardedReplayTest, AShardThatMayBeSampledAgainIsNotForgotten) {
  ReplayShardOptions limited = ShardOptions(1000);
  limited.replay.rate = {.updates_per_step = 0.1, .min_size = 10};
  MakeShards({limited, ShardOptions(1000)});
  for (auto& control : controls_) {
    ASSERT_TRUE(InsertRows(*control.shard, {}, Episode(60)).ok());
  }
  const auto replay = Make();
  TransitionBatch batch;
  const auto sampled = [&] { return controls_[0].shard->GetStatus().counters.sampled; };
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(replay->Sample(1, batch).ok());
  EXPECT_EQ(sampled(), 6);
  ASSERT_TRUE(InsertRows(*controls_[0].shard, {.actor = 1}, Episode(40)).ok());
  // Its size is asked for again after a millisecond.
  for (int i = 0; i < 1000000 && sampled() < 10; ++i) ASSERT_TRUE(replay->Sample(1, batch).ok());
  EXPECT_EQ(sampled(), 10);
}

TEST_F(ShardedReplayTest, AShardThatIsDownIsSkippedAndCounted) {
  MakeShards({ShardOptions(1000), ShardOptions(1000)});
  const auto replay = Make({.streams = 2, .insert_rows = 4});
  for (int stream = 0; stream < 2; ++stream) InsertEpisode(*replay, stream, 11);
  controls_[0].failure = absl::UnavailableError("connection refused");
  for (int stream = 0; stream < 2; ++stream) InsertEpisode(*replay, stream, 11);
  EXPECT_EQ(Rows(0), 12);
  EXPECT_EQ(Rows(1), 12 + 12 + 8);
  ShardedReplayCounters counters = replay->counters();
  EXPECT_EQ(counters.lost, 4) << "the rows that were on their way";
  EXPECT_EQ(counters.rows, counters.accepted + counters.lost);
  EXPECT_GE(counters.failures, 1);
  TransitionBatch batch;
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(replay->Sample(1, batch).ok());
  EXPECT_EQ(controls_[1].shard->GetStatus().counters.sampled, 50);
  ASSERT_FALSE(messages_.empty());
  EXPECT_EQ(messages_[0], "replay shard 0 does not answer: connection refused");

  controls_[0].failure = OkStatus();
  // An episode that begins later goes home again; the time between tries is a millisecond or more.
  for (int round = 0; round < 100000 && Rows(0) == 12; ++round) InsertEpisode(*replay, 0, 3);
  EXPECT_GT(Rows(0), 12);
  for (auto& control : controls_) control.shard->CheckInvariants();
  EXPECT_EQ(messages_.back(), "replay shard 0 is back");
}

TEST_F(ShardedReplayTest, RowsWhoseFateIsUnknownAreNotSentToAnotherShard) {
  MakeShards({ShardOptions(1000), ShardOptions(1000)});
  const auto replay = Make({.streams = 1, .insert_rows = 4});
  controls_[0].answer_is_lost = true;
  InsertEpisode(*replay, 0, 11);
  ASSERT_TRUE(replay->Flush().ok());
  EXPECT_EQ(Rows(0) + Rows(1), 12) << "each row once";
  EXPECT_EQ(replay->counters().lost, 4);
  EXPECT_EQ(replay->counters().accepted, 8);
}

TEST_F(ShardedReplayTest, WithoutAnyShardItGivesUpOrStops) {
  MakeShards({ShardOptions(1000)});
  controls_[0].failure = absl::UnavailableError("connection refused");
  TransitionBatch batch;
  const auto impatient = Make({.patience = std::chrono::milliseconds(0)});
  EXPECT_TRUE(absl::IsUnavailable(impatient->Sample(1, batch)));
  int asked = 0;
  const auto stopped = Make({.stop = [&] { return ++asked > 2; }});
  EXPECT_TRUE(absl::IsCancelled(stopped->Sample(1, batch)));
  EXPECT_EQ(stopped->waiting(), "no replay shard answers");
}

TEST_F(ShardedReplayTest, ASampleThatTheRateLimiterHoldsKnowsWhy) {
  ReplayShardOptions limited = ShardOptions(1000);
  limited.replay.rate = {.updates_per_step = 1, .min_size = 10};
  MakeShards({limited});
  const auto replay = Make({.patience = std::chrono::milliseconds(0)});
  TransitionBatch batch;
  const Status status = replay->Sample(1, batch);
  EXPECT_THAT(std::string(status.message()), HasSubstr("0 of replay.min_size 10 time steps"));
  EXPECT_EQ(replay->waiting(), std::string(status.message()));
  EXPECT_EQ(replay->counters().sample_waits, 1);
  EXPECT_EQ(replay->counters().failures, 0);
}

// The rows are not sent again before there is room for them.
TEST_F(ShardedReplayTest, AnInsertThatRanAheadWaitsForSamples) {
  ReplayShardOptions limited = ShardOptions(1000);
  limited.replay.rate = {.updates_per_step = 1, .min_size = 2, .insert_lead = 4};
  MakeShards({limited});
  int looks = 0;
  controls_[0].on_size = [&] {
    TransitionBatch batch;
    if (++looks % 5 != 0) return;
    ASSERT_TRUE(controls_[0].shard->Sample(1, Now(), batch).ok());
  };
  const auto replay = Make({.streams = 1, .insert_rows = 1, .patience = std::chrono::minutes(2)});
  InsertEpisode(*replay, 0, 30);
  EXPECT_EQ(Rows(0), 31);
  EXPECT_GE(replay->counters().insert_waits, 20);
  EXPECT_LE(controls_[0].inserts, 31 + replay->counters().insert_waits);
  EXPECT_GE(looks, 5 * 20);
}

TEST_F(ShardedReplayTest, AnInsertThatFindsEveryChunkInUsePausesBetweenTries) {
  MakeShards({ShardOptions(1000)});
  controls_[0].unread = 5;
  int looks = 0;
  controls_[0].on_size = [&] { ++looks; };
  const auto replay = Make({.streams = 1, .insert_rows = 1});
  NamedRow row{.name = {0, 1}};
  ASSERT_TRUE(replay->Insert(0, row.row()).ok());
  EXPECT_EQ(Rows(0), 1);
  EXPECT_EQ(controls_[0].inserts, 6);
  EXPECT_EQ(looks, 5) << "each try is preceded by a pause and a look";
}

TEST_F(ShardedReplayTest, WhoWaitsGivesUpOnlyWhenNothingHappens) {
  ReplayShardOptions limited = ShardOptions(1000);
  limited.replay.rate = {.updates_per_step = 1, .min_size = 2, .insert_lead = 4};
  MakeShards({limited});
  const auto impatient =
      Make({.streams = 1, .insert_rows = 1, .patience = std::chrono::milliseconds(0)});
  Status status;
  for (const NamedRow& row : Episode(30)) {
    if (status.ok()) status = impatient->Insert(0, row.row());
  }
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("inserts wait for samples"));
  EXPECT_TRUE(impatient->insert_held());
}

TEST_F(ShardedReplayTest, ARunThatHasItsFramesWaitsForNoSamples) {
  ReplayShardOptions limited = ShardOptions(1000);
  limited.replay.rate = {.updates_per_step = 1, .min_size = 2, .insert_lead = 4};
  MakeShards({limited});
  bool over = false;
  controls_[0].on_size = [&] { over = true; };  // while the insert waits
  const auto replay = Make({.streams = 1, .insert_rows = 1, .over = [&] { return over; }});
  InsertEpisode(*replay, 0, 30);
  EXPECT_EQ(Rows(0), 31);
  EXPECT_FALSE(replay->insert_held());
}

// gRPC has many names for a connection that was cut.
TEST_F(ShardedReplayTest, AnErrorThatIsNoRefusalIsOfAShardThatIsAway) {
  for (const Status& failure :
       {absl::InternalError("RST_STREAM"), absl::UnknownError("stream removed"),
        absl::CancelledError("the server ends"), absl::AbortedError("aborted")}) {
    MakeShards({ShardOptions(1000), ShardOptions(1000)});
    next_.clear();
    const auto replay = Make({.streams = 1, .insert_rows = 4});
    controls_[0].failure = failure;
    InsertEpisode(*replay, 0, 11);
    TransitionBatch batch;
    EXPECT_TRUE(replay->Sample(1, batch).ok()) << failure;
    EXPECT_EQ(Rows(1), 8) << failure;
    EXPECT_EQ(replay->counters().lost, 4) << failure;
    controls_.clear();
  }
}

TEST_F(ShardedReplayTest, KnowsWhetherSamplesAreOwedWhateverAnOlderAnswerSaid) {
  ReplayShardOptions limited = ShardOptions(1000);
  limited.replay.rate = {.updates_per_step = 0.5, .min_size = 10};
  MakeShards({limited, limited});
  const auto began = SteadyNow();
  const auto replay = Make({.patience = std::chrono::milliseconds(0)});
  EXPECT_FALSE(replay->NoneAllowedSince(began)) << "not asked yet";
  TransitionBatch batch;
  EXPECT_FALSE(replay->Sample(1, batch).ok());
  EXPECT_TRUE(replay->NoneAllowedSince(began));
  const auto asked = SteadyNow();
  for (auto& control : controls_) {
    ASSERT_TRUE(InsertRows(*control.shard, {}, Episode(20)).ok());
  }
  EXPECT_FALSE(replay->NoneAllowedSince(asked)) << "both answered before";
  int samples = 0;
  for (; replay->Sample(1, batch).ok(); ++samples) {
    EXPECT_EQ(replay->NoneAllowedSince(asked), samples + 1 == 2 * 6) << samples;
  }
  EXPECT_EQ(samples, 2 * 6);
  EXPECT_TRUE(replay->NoneAllowedSince(asked));
}

TEST_F(ShardedReplayTest, ARefusalIsFinal) {
  MakeShards({ShardOptions(1000)});
  const auto replay = Make({.streams = 1, .insert_rows = 1});
  NamedRow row{.name = {0, 1}, .action = 1000};
  EXPECT_TRUE(absl::IsInvalidArgument(replay->Insert(0, row.row())));
  EXPECT_TRUE(absl::IsInvalidArgument(replay->Insert(1, row.row()))) << "no such stream";
}

TEST_F(ShardedReplayTest, TellsPrioritiesToTheShardThatWasSampled) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.selector.name = "prioritized";
  MakeShards({options, options});
  ASSERT_TRUE(InsertRows(*controls_[1].shard, {}, Episode(30)).ok());
  const auto replay = Make({.prioritized = true});
  TransitionBatch batch;
  ASSERT_TRUE(replay->Sample(8, batch).ok());
  ASSERT_TRUE(replay->UpdatePriorities(batch, std::vector<float>(8, 2)).ok());
  EXPECT_EQ(controls_[1].shard->GetStatus().counters.priorities, 8);
  EXPECT_EQ(controls_[0].updates, 0);
  controls_[1].failure = absl::UnavailableError("gone");
  EXPECT_TRUE(replay->UpdatePriorities(batch, std::vector<float>(8, 2)).ok());
}

// A learner may have sampled the next one already, when it knows the errors of this one.
TEST_F(ShardedReplayTest, TellsPrioritiesOfEarlierSamplesToTheirShards) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.selector.name = "prioritized";
  MakeShards({options, options});
  for (auto& control : controls_) ASSERT_TRUE(InsertRows(*control.shard, {}, Episode(30)).ok());
  const auto replay = Make({.prioritized = true});
  std::vector<TransitionBatch> batches(16);
  for (TransitionBatch& batch : batches) ASSERT_TRUE(replay->Sample(8, batch).ok());
  std::vector<int> told(controls_.size());
  for (const TransitionBatch& batch : batches) {
    ASSERT_TRUE(replay->UpdatePriorities(batch, std::vector<float>(8, 2)).ok());
    told[batch.shard] += 8;
  }
  for (std::size_t i = 0; i < told.size(); ++i) {
    EXPECT_GT(told[i], 0);
    EXPECT_EQ(controls_[i].shard->GetStatus().counters.priorities, told[i]);
  }
}

// An unroll goes to its shard with the row that ends it, not with the rest of a batch of rows.
TEST_F(ShardedReplayTest, AnUnrollIsSentAsSoonAsItIsComplete) {
  ReplayShardOptions options = ShardOptions(4000);
  options.num_actions = 1000;
  options.replay.transition.unroll = 20;
  options.replay.rate.insert_lead = 1000;
  options.replay.selector = {.name = "queue", .minibatch = 1};
  MakeShards({options});
  const auto replay = Make({.streams = 1, .insert_rows = 64, .unroll = 20});
  std::vector<NamedRow> rows = Episode(200);
  for (NamedRow& row : rows) row = WithProbability(row);
  TransitionBatch batch;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ASSERT_TRUE(replay->Insert(0, rows[row].row()).ok());
    const auto complete = static_cast<std::int64_t>(row / 20);
    ASSERT_EQ(controls_[0].shard->GetStatus().size.transitions, complete) << row;
    ASSERT_EQ(Rows(0), complete > 0 ? complete * 20 + 1 : 0) << row;
  }
  ASSERT_TRUE(replay->Sample(1, batch).ok());
  ExpectSame(UnrollFromBatch(batch, 0, 1), UnrollOf(rows, 0, options.replay.transition, 1));
}

// Rows that are sent at the end of each unroll never begin with an episode of as many rows.
TEST_F(ShardedReplayTest, AStreamOfUnrollsGoesHomeWhateverTheLengthOfItsEpisodes) {
  ReplayShardOptions options = ShardOptions(4000);
  options.replay.transition.unroll = 20;
  MakeShards({options, options});
  const auto replay = Make({.streams = 1, .insert_rows = 64, .unroll = 20});
  const auto insert_episode = [&] {
    for (const NamedRow& row : Episode(19)) {
      ASSERT_TRUE(replay->Insert(0, WithProbability(row).row()).ok());
    }
  };
  controls_[0].failure = absl::UnavailableError("connection refused");
  for (int i = 0; i < 4; ++i) insert_episode();
  EXPECT_EQ(Rows(0), 0);
  EXPECT_GT(Rows(1), 20);
  controls_[0].failure = OkStatus();
  // The time between tries is a millisecond or more.
  for (int i = 0; i < 20000 && Rows(0) == 0; ++i) insert_episode();
  EXPECT_GT(Rows(0), 0);
}

// Its queue fills, and its actors are held, while a sample would wait at the other.
TEST_F(ShardedReplayTest, ASampleDoesNotWaitAtOneQueueWhileAnotherHasAMinibatch) {
  ReplayShardOptions options = ShardOptions(4000);
  options.replay.rate.insert_lead = 100;
  options.replay.selector = {.name = "queue", .minibatch = 4};
  for (const std::size_t fills : {0U, 1U}) {
    controls_.clear();
    MakeShards({options, options});
    int asked = 0;
    controls_[fills].on_size = [&] {
      if (++asked != 3) return;
      ASSERT_TRUE(InsertRows(*controls_[fills].shard, {.actor = 1}, Episode(9)).ok());
    };
    const auto replay = Make({.draws_once = true, .retry = std::chrono::minutes(1)});
    TransitionBatch batch;
    ASSERT_TRUE(replay->Sample(4, batch).ok());
    EXPECT_EQ(batch.shard, fills);
    EXPECT_EQ(replay->counters().sample_waits, 0);
    EXPECT_EQ(asked, 3);
  }
}

// Rows on their way to a shard that goes away are lost: the unrolls around them are not joined.
TEST_F(ShardedReplayTest, NoUnrollSpansWhatWasLostWithAShard) {
  ReplayShardOptions options = ShardOptions(4000);
  options.replay.transition.unroll = 10;
  options.replay.rate.insert_lead = 1000;
  options.replay.selector = {.name = "queue", .minibatch = 1};
  MakeShards({options, options});
  const auto replay = Make({.streams = 1, .insert_rows = 8, .unroll = 10});
  std::vector<NamedRow> rows;
  for (std::int32_t episode = 0; episode < 12; ++episode) {
    for (const NamedRow& row : Episode(24, 25 * episode)) rows.push_back(WithProbability(row));
  }
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (row == 90) controls_[0].failure = absl::UnavailableError("gone");
    if (row == 180) controls_[0].failure = OkStatus();
    ASSERT_TRUE(replay->Insert(0, rows[row].row()).ok());
  }
  ASSERT_TRUE(replay->Flush().ok());
  EXPECT_GT(replay->counters().lost, 0);
  EXPECT_GT(Rows(1), 0);
  std::set<std::int32_t> starts;
  TransitionBatch batch;
  for (Endpoint::Control& control : controls_) {
    while (control.shard->GetStatus().size.allowed > 0) {
      ASSERT_TRUE(control.shard->Sample(1, Later(), batch).ok());
      const Unroll unroll = UnrollFromBatch(batch, 0, 1);
      const std::int32_t start = unroll.states.front().back().number - 1;
      EXPECT_TRUE(starts.insert(start).second) << start;
      ExpectSame(unroll,
                 UnrollOf(rows, static_cast<std::size_t>(start), options.replay.transition, 1));
    }
  }
  EXPECT_GE(starts.size(), 20U);
  EXPECT_LT(starts.size(), 29U) << "what was lost is missing";
}

}  // namespace
}  // namespace gorila
