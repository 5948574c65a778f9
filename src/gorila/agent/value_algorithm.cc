#include "gorila/agent/value_algorithm.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace gorila {
namespace {

// What a network made of a minibatch's states.
class Pass {
 public:
  Pass(const ValueForm& form, std::size_t batch, std::size_t outputs)
      : form_(form), batch_(batch), outputs_(batch * outputs) {
    if (form.dueling) combined_.resize(batch * form.size());
  }

  std::span<float> outputs() { return outputs_; }
  // After outputs() were computed.
  std::span<const float> Combine(const StateActions& allowed) {
    return gorila::Combine(form_, outputs_, batch_, combined_, allowed);
  }
  // As of the last Combine.
  std::span<const float> x() const {
    return form_.dueling ? std::span<const float>(combined_) : outputs_;
  }

 private:
  const ValueForm form_;
  const std::size_t batch_;
  std::vector<float> outputs_;
  std::vector<float> combined_;  // with dueling heads
};

class ValueLoss final : public Loss {
 public:
  ValueLoss(const ValueAlgorithm& algorithm, const AgentOptions& options,
            const NetworkSpec& network, int batch_size)
      : algorithm_(algorithm),
        options_(options),
        form_(MakeValueForm(algorithm, options, network.num_actions)),
        selects_online_(algorithm.selects_online || options.double_selection),
        game_actions_(network.game_actions),
        batch_(static_cast<std::size_t>(batch_size)),
        online_tm1_(MakePass(network)),
        target_t_(MakePass(network)),
        online_t_(selects_online_ ? MakePass(network) : Pass(form_, 0, 0)),
        target_tm1_(algorithm.needs_target_tm1 ? MakePass(network) : Pass(form_, 0, 0)),
        q_(static_cast<std::size_t>(network.num_actions)) {
    if (form_.dueling) dx_.resize(batch_ * form_.size());
  }

  // A draw of noise for each pass: those of s_t must not know that of s_tm1. The target's states
  // come in the order that lets the online network use what it made of s_t.
  double Compute(const LossInput& input, std::span<float> doutputs,
                 std::span<float> errors) override {
    const TransitionBatch& batch = input.batch;
    input.target->UseGames(batch.games);
    input.online.UseGames(batch.games);
    games_ = batch.games;
    input.target->Redraw(input.random);
    if (algorithm_.needs_target_tm1) {
      input.target->Predict(batch.s_tm1, batch.size, target_tm1_.outputs());
    }
    input.target->Predict(batch.s_t, batch.size, target_t_.outputs());
    if (selects_online_) {
      input.online.Redraw(input.random);
      input.online.PredictSame(*input.target, batch.s_t, batch.size, online_t_.outputs());
    }
    input.online.Redraw(input.random);
    input.online.Forward(batch.s_tm1, batch.size, online_tm1_.outputs());
    return Differentiate(batch, input.weights, doutputs, errors);
  }

  void Values(std::span<float> values) const override {
    const std::span<const float> x = online_tm1_.x();
    for (std::size_t i = 0; i < values.size(); ++i) {
      ActionValues(form_, x.subspan(i * form_.size(), form_.size()), q_);
      FillForbidden(Allowed()[i], -std::numeric_limits<float>::infinity(), q_);
      values[i] = *std::max_element(q_.begin(), q_.end());
    }
  }

  bool ValuesAreCheap() const override { return form_.atoms == 1; }

 private:
  StateActions Allowed() const { return {.of_games = game_actions_, .games = games_}; }

  Pass MakePass(const NetworkSpec& network) const {
    return {form_, batch_, static_cast<std::size_t>(network.outputs())};
  }

  double Differentiate(const TransitionBatch& batch, std::span<const float> weights,
                       std::span<float> doutputs, std::span<float> errors) {
    const std::span<float> dx = form_.dueling ? std::span<float>(dx_) : doutputs;
    const LossBatch values{.form = form_,
                           .online_tm1 = online_tm1_.Combine(Allowed()),
                           .a_tm1 = batch.a_tm1,
                           .r_t = batch.r_t,
                           .discount_t = batch.discount_t,
                           .target_t = target_t_.Combine(Allowed()),
                           .online_t = online_t_.Combine(Allowed()),
                           .target_tm1 = target_tm1_.Combine(Allowed()),
                           .a_t = batch.a_t,
                           .weights = weights,
                           .allowed = Allowed()};
    const double loss = algorithm_.loss(options_, values, dx, errors);
    if (form_.dueling) CombineBackward(form_, dx, batch_, doutputs, Allowed());
    return loss;
  }

  const ValueAlgorithm algorithm_;
  const AgentOptions options_;
  const ValueForm form_;
  const bool selects_online_;
  const std::vector<ActionMask> game_actions_;
  const std::size_t batch_;
  Pass online_tm1_;
  Pass target_t_;
  Pass online_t_;
  Pass target_tm1_;
  std::vector<float> dx_;                // with dueling heads
  mutable std::vector<float> q_;         // of one state
  std::span<const std::int32_t> games_;  // of the last minibatch
};

}  // namespace

ValueForm MakeValueForm(const ValueAlgorithm& algorithm, const AgentOptions& options,
                        int num_actions) {
  return {.kind = algorithm.kind,
          .num_actions = num_actions,
          .atoms = algorithm.kind == ValueKind::kExpectation ? 1 : options.atoms,
          .dueling = options.dueling,
          .low = options.value_min,
          .high = options.value_max};
}

void DescribeValueNetwork(const ValueAlgorithm& algorithm, const AgentOptions& options,
                          NetworkSpec& network) {
  network.heads = HeadsOf(MakeValueForm(algorithm, options, network.num_actions));
  network.noise = options.noise;
}

std::unique_ptr<Loss> MakeValueLoss(const ValueAlgorithm& algorithm, const AgentOptions& options,
                                    const NetworkSpec& network, int batch_size) {
  return std::make_unique<ValueLoss>(algorithm, options, network, batch_size);
}

}  // namespace gorila
