// A group against the whole network.
#include "gorila/network/split/split_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "gorila/network/network_samples.h"
#include "gorila/network/split/member_network.h"
#include "gorila/network/split/split_dense.h"

namespace gorila {
namespace {

constexpr int kBatch = 13;

std::vector<float> TakePieces(const Pieces& pieces, std::size_t size, std::span<const float> flat) {
  std::vector<float> local(size);
  CopyFromFlat(pieces, flat, local);
  return local;
}

// A member that computes when it is asked, with parameters that it has from the test.
class DirectLink final : public MemberLink {
 public:
  DirectLink(const SplitPlan& plan, int member, std::span<const float> flat)
      : network_(plan, member, kBatch * plan.rows),
        values_(TakePieces(network_.pieces(), network_.local_size(), flat)),
        gradient(network_.local_size()) {
    network_.SetParameters(values_);
  }

  void Start(const MemberCall& call) override {
    calls.push_back(call.kind);
    if (!failures.empty()) {
      answer_ = failures.front();
      failures.pop_front();
      if (answer_.ok()) answer_ = Answer(call);
      return;
    }
    answer_ = Answer(call);
  }
  StatusOr<MemberAnswer> Finish() override { return answer_; }
  Status Recover() override {
    ++recoveries;
    network_.SetParameters(values_);  // a new one has kept nothing
    return recovery;
  }

  const Pieces& pieces() const { return network_.pieces(); }

 private:
  StatusOr<MemberAnswer> Answer(const MemberCall& call) {
    MemberAnswer answer;
    if (call.kind == MemberCall::Kind::kForward) {
      network_.Forward(call.stage, call.rows, call.pass, call.in, call.out);
    } else if (call.kind == MemberCall::Kind::kBackward) {
      if (!network_.CanGoBack(call.stage, call.rows)) {
        return absl::FailedPreconditionError("kept nothing");
      }
      answer.size = network_.Backward(call.stage, call.in, gradient, call.out);
    } else if (call.kind == MemberCall::Kind::kNoise) {
      network_.SetNoise(call.in);
    }
    return answer;
  }

  MemberNetwork network_;
  const std::vector<float> values_;
  StatusOr<MemberAnswer> answer_ = MemberAnswer{};

 public:
  std::vector<float> gradient;
  std::vector<MemberCall::Kind> calls;
  std::deque<Status> failures;  // of the next calls
  Status recovery;
  int recoveries = 0;
};

// A group over a sample's parameters.
struct TestGroup {
  TestGroup(const NetworkSpec& spec, std::string_view backend, int members,
            std::span<const float> flat)
      : plan(PlanSplitNetwork(spec, members).value()) {
    std::vector<std::unique_ptr<MemberLink>> owned;
    for (int m = 1; m < members; ++m) {
      owned.push_back(std::make_unique<DirectLink>(plan, m, flat));
      links.push_back(static_cast<DirectLink*>(owned.back().get()));
    }
    group = std::make_unique<MemberGroup>(std::move(owned));
    network = MakeSplitNetwork(backend, spec, kBatch, plan, false, *group).value();
    parameters = TakePieces(PiecesOf(plan, 0), network->layout().size, flat);
    gradient.resize(parameters.size());
    network->SetParameters(parameters);
  }

  std::vector<float> WholeGradient(std::size_t size) const {
    std::vector<float> whole(size, std::nanf(""));
    CopyToFlat(PiecesOf(plan, 0), gradient, whole);
    for (const DirectLink* link : links) CopyToFlat(link->pieces(), link->gradient, whole);
    return whole;
  }

  SplitPlan plan;
  std::vector<DirectLink*> links;
  std::unique_ptr<MemberGroup> group;
  std::unique_ptr<QNetwork> network;
  std::vector<float> parameters;
  std::vector<float> gradient;
};

// Relative to the largest.
void ExpectClose(std::span<const float> actual, std::span<const float> expected,
                 const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size());
  float largest = 0;
  for (const float value : expected) largest = std::max(largest, std::abs(value));
  ASSERT_GT(largest, 0) << what;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], 1e-5 * static_cast<double>(largest)) << what << " " << i;
  }
}

