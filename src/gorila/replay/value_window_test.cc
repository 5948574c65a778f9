// First priorities by the actor's values, in the window itself and through both replays.
#include "gorila/replay/value_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/replay/shard_testing.h"

namespace gorila {
namespace {

using testing_replay::Episode;
using testing_replay::Later;
using testing_replay::MakeShard;
using testing_replay::NamedFrames;
using testing_replay::NamedRow;
using testing_replay::OwnedRun;

constexpr double kDiscount = 0.5;

// Decisions 0 .. 4 with reward 1 each, q(s_k, a_k) = k and max q(s_k, .) = k + 1; then the end.
std::vector<NamedRow> Rows(float last_discount) {
  std::vector<NamedRow> rows = Episode(5);
  for (std::size_t k = 0; k < 5; ++k) {
    rows[k].values = {.taken = static_cast<float>(k), .best = static_cast<float>(k) + 1};
  }
  rows.back().time_step.discount = last_discount;
  return rows;
}

LocalReplayOptions Options(int n_step) {
  return {.capacity = 100,
          .transition = {.n_step = n_step, .discount = kDiscount},
          .rate = {.updates_per_step = 1e9, .min_size = 0},
          .selector = {.name = "prioritized", .priority_exponent = 1, .initial_priorities = true}};
}

// |TD error| of the transition from row k, by hand: rewards are 1.
double Error(std::size_t k, int n_step, bool terminal) {
  const std::size_t end = std::min<std::size_t>(k + static_cast<std::size_t>(n_step), 5);
  double target = 0;
  double discount = 1;
  for (std::size_t t = k; t < end; ++t) {
    target += discount;
    discount *= kDiscount;
  }
  if (end < 5) target += discount * (static_cast<double>(end) + 1);
  // At a time-out nobody knows the last state's value: the largest priority, 1 at first.
  if (end == 5 && !terminal) return 1;
  return std::abs(target - static_cast<double>(k));
}

// With which probability each row's transition is drawn.
std::vector<double> Probabilities(const TransitionBatch& batch) {
  std::vector<double> probabilities(5, 0);
  for (std::size_t i = 0; i < batch.a_tm1.size(); ++i) {
    probabilities[static_cast<std::size_t>(batch.a_tm1[i])] = batch.probabilities[i];
  }
  return probabilities;
}

// `largest`: whether an error above 1 could have raised what unknown ones get; here it cannot,
// because priorities that actors give are not counted among the largest before they are given.
void ExpectDrawnByErrors(const TransitionBatch& batch, int n_step, bool terminal) {
  double mass = 0;
  double largest = 1;
  std::vector<double> priorities;
  for (std::size_t k = 0; k < 5; ++k) {
    const bool unknown = !terminal && k + static_cast<std::size_t>(n_step) >= 5;
    priorities.push_back((unknown ? largest : Error(k, n_step, terminal)) + (unknown ? 0 : 1e-6));
    largest = std::max(largest, priorities.back());
    mass += priorities.back();
  }
  const std::vector<double> probabilities = Probabilities(batch);
  for (std::size_t k = 0; k < 5; ++k) {
    if (priorities[k] < 0.01) continue;  // hardly ever drawn
    EXPECT_NEAR(probabilities[k], priorities[k] / mass, 1e-5) << k;
  }
}

class InitialPriorityTest : public testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  int n_step() const { return std::get<0>(GetParam()); }
  bool terminal() const { return std::get<1>(GetParam()); }
};

TEST_P(InitialPriorityTest, ALocalReplayDrawsByThem) {
  const auto replay =
      LocalReplay::Make(Options(n_step()), NamedFrames(1), 1, RandomStream(3)).value();
  for (const NamedRow& row : Rows(terminal() ? 0 : 1)) {
    ASSERT_TRUE(replay->Insert(0, row.row()).ok());
  }
  TransitionBatch batch;
  ASSERT_TRUE(replay->Sample(2000, batch).ok());
  ExpectDrawnByErrors(batch, n_step(), terminal());
}

TEST_P(InitialPriorityTest, AShardDrawsByThem) {
  ReplayShardOptions options = testing_replay::ShardOptions(1000);
  options.replay.transition = Options(n_step()).transition;
  options.replay.selector = Options(n_step()).selector;
  const auto shard = MakeShard(options);
  OwnedRun run({.actor = 1, .life = 2, .stream = 0}, Rows(terminal() ? 0 : 1));
  run.with_values_ = true;
  const RowRun rows = run.run();
  ASSERT_TRUE(shard->Insert({&rows, 1}, Later(), InsertLimit::kKept).ok());
  TransitionBatch batch;
  ASSERT_TRUE(shard->Sample(2000, Later(), batch).ok());
  ExpectDrawnByErrors(batch, n_step(), terminal());
}

INSTANTIATE_TEST_SUITE_P(StepsAndEnds, InitialPriorityTest,
                         testing::Combine(testing::Values(1, 3), testing::Bool()));

// Rows that wait for their n-th next are completed after the restore.
TEST(InitialPriorityTest, AreTheSameAfterARestore) {
  const auto make = [] {
    return LocalReplay::Make(Options(3), NamedFrames(1), 1, RandomStream(3)).value();
  };
  const std::vector<NamedRow> rows = Rows(0);
  const auto replay = make();
  for (std::size_t k = 0; k < 3; ++k) ASSERT_TRUE(replay->Insert(0, rows[k].row()).ok());
  StateWriter state, segment;
  replay->SaveState(state);
  replay->SaveNewRows(1 << 20, segment);
  const auto restored = make();
  StateReader state_reader(state.bytes()), rows_reader(segment.bytes());
  ASSERT_TRUE(restored->RestoreState(state_reader).ok());
  ASSERT_TRUE(restored->RestoreRows(rows_reader).ok());
  ASSERT_TRUE(restored->FinishRestore().ok());
  TransitionBatch expected, got;
  for (std::size_t k = 3; k < rows.size(); ++k) {
    ASSERT_TRUE(replay->Insert(0, rows[k].row()).ok());
    ASSERT_TRUE(restored->Insert(0, rows[k].row()).ok());
  }
  ASSERT_TRUE(replay->Sample(500, expected).ok());
  ASSERT_TRUE(restored->Sample(500, got).ok());
  EXPECT_EQ(got.keys, expected.keys);
  EXPECT_EQ(got.probabilities, expected.probabilities);
}

TEST(ValueWindowTest, ValuesThatAreNotFiniteGiveNoPriority) {
  const auto shard = MakeShard([] {
    ReplayShardOptions options = testing_replay::ShardOptions(1000);
    options.replay.selector = Options(1).selector;
    return options;
  }());
  std::vector<NamedRow> rows = Rows(0);
  rows[1].values.best = std::numeric_limits<float>::infinity();
  rows[3].values.taken = std::numeric_limits<float>::quiet_NaN();
  OwnedRun run({.actor = 1, .life = 2, .stream = 0}, rows);
  run.with_values_ = true;
  const RowRun owned = run.run();
  ASSERT_TRUE(shard->Insert({&owned, 1}, Later(), InsertLimit::kKept).ok());
  shard->CheckInvariants();
  run.values_.pop_back();
  const RowRun torn = run.run();
  EXPECT_TRUE(
      absl::IsInvalidArgument(shard->Insert({&torn, 1}, Later(), InsertLimit::kKept).status()));
}

}  // namespace
}  // namespace gorila
