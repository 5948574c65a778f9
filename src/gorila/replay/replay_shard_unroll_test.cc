// A shard that serves unrolls: what it refuses and says, and what a snapshot keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "gorila/replay/shard_testing.h"
#include "gorila/replay/sharded_replay.h"
#include "gorila/replay/unroll_testing.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace testing_replay;

constexpr StreamName kStream{.actor = 1, .life = 77, .stream = 0};

ReplayShardOptions Options(int unroll, int minibatch = 2, double share = 0) {
  ReplayShardOptions options = ShardOptions(4000);
  options.replay.transition.unroll = unroll;
  options.replay.rate.insert_lead = 400;
  options.replay.selector = {.name = "queue", .minibatch = minibatch, .replayed_share = share};
  return options;
}

std::vector<NamedRow> Rows(int steps, std::int32_t first = 0, std::int32_t stream = 0) {
  std::vector<NamedRow> rows = Episode(steps, first, stream);
  for (NamedRow& row : rows) row = WithProbability(row);
  return rows;
}

// The numbers of the rows that a minibatch's unrolls start at, from 0.
std::vector<std::int32_t> Draw(ReplayShard& shard, int count) {
  TransitionBatch batch;
  EXPECT_EQ(shard.Sample(count, Later(), batch).status(), OkStatus());
  std::vector<std::int32_t> starts;
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    starts.push_back(
        UnrollFromBatch(batch, i, shard.options().observation.stack).states.front().back().number -
        1);
  }
  shard.CheckInvariants();
  return starts;
}

// A terminal state and a time-out inside one unroll, number by number.
TEST(ReplayShardUnrollTest, EpisodesEndWithinAnUnroll) {
  ReplayShardOptions options = Options(6, 1);
  options.observation = NamedFrames(2);
  const auto shard = MakeShard(options);
  std::vector<NamedRow> rows = Rows(2);                        // rows 0, 1, 2; the last is terminal
  for (const NamedRow& row : Rows(1, 3)) rows.push_back(row);  // rows 3, 4
  rows.back().time_step.discount = 1;                          // cut off
  for (const NamedRow& row : Rows(3, 5)) rows.push_back(row);  // rows 5, 6, ...
  ASSERT_TRUE(InsertRows(*shard, kStream, rows).ok());
  TransitionBatch batch;
  ASSERT_TRUE(shard->Sample(1, Later(), batch).ok());
  EXPECT_EQ(batch.unroll, 6);
  EXPECT_EQ(batch.states(), 7);
  EXPECT_THAT(batch.a_tm1, ElementsAre(0, 1, kNoAction, 0, kNoAction, 0));
  EXPECT_THAT(batch.a_t, ElementsAre(1, kNoAction, 0, kNoAction, 0, 1));
  EXPECT_THAT(batch.r_t, ElementsAre(1, 1, 0, 1, 0, 1));
  EXPECT_THAT(batch.discount_t, ElementsAre(0.9F, 0, 0, 0.9F, 0, 0.9F));
  EXPECT_THAT(batch.log_mu, ElementsAre(-1.0F / 32, -2.0F / 32, 0, -4.0F / 32, 0, -6.0F / 32));
  const Unroll unroll = UnrollFromBatch(batch, 0, 2);
  EXPECT_THAT(unroll.states[3], ElementsAre(FrameName{}, FrameName{0, 4})) << "nothing before it";
  EXPECT_THAT(unroll.states[4], ElementsAre(FrameName{0, 4}, FrameName{0, 5}));
  ExpectSame(unroll, UnrollOf(rows, 0, options.replay.transition, 2));
}

TEST(ReplayShardUnrollTest, LostRowsBreakAStreamAndUnrollsBeginAtTheNextMultiple) {
  const auto shard = MakeShard(Options(10, 1));
  const std::vector<NamedRow> rows = Rows(100);
  ASSERT_TRUE(InsertRows(*shard, kStream, {rows.begin(), rows.begin() + 25}).ok());
  ASSERT_TRUE(InsertRows(*shard, kStream, {rows.begin() + 33, rows.begin() + 65}).ok());
  EXPECT_EQ(shard->GetStatus().counters.broken_streams, 1);
  EXPECT_THAT(Draw(*shard, 1), ElementsAre(0));
  EXPECT_THAT(Draw(*shard, 1), ElementsAre(10));
  EXPECT_THAT(Draw(*shard, 1), ElementsAre(40));
  EXPECT_THAT(Draw(*shard, 1), ElementsAre(50));
  EXPECT_EQ(shard->GetStatus().size.transitions, 0);
}

