// What the outputs of a network mean to an algorithm.
#ifndef GORILA_AGENT_VALUE_FORM_H_
#define GORILA_AGENT_VALUE_FORM_H_

#include <cstddef>
#include <span>
#include <vector>

#include "gorila/agent/action_mask.h"
#include "gorila/network/network_spec.h"

namespace gorila {

enum class ValueKind {
  kExpectation,  // one number for an action: its value
  kCategorical,  // logits of atoms, evenly spaced from `low` to `high` (Bellemare et al. 2017)
  kQuantiles,    // quantiles, whose mean is the value (Dabney et al. 2018)
  kSampled,      // the same at sampled taus, by a network with a sampled head (2018b)
  kPolicy,       // a logit for each action and the state's value: no values of actions
};

// For an action a and atom i, x(a, i) is output a * atoms + i; or with dueling heads (Wang et al.
// 2016) V(i) + A(a, i) - mean over a' of A(a', i), where A comes first and V follows: per atom,
// before any softmax; of several games, the mean is over the actions that the state's game has.
// With kSampled an atom is a tau, whose outputs are together: x(a, i) is output
// i * num_actions + a or, with dueling heads, what that row's A and V make. A policy has no x.
struct ValueForm {
  ValueKind kind = ValueKind::kExpectation;
  int num_actions = 0;
  int atoms = 1;
  bool dueling = false;
  double low = 0;  // kCategorical
  double high = 0;

  // x of one state.
  std::size_t size() const {
    return static_cast<std::size_t>(num_actions) * static_cast<std::size_t>(atoms);
  }
  double atom_distance() const { return (high - low) / (atoms - 1); }
  double atom(int i) const { return low + i * atom_distance(); }
};

// The output layer's heads. None for what a network has anyway.
std::vector<HeadSpec> HeadsOf(const ValueForm& form);

// The x of `batch` states from their outputs: `outputs` itself or, with dueling heads, `scratch`,
// which has room for batch x size(). Those of actions that a state lacks mean nothing.
std::span<const float> Combine(const ValueForm& form, std::span<const float> outputs,
                               std::size_t batch, std::span<float> scratch,
                               const StateActions& allowed = {});

// The derivative with respect to outputs from that with respect to x, which is 0 for actions that a
// state lacks. Not without dueling heads.
void CombineBackward(const ValueForm& form, std::span<const float> dx, std::size_t batch,
                     std::span<float> doutputs, const StateActions& allowed = {});

// The value of action `a` from a state's x (size()).
float ActionValue(const ValueForm& form, std::span<const float> x, std::size_t a);

// The same of each action. `q`: num_actions.
void ActionValues(const ValueForm& form, std::span<const float> x, std::span<float> q);

// Softmax of `logits` into `probabilities`, which may be the same.
void Softmax(std::span<const float> logits, std::span<float> probabilities);

}  // namespace gorila

#endif  // GORILA_AGENT_VALUE_FORM_H_
