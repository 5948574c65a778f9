// What a loss of the value family is computed from: a minibatch and what networks made of it.
#ifndef GORILA_AGENT_LOSS_BATCH_H_
#define GORILA_AGENT_LOSS_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "gorila/agent/action_mask.h"
#include "gorila/agent/agent_options.h"
#include "gorila/agent/value_form.h"

namespace gorila {

// The x of a ValueForm are batch x actions x atoms, row-major; the others have one element for each
// transition.
struct LossBatch {
  ValueForm form;
  std::span<const float> online_tm1;  // x(s_tm1; theta)
  std::span<const std::int32_t> a_tm1;
  std::span<const float> r_t;
  std::span<const float> discount_t;       // 0 where the episode ended
  std::span<const float> target_t;         // x(s_t; theta-)
  std::span<const float> online_t = {};    // x(s_t; theta); where theta chooses the action
  std::span<const float> target_tm1 = {};  // x(s_tm1; theta-); where the algorithm needs it
  std::span<const std::int32_t> a_t = {};  // kNoAction where the episode ended at s_t
  std::span<const float> weights = {};     // of each transition's loss; empty = 1 each
  StateActions allowed = {};               // of each transition's states

  std::size_t size() const { return a_tm1.size(); }
  std::size_t actions() const { return static_cast<std::size_t>(form.num_actions); }
  std::size_t atoms() const { return static_cast<std::size_t>(form.atoms); }

  // Of transition i, one of the x above: all its actions, or one of them.
  std::span<const float> State(std::span<const float> x, std::size_t i) const {
    return x.subspan(i * form.size(), form.size());
  }
  std::span<const float> Action(std::span<const float> x, std::size_t i, std::size_t action) const {
    return x.subspan(i * form.size() + action * atoms(), atoms());
  }
  std::size_t Taken(std::size_t i) const { return static_cast<std::size_t>(a_tm1[i]); }
  double Weight(std::size_t i) const {
    return weights.empty() ? 1 : static_cast<double>(weights[i]);
  }
  // By which the slope of a transition's loss becomes a part of the minibatch's.
  double Scale(BatchReduction reduction, std::size_t i) const {
    const double share =
        reduction == BatchReduction::kMean ? 1.0 / static_cast<double>(size()) : 1.0;
    return share * Weight(i);
  }
};

// A pure function of a minibatch: no network, no state. Overwrites `dx`, the derivative of the loss
// with respect to online_tm1, and `errors`, how wrong each transition's prediction was (0 or more,
// unweighted; not finite if the parameters are not), which priorities follow. Returns the weighted
// loss for each transition, averaged over the minibatch whatever the reduction.
using LossFunction = double (*)(const AgentOptions& options, const LossBatch& batch,
                                std::span<float> dx, std::span<float> errors);

// Of those that are allowed the action with the largest value in a state's x; of several the first.
std::size_t BestAction(const ValueForm& form, std::span<const float> x,
                       AllowedActions allowed = {});

// The target of transition i, a constant of the loss.
using TargetFunction = double (*)(const AgentOptions& options, const LossBatch& batch,
                                  std::size_t i);

// The LossFunction of what regresses one value for each action, by options.loss, onto a target.
// `errors`: |target - Q(s_tm1, a_tm1)|.
double RegressionLoss(const AgentOptions& options, const LossBatch& batch, TargetFunction target,
                      std::span<float> dx, std::span<float> errors);

}  // namespace gorila

#endif  // GORILA_AGENT_LOSS_BATCH_H_