TEST(ReplayShardUnrollTest, RowsWithoutAProbabilityThatCanBeAreRefused) {
  const auto shard = MakeShard(Options(5));
  const auto refusal = [&](const std::vector<NamedRow>& rows) {
    const Status status = InsertRows(*shard, kStream, rows).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(shard->GetStatus().size.rows, 0);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(Episode(9)),
              HasSubstr("10 rows with the log-probabilities of 0; expected 10"));
  for (const float value :
       {0.5F, std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<NamedRow> rows = Rows(9);
    rows[3].log_probability = value;
    EXPECT_THAT(refusal(rows), HasSubstr("row 3 has the log-probability"));
  }
  EXPECT_EQ(shard->GetStatus().counters.refused_inserts, 4);
  EXPECT_TRUE(InsertRows(*shard, kStream, Rows(9)).ok()) << "that of the last row means nothing";
  const auto other = MakeShard(ShardOptions(1000));
  EXPECT_THAT(std::string(InsertRows(*other, kStream, Rows(9)).status().message()),
              HasSubstr("this shard serves transitions"));
}

TEST(ReplayShardUnrollTest, BothSidesWaitWithAReasonInUnrolls) {
  ReplayShardOptions options = Options(10);
  options.replay.rate.insert_lead = 40;
  const auto shard = MakeShard(options);
  EXPECT_EQ(shard->GetStatus().sample_limit,
            "samples wait for inserts: 0 unrolls in the queue, 2 make a minibatch");
  const std::vector<NamedRow> rows = Rows(100);
  std::size_t sent = 0;
  for (; sent < rows.size(); ++sent) {
    if (InsertRows(*shard, kStream, {rows[sent]})->accepted == 0) break;
  }
  EXPECT_EQ(sent, 41U) << "row 40 is the last one of the fourth unroll";
  EXPECT_EQ(shard->GetStatus().insert_limit,
            "inserts wait for learners: 4 unrolls in the queue, 40 time steps, replay.insert_lead "
            "40");
  EXPECT_EQ(shard->GetStatus().size.allowed, 2);
  Draw(*shard, 2);
  EXPECT_EQ(shard->GetStatus().insert_limit, "");
}

TEST(ReplayShardUnrollTest, SettingsThatCannotBeAreRefusedByName) {
  const auto refusal = [](const ReplayShardOptions& options) {
    return std::string(ReplayShard::Make(options, RandomStream(1)).status().message());
  };
  ReplayShardOptions options = Options(10, 8);
  options.replay.rate.insert_lead = 79;
  EXPECT_THAT(refusal(options), HasSubstr("replay.insert_lead is 79 with replay.selector queue; "
                                          "expected at least learner.batch_size x learner.unroll, "
                                          "80, and at most half of replay.capacity, 2000"));
  options.replay.rate.insert_lead = 80;
  EXPECT_EQ(refusal(options), "");
  options.replay.selector.replayed_share = 0.5;
  options.replay.rate.insert_lead = 40;
  EXPECT_EQ(refusal(options), "") << "half of a minibatch comes from the queue";
  options.replay.capacity = 11;
  EXPECT_THAT(refusal(options), HasSubstr("expected at least 12 (unroll 10 + stack 1 + 1)"));
}

// The oldest chunk has the first rows of an unroll whose others have not come: it stays.
TEST(ReplayShardUnrollTest, AnUnrollThatIsNotYetCompleteDoesNotMakeRoom) {
  ReplayShardOptions options = Options(40, 1);
  options.replay.capacity = 400;
  options.replay.rate.insert_lead = 200;
  const auto shard = MakeShard(options);
  const std::vector<NamedRow> slow = Rows(100, 0, 1);
  const StreamName other{.actor = 2};
  ASSERT_TRUE(InsertRows(*shard, other, {slow.begin(), slow.begin() + 30}).ok());
  std::vector<NamedRow> rows;  // one piece: between pieces alone the limit is asked for
  for (std::int32_t first = 0; first < 820; first += 41) {
    for (const NamedRow& row : Rows(40, first)) rows.push_back(row);
  }
  EXPECT_THAT(InsertRows(*shard, kStream, rows)->waiting, HasSubstr("wait for learners"));
  EXPECT_EQ(shard->GetStatus().counters.evicted, 0);
  // Its actor may have died; when the run is over nobody may draw until the queue is short.
  EXPECT_EQ(InsertRows(*shard, kStream, rows, InsertLimit::kLifted)->waiting, "");
  EXPECT_GE(shard->GetStatus().counters.evicted, 420);
  shard->CheckInvariants();
}

// What is saved was drawn and ends in rows that are not: the same rows come again.
TEST(ReplayShardUnrollTest, ARestartRepeatsNothingAlsoWhereTheLastRowsWereNotSaved) {
  for (const bool unrolls : {true, false}) {
    ReplayShardOptions options = Options(10, 1);
    if (!unrolls) {
      options = ShardOptions(4000, /*n_step=*/5);
      options.replay.rate.insert_lead = 400;
      options.replay.selector = {.name = "queue", .minibatch = 1};
    }
    const auto shard = MakeShard(options);
    const std::vector<NamedRow> rows = unrolls ? Rows(60) : Episode(60);
    ASSERT_TRUE(InsertRows(*shard, kStream, {rows.begin(), rows.begin() + 38}).ok());
    StateWriter segment;
    ASSERT_EQ(shard->SaveNewRows(1 << 20, segment).rows, 38);
    ASSERT_TRUE(InsertRows(*shard, kStream, {rows.begin() + 38, rows.begin() + 45}).ok());
    TransitionBatch batch;
    std::set<std::uint64_t> drawn;
    while (shard->GetStatus().size.allowed > 0) {
      ASSERT_TRUE(shard->Sample(1, Later(), batch).ok());
      drawn.insert(batch.keys.front());
    }
    EXPECT_EQ(drawn.size(), unrolls ? 4U : 40U);
    StateWriter state;
    shard->SaveState(state);
    const auto restored = MakeShard(options, 2);
    StateReader state_reader(state.bytes());
    StateReader segment_reader(segment.bytes());
    ASSERT_EQ(restored->RestoreState(state_reader), OkStatus());
    ASSERT_EQ(restored->RestoreRows(segment_reader), OkStatus());
    ASSERT_EQ(restored->FinishRestore(), OkStatus());
    ASSERT_TRUE(InsertRows(*restored, kStream, rows).ok());
    restored->CheckInvariants();
    std::size_t more = 0;
    for (; restored->GetStatus().size.allowed > 0; ++more) {
      ASSERT_TRUE(restored->Sample(1, Later(), batch).ok());
      const bool repeated = drawn.contains(batch.keys.front());
      // Rows that were not saved come anew, and what starts in them.
      EXPECT_FALSE(repeated && batch.keys.front() < 38) << batch.keys.front();
    }
    EXPECT_EQ(more, unrolls ? 2U : 22U);
  }
}

// States of versions that did not mark what was drawn have 0 in its place.
TEST(ReplayShardUnrollTest, AQueueSavedByAnEarlierVersionDrawsNothingAgain) {
  ReplayShardOptions options = ShardOptions(4000);
  options.replay.rate.insert_lead = 400;
  options.replay.selector = {.name = "queue", .minibatch = 4};
  const auto shard = MakeShard(options);
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(10)).ok());
  TransitionBatch batch;
  ASSERT_TRUE(shard->Sample(4, Later(), batch).ok());
  ShardSnapshot snapshot;
  snapshot.Save(*shard, 1 << 20);
  const float mark = 2;
  const float none = 0;
  int marks = 0;
  for (std::size_t at = 0; at + sizeof(mark) <= snapshot.state_.size(); at += 4) {
    if (std::memcmp(&snapshot.state_[at], &mark, sizeof(mark)) != 0) continue;
    std::memcpy(&snapshot.state_[at], &none, sizeof(none));
    ++marks;
  }
  ASSERT_EQ(marks, 4);
  const auto restored = MakeShard(options, 2);
  ASSERT_EQ(snapshot.Restore(*restored), OkStatus());
  EXPECT_EQ(restored->GetStatus().size.transitions, 6);
  ASSERT_TRUE(restored->Sample(4, Later(), batch).ok());
  EXPECT_EQ(FromBatch(batch, 0, 1).a_tm1, 4);
}

