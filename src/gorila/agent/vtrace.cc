#include "gorila/agent/vtrace.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gorila/agent/action_mask.h"
#include "gorila/agent/softmax_policy.h"

namespace gorila {
namespace {

// Of one step.
struct StepLoss {
  double policy = 0;
  double baseline = 0;
  double entropy = 0;
};

class VTraceLoss final : public Loss {
 public:
  VTraceLoss(const AgentOptions& options, const NetworkSpec& network, int batch_size)
      : options_(options),
        game_actions_(network.game_actions),
        actions_(static_cast<std::size_t>(network.num_actions)),
        length_(static_cast<std::size_t>(options.unroll)),
        states_(static_cast<std::size_t>(batch_size) * (length_ + 1)),
        outputs_(states_ * (actions_ + 1)),
        log_pi_(states_ * actions_),
        values_(states_),
        pi_(actions_),
        p_log_p_(actions_),
        log_ratios_(length_),
        targets_(length_),
        advantages_(length_) {}

  double Compute(const LossInput& input, std::span<float> doutputs,
                 std::span<float> errors) override {
    const TransitionBatch& batch = input.batch;
    GORILA_CHECK(batch.unroll == options_.unroll, "unrolls of {}, expected {}", batch.unroll,
                 options_.unroll);
    UseGames(batch, input.online);
    input.online.Forward(batch.s_tm1, batch.states(), outputs_);
    for (std::size_t i = 0; i < states_; ++i) {
      const std::span<float> state = std::span(outputs_).subspan(i * (actions_ + 1));
      if (!game_actions_.empty()) {
        FillForbidden(ActionsOfGame(game_actions_, games_[i]), kNever, state);
      }
      LogSoftmax(state.first(actions_), std::span(log_pi_).subspan(i * actions_, actions_));
      values_[i] = state[actions_];
    }
    std::fill(doutputs.begin(), doutputs.end(), 0.0F);
    sums_ = {};
    steps_ = 0;
    const bool mean = options_.reduction == BatchReduction::kMean;
    const double share = mean ? 1 / static_cast<double>(batch.transitions()) : 1;
    double loss = 0;
    for (std::size_t i = 0; i < errors.size(); ++i) {
      loss += ComputeUnroll(batch, i, share, static_cast<double>(input.weights[i]), doutputs,
                            errors[i]);
    }
    return loss / static_cast<double>(batch.transitions());
  }

  // V of an unroll's first state.
  void Values(std::span<float> values) const override {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = values_[i * (length_ + 1)];
  }
  bool ValuesAreCheap() const override { return true; }
  PolicyTerms MeanTerms() const override {
    const auto steps = static_cast<double>(steps_);
    return {.policy = sums_.policy / steps,
            .baseline = sums_.baseline / steps,
            .entropy = sums_.entropy / steps};
  }

 private:
  // All states of an unroll are of its game.
  void UseGames(const TransitionBatch& batch, QNetwork& online) {
    if (game_actions_.empty()) return;
    games_.clear();
    for (const std::int32_t game : batch.games) {
      games_.insert(games_.end(), length_ + 1, game);
    }
    online.UseGames(games_);
  }

  // Sums over the unroll: its weighted loss is the result.
  double ComputeUnroll(const TransitionBatch& batch, std::size_t i, double share, double weight,
                       std::span<float> doutputs, float& error) {
    const std::size_t first = i * length_;      // transition
    const std::size_t first_state = first + i;  // state
    const VTraceInput input = {.log_ratios = log_ratios_,
                               .a_tm1 = std::span(batch.a_tm1).subspan(first, length_),
                               .a_t = std::span(batch.a_t).subspan(first, length_),
                               .r_t = std::span(batch.r_t).subspan(first, length_),
                               .discount_t = std::span(batch.discount_t).subspan(first, length_),
                               .values = std::span(values_).subspan(first_state, length_ + 1)};
    for (std::size_t t = 0; t < length_; ++t) {
      const std::int32_t action = input.a_tm1[t];
      log_ratios_[t] =
          action == kNoAction
              ? 0
              : LogPi(first_state + t)[static_cast<std::size_t>(action)] - batch.log_mu[first + t];
    }
    VTrace(options_, input, targets_, advantages_);
    double loss = 0;
    double distance = 0;
    for (std::size_t t = 0; t < length_; ++t) {
      if (input.a_tm1[t] == kNoAction) continue;
      const std::size_t state = first_state + t;
      const StepLoss step =
          Differentiate(state, static_cast<std::size_t>(input.a_tm1[t]), t, share * weight,
                        doutputs.subspan(state * (actions_ + 1), actions_ + 1));
      loss += step.policy + options_.baseline_cost * step.baseline -
              options_.entropy_cost * step.entropy;
      distance += std::abs(static_cast<double>(targets_[t] - values_[state]));
      sums_.policy += step.policy;
      sums_.baseline += step.baseline;
      sums_.entropy += step.entropy;
      ++steps_;
    }
    error = static_cast<float>(distance / static_cast<double>(length_));
    return weight * loss;
  }

