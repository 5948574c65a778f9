// V-trace actor-critic (Espeholt et al. 2018, IMPALA): a policy and the value of its states, learnt
// from unrolls of an older policy.
#ifndef GORILA_AGENT_VTRACE_H_
#define GORILA_AGENT_VTRACE_H_

#include <cstdint>
#include <memory>
#include <span>

#include "gorila/agent/algorithm.h"

namespace gorila {

// One unroll of T transitions, in order of time. As in TransitionBatch an episode may end within
// it.
struct VTraceInput {
  std::span<const float> log_ratios;    // T: ln(pi(a|s) / mu(a|s)); any size
  std::span<const std::int32_t> a_tm1;  // T: kNoAction: an episode's last row, no transition
  std::span<const std::int32_t> a_t;    // T: kNoAction: the episode ended there
  std::span<const float> r_t;           // T
  std::span<const float> discount_t;    // T: 0 at a terminal, whose value does not matter
  std::span<const float> values;        // T + 1: V(s)
};

// The targets v of the values and the advantages that weigh ln pi, with rho and c clipped
// (equation 1 and section 4.2 there; the next state's v in the advantage, not its V). Traces end
// with their episode; a time-out bootstraps from the value of its last state. Both spans: T; where
// there was no transition, V and 0.
void VTrace(const AgentOptions& options, const VTraceInput& input, std::span<float> targets,
            std::span<float> advantages);

// The policy's logits and the value: outputs of two heads on one torso.
ValueForm MakePolicyForm(const AgentOptions& options, int num_actions);
void DescribePolicyNetwork(const AgentOptions& options, NetworkSpec& network);

// Policy gradient + baseline_cost/2 (v - V)^2 - entropy_cost H, summed over the minibatch's steps,
// or their mean. `errors`: of an unroll, the mean |v - V|.
std::unique_ptr<Loss> MakeVTraceLoss(const AgentOptions& options, const NetworkSpec& network,
                                     int batch_size);

}  // namespace gorila

#endif  // GORILA_AGENT_VTRACE_H_
