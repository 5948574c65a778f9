// Groups of threads over a parameter server in this process.
#include "gorila/parameter_server/network_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/network/network_samples.h"
#include "gorila/parameter_server/in_process_pieces.h"
#include "gorila/parameter_server/member.h"
#include "gorila/parameter_server/network_replica.h"

namespace gorila {
namespace {

constexpr int kBatch = 9;

NetworkSpec Spec(double noise = 0) {
  return {.input = {.channels = 4, .height = 10, .width = 10, .scale = 1 / 255.0F},
          .convolutions = {{.filters = 4, .kernel = 3, .stride = 1}},
          .hidden = {80},
          .num_actions = 6,
          .noise = noise};
}

std::vector<float> Initial(double noise = 0) {
  RandomStream random(3);
  return InitialParameters(MakeParameterLayout(Spec(noise)), random);
}

// A parameter server and who computes with it.
struct Side {
  explicit Side(int members, std::int64_t max_staleness = 1000, double noise = 0)
      : store(InProcessParameterStore::Make({.max_staleness = max_staleness,
                                             .target_period = 2,
                                             .optimizer = {.name = "sgd", .learning_rate = 0.01}},
                                            3, Initial(noise))
                  .value()),
        pieces(*store) {
    if (members > 1) {
      group = NetworkGroup::OfThreads({.members = members, .max_batch = kBatch, .client = 7},
                                      Spec(noise), *store, pieces)
                  .value();
    }
    ParameterStore& seen = group != nullptr ? group->store() : *store;
    const auto network = [&](bool target) {
      return group != nullptr ? group->MakeNetwork(target).value()
                              : MakeQNetwork("gemm", Spec(noise), kBatch).value();
    };
    online.emplace(network(false), seen, NetworkReplica::Follows::kOnline);
    target.emplace(network(true), seen, NetworkReplica::Follows::kTarget);
    gradient.resize(online->network().layout().size);
  }

  ParameterStore& seen() { return group != nullptr ? group->store() : *store; }

  void Compute(const Sample& sample) {
    EXPECT_TRUE(online->Refresh().ok());
    std::vector<float> q(sample.q.size());
    online->network().Redraw(random);
    online->network().Forward(sample.observations, kBatch, q);
    online->network().Backward(sample.dq, gradient);
  }
  PushOutcome Update(const Sample& sample) {
    Compute(sample);
    return Push();
  }
  // As a learner with push_every: `summed` gradients are in `sum`.
  void AddUp(int summed, bool last) {
    if (summed == 0) sum.assign(gradient.size(), 0.0F);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradient[i];
    seen().AddUpElsewhere(summed, last);
  }
  PushOutcome Push() { return seen().Push(gradient, online->versions()).value(); }

  std::vector<float> TargetQ(const Sample& sample) {
    EXPECT_TRUE(target->Refresh().ok());
    target->network().Redraw(random);
    std::vector<float> q(sample.q.size());
    target->network().Predict(sample.observations, kBatch, q);
    return q;
  }

  std::vector<float> Values() const {
    std::vector<float> values(store->size());
    ShardVersions versions(3, -1);
    EXPECT_TRUE(store->Pull(values, versions).ok());
    return values;
  }

  std::unique_ptr<InProcessParameterStore> store;
  InProcessPieceStore pieces;
  std::unique_ptr<NetworkGroup> group;
  std::optional<NetworkReplica> online;
  std::optional<NetworkReplica> target;
  std::vector<float> gradient;
  std::vector<float> sum;
  RandomStream random{8};
};

void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 2e-5) << i;
}

TEST(NetworkGroupTest, LearnsWhatOneMemberLearns) {
  for (const int members : {2, 3, 5}) {
    Side one(1);
    Side group(members);
    EXPECT_EQ(group.gradient.size() + 0U, StageOffsets(group.group->plan(), 0).back());
    EXPECT_LT(group.gradient.size(), one.gradient.size());
    for (int update = 0; update < 7; ++update) {
      const Sample sample(Spec(), kBatch, 20 + static_cast<std::uint64_t>(update));
      ExpectNear(group.TargetQ(sample), one.TargetQ(sample));
      EXPECT_EQ(one.Update(sample).accepted, 3);
      EXPECT_EQ(group.Update(sample).accepted, 3) << "each shard decides once";
      EXPECT_EQ(group.online->versions(), one.online->versions());
    }
    ExpectNear(group.Values(), one.Values());
    EXPECT_EQ(group.store->UpdateCount(), 7);
    EXPECT_NE(group.Values(), Initial());
  }
}

TEST(NetworkGroupTest, LearnsANoisyNetworkAsOneMemberDoes) {
  Side one(1, 1000, 0.5);
  Side group(3, 1000, 0.5);
  for (int update = 0; update < 5; ++update) {
    const Sample sample(Spec(0.5), kBatch, 20 + static_cast<std::uint64_t>(update));
    ExpectNear(group.TargetQ(sample), one.TargetQ(sample));
    EXPECT_EQ(one.Update(sample).accepted, 3);
    EXPECT_EQ(group.Update(sample).accepted, 3);
  }
  ExpectNear(group.Values(), one.Values());
  EXPECT_NE(group.Values(), Initial(0.5));
}