  // Targets and advantages are constants of the loss.
  StepLoss Differentiate(std::size_t state, std::size_t action, std::size_t t, double scale,
                         std::span<float> doutputs) {
    const std::span<const float> log_pi = LogPi(state);
    const double advantage = advantages_[t];
    const double delta = static_cast<double>(targets_[t]) - static_cast<double>(values_[state]);
    double entropy = 0;
    for (std::size_t a = 0; a < actions_; ++a) {
      pi_[a] = std::exp(static_cast<double>(log_pi[a]));
      p_log_p_[a] = pi_[a] == 0 ? 0 : pi_[a] * static_cast<double>(log_pi[a]);
      entropy -= p_log_p_[a];
    }
    for (std::size_t a = 0; a < actions_; ++a) {
      const double of_policy = advantage * (pi_[a] - (a == action ? 1 : 0));
      const double of_entropy = options_.entropy_cost * (p_log_p_[a] + pi_[a] * entropy);
      doutputs[a] = static_cast<float>(scale * (of_policy + of_entropy));
    }
    doutputs[actions_] = static_cast<float>(-scale * options_.baseline_cost * delta);
    return {.policy = -advantage * static_cast<double>(log_pi[action]),
            .baseline = delta * delta / 2,
            .entropy = entropy};
  }

  std::span<const float> LogPi(std::size_t state) const {
    return std::span(log_pi_).subspan(state * actions_, actions_);
  }

  const AgentOptions options_;
  const std::vector<ActionMask> game_actions_;
  const std::size_t actions_;
  const std::size_t length_;         // T
  const std::size_t states_;         // of a minibatch
  std::vector<std::int32_t> games_;  // of all states; empty with one game
  std::vector<float> outputs_;
  std::vector<float> log_pi_;
  std::vector<float> values_;
  std::vector<double> pi_;         // of one state
  std::vector<double> p_log_p_;    // the same; 0 for an action that is never taken
  std::vector<float> log_ratios_;  // of one unroll, as the two below
  std::vector<float> targets_;
  std::vector<float> advantages_;
  StepLoss sums_;           // over the time steps of the last minibatch
  std::int64_t steps_ = 0;  // how many
};

}  // namespace

void VTrace(const AgentOptions& options, const VTraceInput& input, std::span<float> targets,
            std::span<float> advantages) {
  // Clipped as logarithms, so that no ratio overflows.
  const double log_rho_clip = std::log(options.rho_clip);
  const double log_trace_clip = std::log(options.trace_clip);
  double carried = 0;  // v - V of the next state
  for (std::size_t t = targets.size(); t-- > 0;) {
    const auto value = static_cast<double>(input.values[t]);
    targets[t] = input.values[t];
    advantages[t] = 0;
    if (input.a_tm1[t] == kNoAction) continue;
    if (input.a_t[t] == kNoAction) carried = 0;
    const auto log_ratio = static_cast<double>(input.log_ratios[t]);
    const double rho = std::exp(std::min(log_ratio, log_rho_clip));
    const double c = options.trace_decay * std::exp(std::min(log_ratio, log_trace_clip));
    const auto discount = static_cast<double>(input.discount_t[t]);
    // A terminal's value must not matter, not even when it is infinite.
    const double next = discount > 0 ? static_cast<double>(input.values[t + 1]) : 0;
    const double reward = static_cast<double>(input.r_t[t]);
    advantages[t] = static_cast<float>(rho * (reward + discount * (next + carried) - value));
    carried = rho * (reward + discount * next - value) + discount * c * carried;
    targets[t] = static_cast<float>(value + carried);
  }
}

ValueForm MakePolicyForm(const AgentOptions&, int num_actions) {
  return {.kind = ValueKind::kPolicy, .num_actions = num_actions};
}

void DescribePolicyNetwork(const AgentOptions& options, NetworkSpec& network) {
  network.heads = HeadsOf(MakePolicyForm(options, network.num_actions));
}

std::unique_ptr<Loss> MakeVTraceLoss(const AgentOptions& options, const NetworkSpec& network,
                                     int batch_size) {
  return std::make_unique<VTraceLoss>(options, network, batch_size);
}

}  // namespace gorila
