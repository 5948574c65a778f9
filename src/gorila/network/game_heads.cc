#include "gorila/network/game_heads.h"

#include <algorithm>
#include <utility>

#include "gorila/network/argument_checks.h"

namespace gorila {
namespace {

class GameHeads final : public QNetwork {
 public:
  GameHeads(const NetworkSpec& spec, std::unique_ptr<QNetwork> all)
      : spec_(spec),
        all_(std::move(all)),
        width_(static_cast<std::size_t>(spec.head_outputs())),
        layer_(static_cast<std::size_t>(spec.layer_outputs())),
        rows_(static_cast<std::size_t>(std::max(spec.taus, 1))) {
    GORILA_CHECK(spec.game_heads &&
                 all_->spec().outputs() == spec.layer_outputs() * std::max(spec.taus, 1));
  }

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return all_->layout(); }
  void SetParameters(std::span<const float> values) override { all_->SetParameters(values); }
  void Redraw(RandomStream& random) override { all_->Redraw(random); }
  void UseTaus(std::span<const float> taus) override { all_->UseTaus(taus); }
  void UseGames(std::span<const std::int32_t> games) override { games_ = games; }

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    all_->Predict(observations, batch, Room(batch));
    TakeOutputs(batch, q);
  }

  void PredictSame(QNetwork& other, std::span<const std::byte> observations, int batch,
                   std::span<float> q) override {
    auto* const twin = dynamic_cast<GameHeads*>(&other);
    all_->PredictSame(twin != nullptr ? *twin->all_ : other, observations, batch, Room(batch));
    TakeOutputs(batch, q);
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    all_->Forward(observations, batch, Room(batch));
    TakeOutputs(batch, q);
    forward_games_.assign(games_.begin(), games_.end());
  }

  // The outputs of other games had no part in the loss.
  void Backward(std::span<const float> dq, std::span<float> gradient) override {
    const std::size_t batch = forward_games_.size();
    CheckBackwardArguments(spec_, layout(), batch, dq, gradient);
    const std::span<float> derivatives = Room(static_cast<int>(batch));
    std::fill(derivatives.begin(), derivatives.end(), 0.0F);
    for (std::size_t row = 0; row < batch * rows_; ++row) {
      std::copy_n(&dq[row * width_], width_, &derivatives[Place(forward_games_, row)]);
    }
    all_->Backward(derivatives, gradient);
  }

  std::optional<bool> GradientIsFinite() const override { return all_->GradientIsFinite(); }
  GradientSize elsewhere() const override { return all_->elsewhere(); }
  void ScaleElsewhere(float factor) override { all_->ScaleElsewhere(factor); }

  std::pmr::memory_resource* host_memory() const override { return all_->host_memory(); }

 private:
  std::span<float> Room(int batch) {
    outputs_.resize(static_cast<std::size_t>(batch) * rows_ * layer_);
    return outputs_;
  }

  // Where the heads of row's game begin in the outputs of all.
  std::size_t Place(std::span<const std::int32_t> games, std::size_t row) const {
    return row * layer_ + static_cast<std::size_t>(games[row / rows_]) * width_;
  }

  void TakeOutputs(int batch, std::span<float> q) const {
    const auto count = static_cast<std::size_t>(batch);
    GORILA_CHECK(games_.size() == count, "games of {} observations for a batch of {}",
                 games_.size(), batch);
    for (std::size_t row = 0; row < count * rows_; ++row) {
      std::copy_n(&outputs_[Place(games_, row)], width_, &q[row * width_]);
    }
  }

  const NetworkSpec spec_;
  const std::unique_ptr<QNetwork> all_;
  const std::size_t width_;  // outputs of a game's heads
  const std::size_t layer_;  // of all games'
  const std::size_t rows_;   // of an observation: its taus
  std::span<const std::int32_t> games_;
  std::vector<std::int32_t> forward_games_;  // of the last Forward
  std::vector<float> outputs_;
};

// The tensor of the network of all games that tensor `name` of game `game` is.
const ParameterTensor& FindTensor(const ParameterLayout& all, const std::string& name, int game) {
  const std::string of_game = GameHeadName(game, name);
  for (const ParameterTensor& tensor : all.tensors) {
    if (tensor.name == name || tensor.name == of_game) return tensor;
  }
  GORILA_CHECK(false, "no tensor {}", name);
}

}  // namespace

NetworkSpec WithHeadsOfAllGames(const NetworkSpec& spec) {
  NetworkSpec all = spec;
  all.heads = LayerHeads(spec);
  all.game_heads = false;
  all.game_actions.clear();
  return all;
}

std::unique_ptr<QNetwork> MakeGameHeads(const NetworkSpec& spec, std::unique_ptr<QNetwork> all) {
  return std::make_unique<GameHeads>(spec, std::move(all));
}

GameNetwork TakeGame(const NetworkSpec& spec, std::span<const float> parameters, int game) {
  GameNetwork one{.spec = spec, .parameters = {}};
  one.spec.game_heads = false;
  one.spec.game_actions.clear();
  const ParameterLayout all = MakeParameterLayout(spec);
  CheckParameters(all, parameters);
  for (const ParameterTensor& tensor : MakeParameterLayout(one.spec).tensors) {
    const std::span<const float> values =
        parameters.subspan(FindTensor(all, tensor.name, game).offset, tensor.size);
    one.parameters.insert(one.parameters.end(), values.begin(), values.end());
  }
  return one;
}

}  // namespace gorila
