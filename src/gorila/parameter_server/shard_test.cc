#include "gorila/parameter_server/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gorila {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Verdict = ParameterShard::Verdict;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Plain descent with rate 1 unless said otherwise: a gradient of 1 lowers each value by exactly 1.
ShardOptions Options() {
  return {.max_staleness = 2, .target_period = 3, .optimizer = {.name = "sgd", .learning_rate = 1}};
}

std::unique_ptr<ParameterShard> Make(const ShardOptions& options, std::vector<float> values) {
  auto optimizer = MakeOptimizer(options.optimizer, values.size()).value();
  return std::make_unique<ParameterShard>(options, values, std::move(optimizer));
}

std::vector<float> Values(const ParameterShard& shard) { return shard.Snapshot().values; }

void ExpectSame(const ShardSnapshot& a, const ShardSnapshot& b) {
  EXPECT_EQ(a.version, b.version);
  EXPECT_EQ(a.target_version, b.target_version);
  EXPECT_EQ(a.counters.accepted, b.counters.accepted);
  EXPECT_EQ(a.counters.stale, b.counters.stale);
  EXPECT_EQ(a.counters.invalid, b.counters.invalid);
  EXPECT_EQ(a.counters.staleness_sum, b.counters.staleness_sum);
  EXPECT_EQ(a.values, b.values);
  EXPECT_EQ(a.target, b.target);
  ASSERT_EQ(a.optimizer.size(), b.optimizer.size());
  for (std::size_t i = 0; i < a.optimizer.size(); ++i) {
    EXPECT_EQ(a.optimizer[i].name, b.optimizer[i].name);
    EXPECT_EQ(a.optimizer[i].values, b.optimizer[i].values);
  }
}

TEST(ParameterShardTest, EachAcceptedGradientMakesAVersion) {
  const auto shard = Make(Options(), {0, 10});
  EXPECT_EQ(shard->version(), 0);
  EXPECT_EQ(shard->Push(std::vector<float>{1, 2}, 0), Verdict::kAccepted);
  EXPECT_EQ(shard->version(), 1);
  EXPECT_EQ(shard->Push(std::vector<float>{1, -1}, 1), Verdict::kAccepted);
  EXPECT_EQ(shard->version(), 2);
  EXPECT_THAT(Values(*shard), ElementsAre(-2, 9));
  EXPECT_EQ(shard->counters().accepted, 2);
}

TEST(ParameterShardTest, WhatIsSharedStaysAsItIs) {
  const auto shard = Make(Options(), {0, 10});
  std::int64_t have = -1;
  const auto first = shard->Share(have);
  EXPECT_EQ(have, 0);
  EXPECT_EQ(shard->Share(have), nullptr) << "nothing new";
  std::int64_t have_target = -1;
  const auto first_target = shard->ShareTarget(have_target);
  for (int version = 0; version < 3; ++version) {  // a target period
    ASSERT_EQ(shard->Push(std::vector<float>{1, 1}, version), Verdict::kAccepted);
  }
  EXPECT_THAT(*first, ElementsAre(0, 10));
  EXPECT_THAT(*first_target, ElementsAre(0, 10));
  EXPECT_THAT(*shard->Share(have), ElementsAre(-3, 7));
  EXPECT_EQ(have, 3);
  EXPECT_THAT(*shard->ShareTarget(have_target), ElementsAre(-3, 7));
  EXPECT_EQ(have_target, 3);
}

TEST(ParameterShardTest, RefusesAGradientThatIsTooOldAndChangesOnlyACounter) {
  const auto shard = Make(Options(), {0});
  const std::vector<float> one = {1};
  for (int i = 0; i < 3; ++i) ASSERT_EQ(shard->Push(one, i), Verdict::kAccepted);
  EXPECT_EQ(shard->Push(one, 1), Verdict::kAccepted) << "2 versions old: the limit";
  ShardSnapshot before = shard->Snapshot();
  EXPECT_EQ(shard->Push(one, 1), Verdict::kStale) << "3 versions old";
  EXPECT_EQ(shard->Push(one, -1), Verdict::kStale) << "never pulled";
  before.counters.stale = 2;
  ExpectSame(shard->Snapshot(), before);
}

TEST(ParameterShardTest, AZeroLimitAcceptsOnlyThePresentVersion) {
  ShardOptions options = Options();
  options.max_staleness = 0;
  const auto shard = Make(options, {0});
  const std::vector<float> one = {1};
  EXPECT_EQ(shard->Push(one, 0), Verdict::kAccepted);
  EXPECT_EQ(shard->Push(one, 0), Verdict::kStale);
  EXPECT_EQ(shard->Push(one, 1), Verdict::kAccepted);
}