// Byte for byte: numbers of rows in front, nothing more with a row than its step, action and frame.
TEST(ReplayShardUnrollTest, SnapshotsWithoutUnrollsHaveTheirOldForm) {
  const auto shard = MakeShard(ShardOptions(4000));
  ASSERT_TRUE(InsertRows(*shard, kStream, Episode(9)).ok());
  ShardSnapshot snapshot;
  snapshot.Save(*shard, 1 << 20);
  std::int32_t chunk_rows = 0;
  std::memcpy(&chunk_rows, snapshot.state_.data(), sizeof(chunk_rows));
  EXPECT_EQ(chunk_rows, 62);
  EXPECT_EQ(snapshot.segments_.front().first.size(),
            16 + 10 * (sizeof(TimeStep) + sizeof(std::int32_t) + sizeof(FrameName)));
  const Status status = snapshot.Restore(*MakeShard(Options(5)));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("learner.unroll 0 (0: none), expected 5"));
}

TEST(ReplayShardUnrollTest, ASnapshotWithAProbabilityThatCannotBeIsDataLoss) {
  const ReplayShardOptions options = Options(5);
  const auto shard = MakeShard(options);
  ASSERT_TRUE(InsertRows(*shard, kStream, Rows(9)).ok());
  ShardSnapshot snapshot;
  snapshot.Save(*shard, 1 << 20);
  const float bad = 3;
  std::string& rows = snapshot.segments_.front().first;
  std::memcpy(&rows[16 + sizeof(TimeStep) + sizeof(std::int32_t)], &bad, sizeof(bad));
  const Status status = snapshot.Restore(*MakeShard(options));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("log-probability 3"));
}