TEST(NetworkGroupTest, ASumIsPushedByEveryMember) {
  Side one(1);
  Side group(3);
  for (Side* side : {&one, &group}) {
    for (int push = 0; push < 2; ++push) {
      const std::vector<float> before = side->Values();
      for (int i = 0; i < 3; ++i) {
        side->Compute(Sample(Spec(), kBatch, 30 + static_cast<std::uint64_t>(3 * push + i)));
        EXPECT_EQ(side->Values(), before);
        if (i == 1) {
          for (float& value : side->gradient) value *= 0.25F;
          side->online->network().ScaleElsewhere(0.25F);
        }
        side->AddUp(i, /*last=*/i == 2);
      }
      EXPECT_EQ(side->seen().Push(side->sum, side->online->versions())->accepted, 3);
    }
  }
  ExpectNear(group.Values(), one.Values());
  EXPECT_EQ(group.store->UpdateCount(), 2);
}

TEST(NetworkGroupTest, AnyNumberOfMembersContinuesASum) {
  const auto finish = [](Side& side, int summed) {
    side.Compute(Sample(Spec(), kBatch, 42));
    side.AddUp(summed, /*last=*/true);
    EXPECT_EQ(side.seen().Push(side.sum, side.online->versions())->accepted, 3);
    return side.Values();
  };
  Side whole(3);
  std::vector<float> sum;
  for (int i = 0; i < 2; ++i) {
    whole.Compute(Sample(Spec(), kBatch, 40 + static_cast<std::uint64_t>(i)));
    whole.AddUp(i, /*last=*/false);
  }
  sum = whole.seen().WholeSum(whole.sum, 2);
  EXPECT_THAT(sum, testing::SizeIs(whole.store->size()));
  const std::vector<float> expected = finish(whole, 2);
  for (const int members : {1, 2, 3, 5}) {
    Side side(members);
    side.sum.resize(side.gradient.size());
    ASSERT_TRUE(side.seen().RestoreWholeSum(sum, 2, side.sum).ok());
    ExpectNear(finish(side, 2), expected);
    EXPECT_TRUE(absl::IsDataLoss(
        side.seen().RestoreWholeSum(std::vector<float>(sum.size() - 1), 2, side.sum)));
  }
}

TEST(NetworkGroupTest, AFactorScalesEveryMembersPart) {
  Side one(1);
  Side group(3);
  const Sample sample(Spec(), kBatch, 4);
  for (Side* side : {&one, &group}) {
    ASSERT_TRUE(side->online->Refresh().ok());
    std::vector<float> q(sample.q.size());
    side->online->network().Forward(sample.observations, kBatch, q);
    side->online->network().Backward(sample.dq, side->gradient);
    for (float& value : side->gradient) value *= 0.25F;
    side->online->network().ScaleElsewhere(0.25F);
    side->Push();
  }
  ExpectNear(group.Values(), one.Values());
  EXPECT_NE(one.Values(), Initial());
}

TEST(NetworkGroupTest, StalenessCountsForTheWholeGradient) {
  Side group(3, /*max_staleness=*/1);
  const Sample sample(Spec(), kBatch, 4);
  EXPECT_EQ(group.Update(sample).accepted, 3);
  const ShardVersions old(3, 0);
  EXPECT_EQ(group.seen().Push(group.gradient, old)->accepted, 3) << "one behind";
  const std::vector<float> before = group.Values();
  EXPECT_EQ(group.seen().Push(group.gradient, old)->stale, 3) << "two behind";
  EXPECT_EQ(group.Values(), before);
}

TEST(NetworkGroupTest, APartThatIsNotFiniteIsRefusedWithItsSliceOnly) {
  Side group(2);
  Sample sample(Spec(), kBatch, 4);
  for (float& value : sample.dq) value = 1e30F;
  const PushOutcome outcome = group.Update(sample);
  EXPECT_EQ(outcome.invalid, 3);
  EXPECT_EQ(group.Values(), Initial());
}

// Shards that never have all parts: two members with one index, or members of another run.
TEST(NetworkGroupTest, APushThatIsNeverCompleteEnds) {
  class NeverComplete final : public PieceStore {
   public:
    explicit NeverComplete(PieceStore& store) : store_(store) {}
    int num_shards() const override { return store_.num_shards(); }
    StatusOr<bool> PullPieces(const Pieces& pieces, std::span<float> local, ShardVersions& versions,
                              bool target) override {
      return store_.PullPieces(pieces, local, versions, target);
    }
    Status Stage(const GradientPart&, const Pieces&, std::span<const float>, float) override {
      return OkStatus();
    }
    StatusOr<CommitOutcome> Commit(const GradientPart&, const Pieces&, std::span<const float>,
                                   const ShardVersions&, std::span<const Pieces>) override {
      ++commits;
      return CommitOutcome{.slices = {}, .complete = false};
    }
    int commits = 0;

   private:
    PieceStore& store_;
  };
  Side side(1);
  NeverComplete pieces(side.pieces);
  const auto group = NetworkGroup::OfThreads({.members = 2, .max_batch = kBatch, .client = 7},
                                             Spec(), *side.store, pieces)
                         .value();
  NetworkReplica online(group->MakeNetwork(false).value(), group->store(),
                        NetworkReplica::Follows::kOnline);
  ASSERT_TRUE(online.Refresh().ok());
  Sample sample(Spec(), kBatch, 4);
  std::vector<float> gradient(online.network().layout().size);
  online.network().Forward(sample.observations, kBatch, sample.q);
  online.network().Backward(sample.dq, gradient);
  const Status status = group->store().Push(gradient, online.versions()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("still lack parts of it"));
  EXPECT_LE(pieces.commits, 20);
  EXPECT_GT(group->seconds(), 0);
}