TEST(ParameterShardTest, CountsStalenessByPowersOfTwoRefusedGradientsIncluded) {
  ShardOptions options = Options();
  options.max_staleness = 4;
  const auto shard = Make(options, {0});
  const std::vector<float> one = {1};
  for (int i = 0; i < 10; ++i) ASSERT_EQ(shard->Push(one, i), Verdict::kAccepted);
  ASSERT_EQ(shard->Push(one, 9), Verdict::kAccepted);  // 1 old
  ASSERT_EQ(shard->Push(one, 8), Verdict::kAccepted);  // 3
  ASSERT_EQ(shard->Push(one, 8), Verdict::kAccepted);  // 4
  ASSERT_EQ(shard->Push(one, 6), Verdict::kStale);     // 7
  ASSERT_EQ(shard->Push(one, -1), Verdict::kStale);    // 14
  const StalenessHistogram counts = shard->counters().staleness;
  EXPECT_THAT(std::vector(counts.begin(), counts.begin() + 6), ElementsAre(10, 1, 1, 2, 1, 0));
}

TEST(ParameterShardTest, SumsTheStalenessOfWhatItAccepts) {
  const auto shard = Make(Options(), {0});
  const std::vector<float> one = {1};
  for (const std::int64_t computed_from : {0, 0, 0, 0, 3}) shard->Push(one, computed_from);
  EXPECT_EQ(shard->counters().accepted, 4);
  EXPECT_EQ(shard->counters().stale, 1);
  EXPECT_EQ(shard->counters().staleness_sum, 0 + 1 + 2 + 0);
}

TEST(ParameterShardTest, RefusesANumberThatIsNoneAnywhereInTheSlice) {
  for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
    for (std::size_t place = 0; place < 35; ++place) {
      const auto shard = Make(Options(), std::vector<float>(35, 1.0F));
      ShardSnapshot before = shard->Snapshot();
      std::vector<float> gradient(35, 0.5F);
      gradient[place] = bad;
      EXPECT_EQ(shard->Push(gradient, 0), Verdict::kInvalid) << bad << " at " << place;
      before.counters.invalid = 1;
      ExpectSame(shard->Snapshot(), before);
    }
  }
}

TEST(ParameterShardTest, NoGradientMakesAParameterNan) {
  for (const OptimizerRow& row : OptimizerTable()) {
    ShardOptions options = Options();
    options.optimizer.name = row.name;
    options.optimizer.learning_rate = 1e-3;
    for (const float size : {1e-45F, 1e-30F, 1e10F, 1.8e19F, 1e20F, 3e25F, 3e38F}) {
      const auto shard = Make(options, {1, 1});
      for (int i = 0; i < 5; ++i) shard->Push(std::vector<float>{size, -size}, shard->version());
      shard->Push(std::vector<float>{1, 1}, shard->version());
      EXPECT_THAT(Values(*shard), Each(testing::Not(testing::IsNan()))) << row.name << " " << size;
    }
  }
}

TEST(SquaresAreFiniteTest, HoldsExactlyWhileTheSquareIsFinite) {
  const float largest = std::nextafter(0x1p64F, 0.0F);
  ASSERT_TRUE(std::isfinite(largest * largest));
  for (const float value : {0.0F, -0.0F, 1e-45F, -1.0F, largest, -largest}) {
    EXPECT_TRUE(SquaresAreFinite(std::vector<float>{1, value})) << value;
  }
  for (const float value : {0x1p64F, -0x1p64F, 3e38F, kInfinity, -kInfinity, kNan, -kNan}) {
    EXPECT_FALSE(SquaresAreFinite(std::vector<float>{1, value})) << value;
  }
  EXPECT_TRUE(SquaresAreFinite({}));
}

TEST(ParameterShardTest, TakesTheTargetCopyWhenTheVersionReachesAMultipleOfThePeriod) {
  const auto shard = Make(Options(), {100});
  const std::vector<float> one = {1};
  std::vector<float> target = {0};
  std::int64_t have = -1;
  EXPECT_TRUE(shard->PullTarget(target, have)) << "before any update: the first values";
  EXPECT_EQ(have, 0);
  EXPECT_THAT(target, ElementsAre(100));
  for (std::int64_t version = 1; version <= 10; ++version) {
    ASSERT_EQ(shard->Push(one, version - 1), Verdict::kAccepted);
    EXPECT_EQ(shard->PullTarget(target, have), version % 3 == 0) << version;
    const std::int64_t copied = version / 3 * 3;
    EXPECT_EQ(have, copied);
    EXPECT_THAT(target, ElementsAre(static_cast<float>(100 - copied)));
  }
}

TEST(ParameterShardTest, RefusedGradientsDoNotBringTheTargetCopyNearer) {
  const auto shard = Make(Options(), {100});
  for (int i = 0; i < 7; ++i) shard->Push(std::vector<float>{kNan}, 0);
  shard->Push(std::vector<float>{1}, 0);
  EXPECT_EQ(shard->Snapshot().target_version, 0);
  EXPECT_THAT(shard->Snapshot().target, ElementsAre(100));
}

