#include "gorila/network/game_heads.h"

#include <gtest/gtest.h>

#include <tuple>

#include "gorila/network/network_samples.h"

namespace gorila {
namespace {

constexpr int kBatch = 5;
constexpr int kGames = 3;

NetworkSpec Spec(int taus, double noise) {
  NetworkSpec spec{
      .input = {.channels = 2, .height = 5, .width = 5, .element = ElementType::kFloat32},
      .convolutions = {{.filters = 3, .kernel = 3, .stride = 1}},
      .hidden = {7},
      .num_actions = 4};
  spec.taus = taus;
  spec.noise = noise;
  spec.game_actions.assign(kGames, ActionMask(4, 1));
  return spec;
}

// Taus and noise.
class GameHeadsTest : public testing::TestWithParam<std::tuple<int, double>> {
 protected:
  GameHeadsTest() {
    spec_.game_heads = true;
    RandomStream random(5);
    layout_ = MakeParameterLayout(spec_);
    parameters_ = InitialParameters(layout_, random);
    for (float& value : parameters_) value += 0.01F * static_cast<float>(random.Uniform());
    observations_ = RandomObservations(spec_.input, kBatch, random);
    dq_ = RandomFloats(static_cast<std::size_t>(kBatch * spec_.outputs()), random);
    network_ = MakeQNetwork("gemm", spec_, kBatch).value();
    network_->SetParameters(parameters_);
  }

  // Of observation i by the network of its game alone.
  std::vector<float> OutputsAlone(std::size_t i) const {
    const GameNetwork one = TakeGame(spec_, parameters_, games_[i]);
    const auto network = MakeQNetwork("gemm", one.spec, 1).value();
    network->SetParameters(one.parameters);
    std::vector<float> outputs(static_cast<std::size_t>(one.spec.outputs()));
    const std::size_t bytes = spec_.input.stacked_bytes();
    network->Predict(std::span(observations_).subspan(i * bytes, bytes), 1, outputs);
    return outputs;
  }

  NetworkSpec spec_ = Spec(std::get<0>(GetParam()), std::get<1>(GetParam()));
  ParameterLayout layout_;
  std::vector<float> parameters_;
  std::vector<std::byte> observations_;
  std::vector<float> dq_;
  const std::vector<std::int32_t> games_ = {2, 0, 1, 1, 2};
  std::unique_ptr<QNetwork> network_;
};

TEST_P(GameHeadsTest, EachObservationHasTheOutputsOfItsGamesNetwork) {
  const auto width = static_cast<std::size_t>(spec_.outputs());
  ASSERT_EQ(spec_.layer_outputs(), kGames * spec_.head_outputs());
  std::vector<float> q(kBatch * width);
  network_->UseGames(games_);
  network_->Predict(observations_, kBatch, q);
  for (std::size_t i = 0; i < kBatch; ++i) {
    const std::vector<float> alone = OutputsAlone(i);
    for (std::size_t k = 0; k < width; ++k) EXPECT_NEAR(q[i * width + k], alone[k], 1e-5) << i;
  }
}

TEST_P(GameHeadsTest, GradientIsThatOfFiniteDifferences) {
  std::vector<float> q(dq_.size());
  std::vector<float> gradient(layout_.size);
  const auto loss = [&](std::span<const float> parameters) {
    network_->SetParameters(parameters);
    network_->UseGames(games_);
    network_->Forward(observations_, kBatch, q);
    double sum = 0;
    for (std::size_t i = 0; i < q.size(); ++i) sum += static_cast<double>(q[i] * dq_[i]);
    return sum;
  };
  loss(parameters_);
  network_->Backward(dq_, gradient);
  constexpr float kStep = 1e-2F;
  std::vector<float> moved = parameters_;
  // The output layer is linear, so large steps are exact; below it ReLUs may bend.
  const ParameterTensor& bias = layout_.tensors[layout_.tensors.size() - 1];
  for (const ParameterTensor& tensor : layout_.tensors) {
    if (!tensor.name.starts_with("game") || tensor.name.ends_with("_sigma")) continue;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      moved[i] = parameters_[i] + kStep;
      const double above = loss(moved);
      moved[i] = parameters_[i] - kStep;
      const double below = loss(moved);
      moved[i] = parameters_[i];
      EXPECT_NEAR(gradient[i], (above - below) / (2.0 * kStep), 2e-3) << tensor.name;
    }
  }
  EXPECT_GT(bias.size, 0u);
}

TEST_P(GameHeadsTest, AGameThatIsNotInTheMinibatchLearnsNothing) {
  const std::vector<std::int32_t> games = {0, 0, 1, 1, 0};
  std::vector<float> q(dq_.size());
  std::vector<float> gradient(layout_.size);
  network_->UseGames(games);
  network_->Forward(observations_, kBatch, q);
  network_->Backward(dq_, gradient);
  int compared = 0;
  for (const ParameterTensor& tensor : layout_.tensors) {
    if (!tensor.name.starts_with("game2.")) continue;
    ++compared;
    for (std::size_t i = 0; i < tensor.size; ++i) EXPECT_EQ(gradient[tensor.offset + i], 0);
  }
  EXPECT_GE(compared, 2);
}

INSTANTIATE_TEST_SUITE_P(Heads, GameHeadsTest,
                         testing::Values(std::tuple(0, 0.0), std::tuple(3, 0.0),
                                         std::tuple(0, 0.5)));

TEST(GameHeadsLayoutTest, WithSharedHeadsAGameHasTheParametersOfAll) {
  const NetworkSpec spec = Spec(0, 0);
  RandomStream random(1);
  const std::vector<float> parameters = InitialParameters(MakeParameterLayout(spec), random);
  EXPECT_EQ(TakeGame(spec, parameters, 2).parameters, parameters);
}

}  // namespace
}  // namespace gorila
