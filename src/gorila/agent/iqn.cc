#include "gorila/agent/iqn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "gorila/agent/atom_math.h"

namespace gorila {
namespace {

// The target samples of transition i; all the same where the episode ended.
void MakeTargets(const LossBatch& batch, std::size_t i, std::span<float> targets) {
  if (batch.discount_t[i] <= 0) return std::fill(targets.begin(), targets.end(), batch.r_t[i]);
  const std::span<const float> samples = batch.State(batch.target_t, i);
  const std::size_t best = BestAction(batch.form, batch.State(batch.online_t, i), batch.allowed[i]);
  for (std::size_t j = 0; j < targets.size(); ++j) {
    targets[j] = batch.r_t[i] + batch.discount_t[i] * samples[j * batch.actions() + best];
  }
}

// What a network made of a minibatch's states, and where it was sampled.
struct Samples {
  Samples(const ValueForm& form, std::size_t batch, int outputs)
      : taus(batch * static_cast<std::size_t>(form.atoms)),
        outputs(batch * static_cast<std::size_t>(outputs)),
        combined(form.dueling ? batch * form.size() : 0) {}

  std::vector<float> taus;
  std::vector<float> outputs;
  std::vector<float> combined;  // with dueling heads
};

class SampledLoss final : public Loss {
 public:
  SampledLoss(const AgentOptions& options, const NetworkSpec& network, int batch_size)
      : options_(options),
        form_(MakeIqnForm(options, network.num_actions)),
        game_actions_(network.game_actions),
        batch_(static_cast<std::size_t>(batch_size)),
        online_tm1_(form_, batch_, network.outputs()),
        target_t_(form_, batch_, network.outputs()),
        choosing_t_(form_, batch_, network.outputs()) {
    if (form_.dueling) dx_.resize(batch_ * form_.size());
  }

  // Noise is drawn as in the other value-based algorithms: for theta- at s_t, theta at s_t and
  // theta at s_tm1. Where theta- chooses, it computes its features once for both sets of taus.
  double Compute(const LossInput& input, std::span<float> doutputs,
                 std::span<float> errors) override {
    const TransitionBatch& batch = input.batch;
    input.target->UseGames(batch.games);
    input.online.UseGames(batch.games);
    games_ = batch.games;
    input.target->Redraw(input.random);
    UseNewTaus(*input.target, input.random, target_t_);
    input.target->Predict(batch.s_t, batch.size, target_t_.outputs);
    QNetwork& choosing = options_.double_selection ? input.online : *input.target;
    if (options_.double_selection) choosing.Redraw(input.random);
    UseNewTaus(choosing, input.random, choosing_t_);
    choosing.PredictSame(*input.target, batch.s_t, batch.size, choosing_t_.outputs);
    input.online.Redraw(input.random);
    UseNewTaus(input.online, input.random, online_tm1_);
    input.online.Forward(batch.s_tm1, batch.size, online_tm1_.outputs);
    return Differentiate(batch, input.weights, doutputs, errors);
  }

  void Values(std::span<float> values) const override {
    const std::span<const float> x = form_.dueling ? online_tm1_.combined : online_tm1_.outputs;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::span<const float> state = x.subspan(i * form_.size(), form_.size());
      values[i] = ActionValue(form_, state, BestAction(form_, state, Allowed()[i]));
    }
  }

  bool ValuesAreCheap() const override { return false; }

 private:
  static void UseNewTaus(QNetwork& network, RandomStream& random, Samples& samples) {
    for (float& tau : samples.taus) tau = static_cast<float>(random.Uniform());
    network.UseTaus(samples.taus);
  }

  StateActions Allowed() const { return {.of_games = game_actions_, .games = games_}; }

  std::span<const float> Combined(Samples& samples) const {
    return Combine(form_, samples.outputs, batch_, samples.combined, Allowed());
  }

  double Differentiate(const TransitionBatch& batch, std::span<const float> weights,
                       std::span<float> doutputs, std::span<float> errors) {
    const std::span<float> dx = form_.dueling ? std::span<float>(dx_) : doutputs;
    const LossBatch values{.form = form_,
                           .online_tm1 = Combined(online_tm1_),
                           .a_tm1 = batch.a_tm1,
                           .r_t = batch.r_t,
                           .discount_t = batch.discount_t,
                           .target_t = Combined(target_t_),
                           .online_t = Combined(choosing_t_),
                           .weights = weights,
                           .allowed = Allowed()};
    const double loss = IqnLoss(options_, values, online_tm1_.taus, dx, errors);
    if (form_.dueling) CombineBackward(form_, dx, batch_, doutputs, Allowed());
    return loss;
  }

  const AgentOptions options_;
  const ValueForm form_;
  const std::vector<ActionMask> game_actions_;
  const std::size_t batch_;
  Samples online_tm1_;
  Samples target_t_;
  Samples choosing_t_;
  std::vector<float> dx_;                // with dueling heads
  std::span<const std::int32_t> games_;  // of the last minibatch
};

}  // namespace

double IqnLoss(const AgentOptions& options, const LossBatch& batch, std::span<const float> taus,
               std::span<float> dx, std::span<float> errors) {
  std::fill(dx.begin(), dx.end(), 0.0F);
  std::array<float, kMostTaus> room;
  const std::span<float> targets = std::span(room).first(batch.atoms());
  double total = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    MakeTargets(batch, i, targets);
    const double scale = batch.Scale(options.reduction, i);
    double loss = 0;
    for (std::size_t k = 0; k < batch.atoms(); ++k) {
      const std::size_t taken = (i * batch.atoms() + k) * batch.actions() + batch.Taken(i);
      const float tau = taus[i * batch.atoms() + k];
      const QuantileLoss at =
          QuantileHuberLoss(batch.online_tm1[taken], tau, targets.data(), targets.size());
      loss += static_cast<double>(at.loss);
      dx[taken] = static_cast<float>(scale * static_cast<double>(at.slope));
    }
    errors[i] = static_cast<float>(std::sqrt(loss));
    total += batch.Weight(i) * loss;
  }
  return total / static_cast<double>(batch.size());
}

ValueForm MakeIqnForm(const AgentOptions& options, int num_actions) {
  return {.kind = ValueKind::kSampled,
          .num_actions = num_actions,
          .atoms = options.taus,
          .dueling = options.dueling};
}

void DescribeIqnNetwork(const AgentOptions& options, NetworkSpec& network) {
  network.heads = HeadsOf(MakeIqnForm(options, network.num_actions));
  network.noise = options.noise;
  network.taus = options.taus;
}

std::unique_ptr<Loss> MakeIqnLoss(const AgentOptions& options, const NetworkSpec& network,
                                  int batch_size) {
  return std::make_unique<SampledLoss>(options, network, batch_size);
}

}  // namespace gorila