TEST(ParameterShardTest, PullCopiesOnlyAnotherVersion) {
  const auto shard = Make(Options(), {5, 6});
  std::vector<float> values = {0, 0};
  std::int64_t have = -1;
  EXPECT_TRUE(shard->Pull(values, have));
  EXPECT_EQ(have, 0);
  EXPECT_THAT(values, ElementsAre(5, 6));
  values = {-1, -1};
  EXPECT_FALSE(shard->Pull(values, have));
  EXPECT_THAT(values, ElementsAre(-1, -1)) << "not written";
  shard->Push(std::vector<float>{1, 1}, 0);
  EXPECT_TRUE(shard->Pull(values, have));
  EXPECT_EQ(have, 1);
  EXPECT_THAT(values, ElementsAre(4, 5));
}

TEST(ParameterShardTest, FollowsTheLearningRateSchedule) {
  ShardOptions options = Options();
  options.optimizer.learning_rate_end = 0;
  options.optimizer.decay_updates = 2;
  const auto shard = Make(options, {0});
  const std::vector<float> eight = {8};
  for (int i = 0; i < 4; ++i) shard->Push(eight, i);
  EXPECT_THAT(Values(*shard), ElementsAre(-8 - 4));
}

TEST(ParameterShardTest, ARestoredShardGoesOnBitForBit) {
  for (const OptimizerRow& row : OptimizerTable()) {
    ShardOptions options = Options();
    options.optimizer.name = row.name;
    options.optimizer.learning_rate = 0.01;
    const auto shard = Make(options, {1, 2, 3});
    const auto gradient = [](int i) {
      return std::vector<float>{0.3F * static_cast<float>(i), -1, 1.0F / static_cast<float>(i + 1)};
    };
    for (int i = 0; i < 7; ++i) shard->Push(gradient(i), i - i % 2);
    shard->Push(gradient(1), -1);
    shard->Push({std::vector<float>{0, kNan, 0}}, 7);

    const auto restored = Make(options, {9, 9, 9});
    ASSERT_TRUE(restored->Restore(shard->Snapshot()).ok()) << row.name;
    ExpectSame(restored->Snapshot(), shard->Snapshot());
    for (int i = 7; i < 14; ++i) {
      shard->Push(gradient(i), i);
      restored->Push(gradient(i), i);
    }
    ExpectSame(restored->Snapshot(), shard->Snapshot());
  }
}

TEST(ParameterShardTest, AReplicaSeesThatVersionsWentBack) {
  const auto shard = Make(Options(), {0});
  const ShardSnapshot beginning = shard->Snapshot();
  shard->Push(std::vector<float>{1}, 0);
  std::vector<float> values = {7};
  std::int64_t have = -1;
  shard->Pull(values, have);
  ASSERT_TRUE(shard->Restore(beginning).ok());
  EXPECT_TRUE(shard->Pull(values, have));
  EXPECT_EQ(have, 0);
  EXPECT_THAT(values, ElementsAre(0));
}

TEST(ParameterShardTest, RefusesAForeignSnapshotAndChangesNothing) {
  ShardOptions adam = Options();
  adam.optimizer.name = "adam";
  ShardOptions adagrad = Options();
  adagrad.optimizer.name = "adagrad";
  const auto shard = Make(adam, {1, 2});
  shard->Push(std::vector<float>{0.5F, 1}, 0);
  const ShardSnapshot before = shard->Snapshot();

  ShardSnapshot short_target = before;
  short_target.target.pop_back();
  ShardSnapshot short_slot = before;
  short_slot.optimizer[1].values.pop_back();
  ShardSnapshot renamed_slot = before;
  renamed_slot.optimizer[0].name = "momentum";
  for (const ShardSnapshot& foreign :
       {Make(adam, {1, 2, 3})->Snapshot(), Make(adagrad, {1, 2})->Snapshot(),
        Make(Options(), {1, 2})->Snapshot(), short_target, short_slot, renamed_slot}) {
    EXPECT_TRUE(absl::IsInvalidArgument(shard->Restore(foreign)));
    ExpectSame(shard->Snapshot(), before);
  }
  EXPECT_THAT(std::string(shard->Restore(Make(adagrad, {1, 2})->Snapshot()).message()),
              HasSubstr("another optimizer than 'adam'; restore optimizer.name"));
}

TEST(ParameterShardTest, RefusesASnapshotThatIsNotFiniteAndChangesNothing) {
  ShardOptions adam = Options();
  adam.optimizer.name = "adam";
  const auto shard = Make(adam, {1, 2});
  shard->Push(std::vector<float>{0.5F, 1}, 0);
  const ShardSnapshot before = shard->Snapshot();
  ShardSnapshot values = before;
  values.values[1] = NAN;
  ShardSnapshot target = before;
  target.target[0] = INFINITY;
  ShardSnapshot slot = before;
  slot.optimizer[1].values[0] = -INFINITY;
  for (const ShardSnapshot& wrong : {values, target, slot}) {
    const Status status = shard->Restore(wrong);
    EXPECT_TRUE(absl::IsDataLoss(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr("1 of 2 values that are not finite"));
    ExpectSame(shard->Snapshot(), before);
  }
}

}  // namespace
}  // namespace gorila
