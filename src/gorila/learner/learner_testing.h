// A learner with a linear network on three inputs, whose gradient is written down here, between a
// replay and a store that the tests see into.
#ifndef GORILA_LEARNER_LEARNER_TESTING_H_
#define GORILA_LEARNER_LEARNER_TESTING_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "gorila/base/random.h"
#include "gorila/learner/learner.h"
#include "gorila/network/q_network.h"

namespace gorila {

inline constexpr std::size_t kInputs = 3;
inline constexpr std::size_t kActions = 2;
inline constexpr std::size_t kWeights = kActions * kInputs;
inline constexpr std::size_t kSize = kWeights + kActions;  // and the biases
inline constexpr int kBatch = 6;

inline NetworkSpec Linear() {
  return {.input = {.channels = static_cast<int>(kInputs), .element = ElementType::kFloat32},
          .convolutions = {},
          .hidden = {},
          .num_actions = static_cast<int>(kActions)};
}

// Serves fixed parameters of one version and keeps what is pushed.
class FakeStore final : public ParameterStore {
 public:
  explicit FakeStore(RandomStream& random) : theta(kSize), theta_minus(kSize) {
    for (float& value : theta) value = static_cast<float>(2 * random.Uniform() - 1);
    for (float& value : theta_minus) value = static_cast<float>(2 * random.Uniform() - 1);
  }

  std::size_t size() const override { return kSize; }
  int num_shards() const override { return 2; }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override {
    std::copy(theta.begin(), theta.end(), values.begin());
    versions = {version, version + 1};
    return true;
  }
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    std::copy(theta_minus.begin(), theta_minus.end(), values.begin());
    versions = {0, 0};
    return true;
  }
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override {
    if (!failure.ok()) return failure;
    gradients.emplace_back(gradient.begin(), gradient.end());
    pushed_versions.push_back(versions);
    version += updates_at_push;
    return PushOutcome{.accepted = 1, .stale = 1, .invalid = 0};
  }
  std::int64_t UpdateCount() const override { return version; }

  std::vector<float> theta;
  std::vector<float> theta_minus;
  std::int64_t version = 4;
  std::int64_t updates_at_push = 0;  // the gradient's own, and those of others before it
  std::vector<std::vector<float>> gradients;
  std::vector<ShardVersions> pushed_versions;
  Status failure;  // what Push returns
};

// Always gives the same minibatch.
class FakeReplay final : public Replay {
 public:
  explicit FakeReplay(RandomStream& random) {
    batch.size = kBatch;
    for (std::pmr::vector<std::byte>* states : {&batch.s_tm1, &batch.s_t}) {
      std::vector<float> values(kBatch * kInputs);
      for (float& value : values) value = static_cast<float>(2 * random.Uniform() - 1);
      const auto bytes = std::as_bytes(std::span(values));
      states->assign(bytes.begin(), bytes.end());
    }
    for (int i = 0; i < kBatch; ++i) {
      batch.a_tm1.push_back(random.Integer(0, static_cast<int>(kActions)));
      batch.r_t.push_back(static_cast<float>(4 * random.Uniform() - 2));
      batch.discount_t.push_back(i == 2 ? 0 : 0.9F);
      batch.keys.push_back(100 + static_cast<std::uint64_t>(i));
      batch.probabilities.push_back(0.125);
    }
  }

  Status Insert(int, const ReplayRow&) override { return OkStatus(); }
  bool CanSample() const override { return true; }
  Status Sample(int size, TransitionBatch& sampled) override {
    if (!failure.ok()) return failure;
    EXPECT_EQ(size, kBatch);
    sampled = batch;
    return OkStatus();
  }
  Status UpdatePriorities(const TransitionBatch& sampled,
                          std::span<const float> td_errors) override {
    EXPECT_EQ(sampled.keys, batch.keys);
    told.emplace_back(td_errors.begin(), td_errors.end());
    return OkStatus();
  }
  ReplaySize Size() const override { return {}; }

  std::vector<std::vector<float>> told;  // TD errors
  TransitionBatch batch;
  Status failure;  // what Sample returns
};

inline std::vector<float> Floats(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

inline double Q(const std::vector<float>& theta, const float* state, std::size_t action) {
  double q = static_cast<double>(theta[kWeights + action]);
  for (std::size_t k = 0; k < kInputs; ++k) {
    q += static_cast<double>(theta[action * kInputs + k]) * static_cast<double>(state[k]);
  }
  return q;
}

class LearnerTest : public testing::Test {
 protected:
  std::unique_ptr<Learner> Make(const LearnerOptions& options) {
    auto target =
        std::make_unique<NetworkReplica>(MakeQNetwork("reference", Linear(), kBatch).value(),
                                         store_, NetworkReplica::Follows::kTarget);
    return Learner::Make(options, online_, std::move(target), replay_, store_, RandomStream(3))
        .value();
  }

  static LearnerOptions Options() {
    return {.agent = {.algorithm = "dqn"}, .batch_size = kBatch, .outliers = {.deviations = 0}};
  }

  // The gradient and mean loss by their definition.
  std::vector<double> ExpectedGradient(const LearnerOptions& options, double& loss) const {
    const std::vector<float> s_tm1 = Floats(replay_.batch.s_tm1);
    const std::vector<float> s_t = Floats(replay_.batch.s_t);
    const std::vector<double>& probabilities = replay_.batch.probabilities;
    std::vector<double> gradient(kSize);
    loss = 0;
    for (std::size_t i = 0; i < kBatch; ++i) {
      const float* const before = &s_tm1[i * kInputs];
      const float* const after = &s_t[i * kInputs];
      const bool dqn = options.agent.algorithm == "dqn";
      const std::vector<float>& chooser = dqn ? store_.theta_minus : store_.theta;
      const std::size_t best = Q(chooser, after, 1) > Q(chooser, after, 0) ? 1 : 0;
      const auto action = static_cast<std::size_t>(replay_.batch.a_tm1[i]);
      const double delta =
          static_cast<double>(replay_.batch.r_t[i]) +
          static_cast<double>(replay_.batch.discount_t[i]) * Q(store_.theta_minus, after, best) -
          Q(store_.theta, before, action);
      const bool squared = options.agent.loss == TdErrorLoss::kSquared;
      const double least = *std::min_element(probabilities.begin(), probabilities.end());
      const double weight = std::pow(least / probabilities[i], options.importance_exponent);
      loss += weight *
              (squared               ? delta * delta
               : std::abs(delta) < 1 ? delta * delta / 2
                                     : std::abs(delta) - 0.5) /
              kBatch;
      double slope = squared ? 2 * delta : std::clamp(delta, -1.0, 1.0);
      slope *= weight;
      if (options.agent.reduction == BatchReduction::kMean) slope /= kBatch;
      for (std::size_t k = 0; k < kInputs; ++k) {
        gradient[action * kInputs + k] -= slope * static_cast<double>(before[k]);
      }
      gradient[kWeights + action] -= slope;
    }
    return gradient;
  }

  std::vector<float> Predict(QNetwork& network) {
    std::vector<float> q(kBatch * kActions);
    network.Predict(replay_.batch.s_tm1, kBatch, q);
    return q;
  }

  RandomStream random_{19};
  FakeStore store_{random_};
  FakeReplay replay_{random_};
  NetworkReplica online_{MakeQNetwork("reference", Linear(), kBatch).value(), store_,
                         NetworkReplica::Follows::kOnline};
};

}  // namespace gorila

#endif  // GORILA_LEARNER_LEARNER_TESTING_H_