TEST(SplitNetworkTest, OutputsAndGradientAreThoseOfTheWholeNetwork) {
  int compared = 0;
  for (const Case& network : Cases()) {
    for (const std::string backend : {"gemm", "onednn"}) {
      for (const int members : {1, 2, 3, 4}) {
        if (!PlanSplitNetwork(network.spec, members).ok()) continue;
        const std::string what = fmt::format("{} {} {}", network.name, backend, members);
        Sample sample(network.spec, kBatch, 11);
        const auto whole = MakeQNetwork(backend, network.spec, kBatch).value();
        sample.Compute(*whole);
        TestGroup group(network.spec, backend, members, sample.parameters);
        std::vector<float> q(sample.q.size());
        group.network->UseTaus(sample.taus);
        group.network->Predict(sample.observations, kBatch, q);
        ExpectClose(q, sample.q, what + " predict");
        group.network->UseTaus(sample.taus);
        group.network->Forward(sample.observations, kBatch, q);
        ExpectClose(q, sample.q, what + " forward");
        group.network->Backward(sample.dq, group.gradient);
        ExpectClose(group.WholeGradient(sample.gradient.size()), sample.gradient, what);
        EXPECT_NEAR(SumOfSquares(group.gradient) + group.network->elsewhere().squares,
                    SumOfSquares(sample.gradient), 1e-4 * SumOfSquares(sample.gradient));
        EXPECT_TRUE(group.network->elsewhere().finite);
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 30);
}

TEST(SplitNetworkTest, HeadsOfSeveralGamesAreDividedToo) {
  NetworkSpec spec = *MakeNetworkSpec("minatar_dqn", Breakout());
  spec.game_actions = {ActionMask(6, true), ActionMask(6, true)};
  spec.game_heads = true;
  Sample sample(spec, kBatch, 5);
  std::vector<std::int32_t> games(kBatch);
  for (std::size_t i = 0; i < games.size(); ++i) games[i] = static_cast<std::int32_t>(i % 2);
  const auto whole = MakeQNetwork("gemm", spec, kBatch).value();
  whole->UseGames(games);
  sample.Compute(*whole);
  TestGroup group(spec, "gemm", 3, sample.parameters);
  std::vector<float> q(sample.q.size());
  group.network->UseGames(games);
  group.network->Forward(sample.observations, kBatch, q);
  group.network->Backward(sample.dq, group.gradient);
  ExpectClose(q, sample.q, "q");
  ExpectClose(group.WholeGradient(sample.gradient.size()), sample.gradient, "gradient");
}

TEST(SplitNetworkTest, WhatIsNotFiniteElsewhereIsReported) {
  const NetworkSpec spec = *MakeNetworkSpec("minatar_dqn", Breakout());
  Sample sample(spec, kBatch, 5);
  TestGroup group(spec, "gemm", 2, sample.parameters);
  group.network->Forward(sample.observations, kBatch, sample.q);
  for (float& value : sample.dq) value = 1e30F;
  group.network->Backward(sample.dq, group.gradient);
  EXPECT_FALSE(group.network->elsewhere().finite);
}

// Draws twice: the second noise takes the first one's place.
TEST(SplitNetworkTest, NoiseIsThatOfTheWholeNetwork) {
  int compared = 0;
  for (const Case& network : Cases()) {
    NetworkSpec spec = network.spec;
    spec.noise = 0.5;
    for (const int members : {1, 2, 3}) {
      if (!PlanSplitNetwork(spec, members).ok()) continue;
      const std::string what = fmt::format("{} {}", network.name, members);
      Sample sample(spec, kBatch, 11);
      for (float& parameter : sample.parameters) parameter += 0.01F;  // no sigma like another
      const auto whole = MakeQNetwork("gemm", spec, kBatch).value();
      TestGroup group(spec, "gemm", members, sample.parameters);
      whole->SetParameters(sample.parameters);
      RandomStream of_whole(4);
      RandomStream of_group(4);
      std::vector<float> q(sample.q.size());
      for (int draw = 0; draw < 2; ++draw) {
        whole->Redraw(of_whole);
        group.network->Redraw(of_group);
      }
      for (QNetwork* computing : {whole.get(), group.network.get()}) {
        computing->UseTaus(sample.taus);
        computing->Forward(sample.observations, kBatch, computing == whole.get() ? sample.q : q);
      }
      ExpectClose(q, sample.q, what);
      whole->Backward(sample.dq, sample.gradient);
      group.network->Backward(sample.dq, group.gradient);
      ExpectClose(group.WholeGradient(sample.gradient.size()), sample.gradient, what);
      EXPECT_NEAR(SumOfSquares(group.gradient) + group.network->elsewhere().squares,
                  SumOfSquares(sample.gradient), 1e-3 * SumOfSquares(sample.gradient));
      group.network->SetParameters(group.parameters);
      whole->SetParameters(sample.parameters);
      for (DirectLink* link : group.links) ASSERT_TRUE(link->Recover().ok());
      whole->UseTaus(sample.taus);
      sample.Compute(*whole);
      group.network->UseTaus(sample.taus);
      group.network->Forward(sample.observations, kBatch, q);
      ExpectClose(q, sample.q, what + ", no noise since the parameters were set");
      ++compared;
    }
  }
  EXPECT_GT(compared, 15);
}

TEST(SplitNetworkTest, ANewMemberIsGivenTheNoiseAgain) {
  NetworkSpec spec = *MakeNetworkSpec("minatar_dqn", Breakout());
  spec.noise = 0.5;
  Sample sample(spec, kBatch, 5);
  TestGroup group(spec, "gemm", 2, sample.parameters);
  RandomStream random(4);
  group.network->Redraw(random);
  group.network->Forward(sample.observations, kBatch, sample.q);
  DirectLink& link = *group.links.front();
  link.calls.clear();
  link.failures = {Unavailable("killed")};
  std::vector<float> q(sample.q.size());
  group.network->Forward(sample.observations, kBatch, q);
  EXPECT_EQ(q, sample.q);
  using Kind = MemberCall::Kind;
  EXPECT_THAT(link.calls,
              testing::ElementsAre(Kind::kForward, Kind::kPull, Kind::kNoise, Kind::kForward));
}

class SplitNetworkFailureTest : public testing::Test {
 protected:
  void Forward() { group_.network->Forward(sample_.observations, kBatch, q_); }
  void Backward() { group_.network->Backward(sample_.dq, group_.gradient); }

  const NetworkSpec spec_ = *MakeNetworkSpec("minatar_dqn", Breakout());
  Sample sample_{spec_, kBatch, 5};
  TestGroup group_{spec_, "gemm", 3, sample_.parameters};
  DirectLink& link_ = *group_.links[1];
  std::vector<float> q_ = std::vector<float>(sample_.q.size());
};

TEST_F(SplitNetworkFailureTest, AForwardPassIsRepeatedByTheNewMember) {
  Forward();
  const std::vector<float> before = q_;
  link_.calls.clear();
  link_.failures = {Unavailable("killed")};
  Forward();
  EXPECT_EQ(q_, before);
  using Kind = MemberCall::Kind;
  EXPECT_THAT(link_.calls, testing::ElementsAre(Kind::kForward, Kind::kPull, Kind::kForward))
      << "a new one has no parameters";
  EXPECT_EQ(link_.recoveries, 1);
  EXPECT_FALSE(group_.group->lost());
}

TEST_F(SplitNetworkFailureTest, ADeathBeforeTheBackwardPassEndsThatGradientOnly) {
  Forward();
  link_.failures = {Unavailable("killed")};
  Backward();
  EXPECT_TRUE(group_.group->lost());
  EXPECT_TRUE(group_.group->failure().ok());
  Forward();
  Backward();
  EXPECT_FALSE(group_.group->lost());
  EXPECT_EQ(group_.group->lost_gradients(), 1);
}

TEST_F(SplitNetworkFailureTest, WhoLosesItsPartOfOneGradientLosesTheSum) {
  const auto compute = [&](int summed, bool last) {
    Forward();
    Backward();
    if (summed == 1) link_.failures = {Unavailable("killed")};
    group_.group->AddUp(summed, last);
  };
  compute(0, false);
  compute(1, false);
  EXPECT_FALSE(group_.group->lost()) << "nothing is pushed yet";
  link_.calls.clear();
  compute(2, true);
  EXPECT_THAT(link_.calls, testing::Not(testing::Contains(MemberCall::Kind::kAddUp)));
  EXPECT_TRUE(group_.group->lost());
  for (int i = 0; i < 3; ++i) {
    Forward();
    Backward();
    link_.calls.clear();
    group_.group->AddUp(i, i == 2);
    EXPECT_THAT(link_.calls, testing::ElementsAre(MemberCall::Kind::kAddUp));
  }
  EXPECT_FALSE(group_.group->lost());
  EXPECT_EQ(group_.group->lost_gradients(), 3);
}

TEST_F(SplitNetworkFailureTest, AGroupThatCannotRecoverFailsForGood) {
  link_.recovery = absl::DeadlineExceededError("nobody came");
  link_.failures = {Unavailable("killed")};
  Forward();
  EXPECT_TRUE(absl::IsDeadlineExceeded(group_.group->failure()));
  EXPECT_THAT(q_, testing::Each(0)) << "nothing is made of a part";
  link_.calls.clear();
  Forward();
  Backward();
  EXPECT_THAT(link_.calls, testing::IsEmpty());
}

TEST_F(SplitNetworkFailureTest, AFailureInTheBackwardPassIsOfTheGroup) {
  Forward();
  link_.failures = {InvalidArgument("other sizes")};
  Backward();
  EXPECT_TRUE(absl::IsInvalidArgument(group_.group->failure()));
}

TEST_F(SplitNetworkFailureTest, OtherErrorsAreFinal) {
  link_.failures = {InvalidArgument("other sizes")};
  Forward();
  EXPECT_TRUE(absl::IsInvalidArgument(group_.group->failure()));
  EXPECT_EQ(link_.recoveries, 0);
}

}  // namespace
}  // namespace gorila