TEST(ReplayShardUnrollTest, APartOfAMinibatchWasDrawnBeforeAndSurvivesARestart) {
  const ReplayShardOptions options = Options(10, 4, 0.5);
  const auto shard = MakeShard(options);
  EXPECT_THAT(shard->GetStatus().sample_limit, HasSubstr("0 unrolls in the queue, 2 make"));
  ASSERT_TRUE(InsertRows(*shard, kStream, Rows(80)).ok());
  EXPECT_EQ(shard->GetStatus().size.allowed, 4);
  std::set<std::int32_t> seen;
  const auto check = [&](ReplayShard& from, std::int32_t first) {
    const std::vector<std::int32_t> starts = Draw(from, 4);
    EXPECT_THAT(std::vector(starts.begin(), starts.begin() + 2), ElementsAre(first, first + 10));
    seen.insert({first, first + 10});
    EXPECT_TRUE(seen.contains(starts[2]) && seen.contains(starts[3]));
  };
  check(*shard, 0);
  check(*shard, 20);
  EXPECT_EQ(shard->GetStatus().size.transitions, 8) << "what was drawn is still kept";
  EXPECT_EQ(shard->GetStatus().size.mass, 4) << "shards are drawn from by what is new";
  ShardSnapshot snapshot;
  snapshot.Save(*shard, 1 << 20);
  const auto restored = MakeShard(options, 2);
  ASSERT_EQ(snapshot.Restore(*restored), OkStatus());
  EXPECT_EQ(restored->GetStatus().size.transitions, 8);
  EXPECT_EQ(restored->GetStatus().size.allowed, 2);
  check(*restored, 40);
  check(*restored, 60);
  EXPECT_EQ(restored->GetStatus().size.allowed, 0);
  restored->CheckInvariants();
}

// Several streams and shards behind one Replay: each row is the start of a transition in exactly
// one unroll, but for the last ones, which wait for the next row.
TEST(ReplayShardUnrollTest, EveryRowOfEveryStreamIsInOneUnroll) {
  constexpr int kStreams = 5;
  constexpr int kSteps = 30;
  constexpr int kUnroll = 7;
  std::vector<std::unique_ptr<ReplayEndpoint>> shards;
  for (int i = 0; i < 2; ++i) shards.push_back(MakeShard(Options(kUnroll, 1), 10));
  ShardedReplay replay({.streams = kStreams,
                        .frame_bytes = sizeof(FrameName),
                        .insert_rows = 5,
                        .unroll = kUnroll,
                        .retry = std::chrono::milliseconds(20)},
                       std::move(shards), RandomStream(1));
  std::vector<std::vector<NamedRow>> rows(kStreams);
  std::map<FrameName, int> times;
  std::vector<std::int32_t> last(kStreams, 0);
  TransitionBatch batch;
  const TransitionOptions transition = Options(kUnroll).replay.transition;
  for (std::int32_t episode = 0; episode < 20; ++episode) {
    for (std::int32_t stream = 0; stream < kStreams; ++stream) {
      for (const NamedRow& row : Rows(kSteps, episode * (kSteps + 1), stream)) {
        rows[static_cast<std::size_t>(stream)].push_back(row);
        ASSERT_TRUE(replay.Insert(stream, row.row()).ok());
      }
    }
    ASSERT_TRUE(replay.Flush().ok());
    const std::int32_t complete = ((episode + 1) * (kSteps + 1) - 1) / kUnroll * kStreams;
    const std::int32_t before =
        (episode * (kSteps + 1) - (episode > 0 ? 1 : 0)) / kUnroll * kStreams;
    for (std::int32_t i = before; i < complete; ++i) {
      ASSERT_TRUE(replay.Sample(1, batch).ok());
      const Unroll unroll = UnrollFromBatch(batch, 0, 1);
      const FrameName first = unroll.states.front().back();
      const auto stream = static_cast<std::size_t>(first.stream);
      EXPECT_GT(first.number, last[stream]) << "in order";
      last[stream] = first.number;
      ExpectSame(unroll,
                 UnrollOf(rows[stream], static_cast<std::size_t>(first.number - 1), transition, 1));
      for (int row = 0; row < kUnroll; ++row) ++times[{first.stream, first.number + row}];
    }
  }
  for (const auto& [name, count] : times) EXPECT_EQ(count, 1) << name.stream << " " << name.number;
  const auto whole = static_cast<std::size_t>((20 * (kSteps + 1) - 1) / kUnroll * kUnroll);
  EXPECT_EQ(times.size(), whole * kStreams);
}

}  // namespace
}  // namespace gorila