TEST(NetworkGroupTest, ACommitWithoutEveryPartDecidesNothing) {
  Side side(1);
  const SplitPlan plan = MakeSplitPlan(Spec(), 3).value();
  const auto part = [&](int member) {
    return GradientPart{.client = 1, .sequence = 1, .member = member, .members = 3};
  };
  const auto local = [&](int member) {
    return std::vector<float>(StageOffsets(plan, member).back(), 1.0F);
  };
  const ShardVersions versions(3, 0);
  ASSERT_TRUE(side.pieces.Stage(part(1), PiecesOf(plan, 1), local(1), 1).ok());
  auto outcome = side.pieces.Commit(part(0), PiecesOf(plan, 0), local(0), versions, {});
  EXPECT_FALSE(outcome->complete);
  EXPECT_EQ(side.store->UpdateCount(), 0);
  ASSERT_TRUE(side.pieces.Stage(part(2), PiecesOf(plan, 2), local(2), 1).ok());
  outcome = side.pieces.Commit(part(0), PiecesOf(plan, 0), local(0), versions, {});
  EXPECT_TRUE(outcome->complete);
  EXPECT_EQ(outcome->slices.accepted, 3);
  std::vector<float> expected = Initial();
  for (float& value : expected) value -= 0.01F;
  ExpectNear(side.Values(), expected);
}

TEST(NetworkGroupTest, AMemberAnswersOnlyWhatFits) {
  Side side(1);
  const SplitPlan plan = MakeSplitPlan(Spec(), 2).value();
  Member member(plan, 1, kBatch, side.pieces);
  const std::size_t inputs = plan.stages[0].inputs();
  std::vector<float> in(2 * inputs);
  std::vector<float> out(2 * 6);
  MemberCall call{.kind = MemberCall::Kind::kForward, .rows = 2, .in = in, .out = out};
  EXPECT_TRUE(absl::IsFailedPrecondition(member.Do(call).status())) << "no parameters yet";
  ASSERT_TRUE(member.Do({.kind = MemberCall::Kind::kPull}).ok());
  EXPECT_TRUE(member.Do(call).ok());
  MemberCall back{.kind = MemberCall::Kind::kBackward, .rows = 2, .in = out, .out = in};
  EXPECT_TRUE(absl::IsFailedPrecondition(member.Do(back).status())) << "nothing was kept";
  EXPECT_TRUE(absl::IsFailedPrecondition(
      member.Do({.kind = MemberCall::Kind::kStage, .client = 1, .sequence = 1}).status()));
  const MemberCall add{.kind = MemberCall::Kind::kAddUp, .summed = 1};
  EXPECT_TRUE(absl::IsFailedPrecondition(member.Do(add).status())) << "no gradient";
  std::vector<float> sum(member.local_size());
  MemberCall read{.kind = MemberCall::Kind::kSum, .out = sum, .summed = 1};
  EXPECT_TRUE(absl::IsFailedPrecondition(member.Do(read).status())) << "no sum";
  EXPECT_TRUE(member.Do({.kind = MemberCall::Kind::kSum, .in = sum, .summed = 1}).ok());
  EXPECT_TRUE(member.Do(read).ok());
  read.summed = 2;
  EXPECT_TRUE(absl::IsFailedPrecondition(member.Do(read).status())) << "of another length";
  for (const MemberCall& bad :
       {MemberCall{.kind = MemberCall::Kind::kNoise, .in = in},
        MemberCall{.kind = MemberCall::Kind::kSum, .summed = 1},
        MemberCall{.kind = MemberCall::Kind::kSum, .in = sum, .out = sum, .summed = 1},
        MemberCall{.kind = MemberCall::Kind::kSum, .in = sum}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(member.Do(bad).status()));
  }
  for (const auto& [stage, rows] : {std::pair(-1, 2), {1, 2}, {0, 0}, {0, 3}, {0, kBatch + 1}}) {
    call.stage = stage;
    call.rows = static_cast<std::size_t>(rows);
    EXPECT_TRUE(absl::IsInvalidArgument(member.Do(call).status())) << stage << " " << rows;
  }
}

}  // namespace
}  // namespace gorila
