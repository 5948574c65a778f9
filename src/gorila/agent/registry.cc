// The rows of AlgorithmTable().
#include <array>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/agent/c51.h"
#include "gorila/agent/dqn.h"
#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/agent/iqn.h"
#include "gorila/agent/munchausen.h"
#include "gorila/agent/qr_dqn.h"
#include "gorila/agent/sarsa.h"
#include "gorila/agent/softmax_policy.h"
#include "gorila/agent/value_algorithm.h"
#include "gorila/agent/vtrace.h"
#include "gorila/base/nearest.h"

namespace gorila {
namespace {

constexpr ValueAlgorithm kDqn = {.loss = &DqnLoss};
constexpr ValueAlgorithm kDoubleDqn = {.loss = &DqnLoss, .selects_online = true};
constexpr ValueAlgorithm kMunchausen = {.loss = &MunchausenLoss, .needs_target_tm1 = true};
constexpr ValueAlgorithm kSarsa = {.loss = &SarsaLoss};
constexpr ValueAlgorithm kExpectedSarsa = {.loss = &ExpectedSarsaLoss};
constexpr ValueAlgorithm kC51 = {.kind = ValueKind::kCategorical, .loss = &C51Loss};
constexpr ValueAlgorithm kQrDqn = {.kind = ValueKind::kQuantiles, .loss = &QrDqnLoss};

template <const ValueAlgorithm& kAlgorithm>
ValueForm Form(const AgentOptions& options, int num_actions) {
  return MakeValueForm(kAlgorithm, options, num_actions);
}
template <const ValueAlgorithm& kAlgorithm>
void Describe(const AgentOptions& options, NetworkSpec& network) {
  DescribeValueNetwork(kAlgorithm, options, network);
}
template <const ValueAlgorithm& kAlgorithm>
std::unique_ptr<Policy> MakeGreedy(const AgentOptions& options, QNetwork& network, ActBy) {
  return std::make_unique<EpsilonGreedyPolicy>(
      network, MakeValueForm(kAlgorithm, options, network.spec().num_actions));
}
template <const ValueAlgorithm& kAlgorithm>
std::unique_ptr<Loss> MakeLoss(const AgentOptions& options, const NetworkSpec& network,
                               int batch_size) {
  return MakeValueLoss(kAlgorithm, options, network, batch_size);
}

// An option that would change nothing is refused: whoever set it expects that it does.
Status RefuseOption(const AgentOptions& options, bool set, std::string_view key,
                    std::string_view reason) {
  if (!set) return OkStatus();
  return InvalidArgument("{} is set with learner.algorithm {}; {}", key, options.algorithm, reason);
}

Status RefuseDouble(const AgentOptions& options, std::string_view reason) {
  return RefuseOption(options, options.double_selection, "learner.double_selection", reason);
}
Status RefuseRescaling(const AgentOptions& options, std::string_view reason) {
  return RefuseOption(options, options.value_rescaling, "learner.value_rescaling", reason);
}

Status RefuseRange(const AgentOptions& options) {
  const AgentOptions plain;
  const bool set = options.value_min != plain.value_min || options.value_max != plain.value_max;
  return RefuseOption(options, set, "learner.value_min or learner.value_max",
                      "expected c51, whose atoms they place");
}

Status RefuseAtoms(const AgentOptions& options) {
  const AgentOptions plain;
  GORILA_RETURN_IF_ERROR(RefuseOption(options, options.atoms != plain.atoms, "learner.atoms",
                                      "expected c51 or qr_dqn, which have a distribution"));
  return RefuseRange(options);
}

Status RefuseMunchausen(const AgentOptions& options) {
  const AgentOptions plain;
  const bool set = options.munchausen_scale != plain.munchausen_scale ||
                   options.munchausen_temperature != plain.munchausen_temperature ||
                   options.munchausen_clip != plain.munchausen_clip;
  return RefuseOption(options, set,
                      "learner.munchausen_scale, munchausen_temperature or munchausen_clip",
                      "expected munchausen");
}

Status RefuseVTrace(const AgentOptions& options) {
  const AgentOptions plain;
  const bool set =
      options.unroll != plain.unroll || options.rho_clip != plain.rho_clip ||
      options.trace_clip != plain.trace_clip || options.trace_decay != plain.trace_decay ||
      options.entropy_cost != plain.entropy_cost || options.baseline_cost != plain.baseline_cost;
  return RefuseOption(options, set,
                      "learner.unroll, rho_clip, trace_clip, trace_decay, entropy_cost or "
                      "baseline_cost",
                      "expected vtrace, which learns a policy from unrolls");
}

Status RefuseTaus(const AgentOptions& options) {
  return RefuseOption(options, options.taus != AgentOptions{}.taus, "learner.taus",
                      "expected iqn, which samples a quantile function");
}

Status CheckDqn(const AgentOptions& options) {
  if (options.algorithm == "double_dqn") {
    GORILA_RETURN_IF_ERROR(RefuseDouble(options, "it always selects so: leave the option out"));
  }
  GORILA_RETURN_IF_ERROR(RefuseTaus(options));
  GORILA_RETURN_IF_ERROR(RefuseMunchausen(options));
  GORILA_RETURN_IF_ERROR(RefuseAtoms(options));
  return RefuseDouble(options, "expected learner.algorithm double_dqn for double selection");
}

Status CheckSarsa(const AgentOptions& options) {
  GORILA_RETURN_IF_ERROR(RefuseTaus(options));
  GORILA_RETURN_IF_ERROR(RefuseMunchausen(options));
  GORILA_RETURN_IF_ERROR(RefuseAtoms(options));
  GORILA_RETURN_IF_ERROR(
      RefuseDouble(options, "its target follows the policy: no action is chosen"));
  if (options.noise > 0) {
    return InvalidArgument(
        "network.noise is {} with learner.algorithm {}; expected 0: the policy that it values "
        "explores by epsilon alone",
        options.noise, options.algorithm);
  }
  return RefuseRescaling(options, "expected dqn or double_dqn, whose targets are a maximum");
}

Status CheckMunchausen(const AgentOptions& options) {
  GORILA_RETURN_IF_ERROR(RefuseTaus(options));
  GORILA_RETURN_IF_ERROR(RefuseAtoms(options));
  GORILA_RETURN_IF_ERROR(RefuseDouble(
      options, "its target is an expectation over all actions: there is none to choose"));
  return RefuseRescaling(options, "its entropy bonus has the scale of unscaled values");
}

Status CheckAtoms(const AgentOptions& options) {
  if (options.atoms >= 2 && options.atoms <= kMostAtoms) return OkStatus();
  return InvalidArgument("learner.atoms is {}; expected 2 to {}", options.atoms, kMostAtoms);
}

Status CheckIqn(const AgentOptions& options) {
  GORILA_RETURN_IF_ERROR(RefuseMunchausen(options));
  GORILA_RETURN_IF_ERROR(RefuseAtoms(options));
  if (options.taus < 1 || options.taus > kMostTaus) {
    return InvalidArgument("learner.taus is {}; expected 1 to {}", options.taus, kMostTaus);
  }
  return RefuseRescaling(options, "expected dqn or double_dqn, which regress one value");
}

std::unique_ptr<Policy> MakeIqnGreedy(const AgentOptions& options, QNetwork& network, ActBy) {
  return std::make_unique<EpsilonGreedyPolicy>(network,
                                               MakeIqnForm(options, network.spec().num_actions));
}

Status CheckC51(const AgentOptions& options) {
  GORILA_RETURN_IF_ERROR(RefuseTaus(options));
  GORILA_RETURN_IF_ERROR(RefuseMunchausen(options));
  GORILA_RETURN_IF_ERROR(CheckAtoms(options));
  if (options.value_min >= options.value_max) {
    return InvalidArgument("learner.value_min is {}; expected less than learner.value_max, {}",
                           options.value_min, options.value_max);
  }
  return RefuseRescaling(options, "its atoms are returns: widen learner.value_min and value_max");
}

Status CheckQrDqn(const AgentOptions& options) {
  GORILA_RETURN_IF_ERROR(RefuseTaus(options));
  GORILA_RETURN_IF_ERROR(RefuseMunchausen(options));
  GORILA_RETURN_IF_ERROR(CheckAtoms(options));
  GORILA_RETURN_IF_ERROR(RefuseRange(options));
  return RefuseRescaling(options, "expected dqn or double_dqn, which regress one value");
}

Status CheckVTrace(const AgentOptions& options) {
  GORILA_RETURN_IF_ERROR(RefuseTaus(options));
  GORILA_RETURN_IF_ERROR(RefuseMunchausen(options));
  GORILA_RETURN_IF_ERROR(RefuseAtoms(options));
  GORILA_RETURN_IF_ERROR(
      RefuseDouble(options, "it has a policy: no action is chosen by its value"));
  GORILA_RETURN_IF_ERROR(RefuseOption(options, options.dueling, "network.dueling",
                                      "expected false: its heads are the policy and the value"));
  GORILA_RETURN_IF_ERROR(RefuseOption(options, options.noise > 0, "network.noise",
                                      "expected 0: its policy explores by its entropy"));
  return RefuseRescaling(options, "its policy's gradient has the scale of unscaled values");
}

std::unique_ptr<Policy> MakeSoftmax(const AgentOptions&, QNetwork& network, ActBy act_by) {
  return std::make_unique<SoftmaxPolicy>(network, act_by);
}

template <const ValueAlgorithm& kAlgorithm>
constexpr AlgorithmRow ValueRow(std::string_view name, std::string_view summary,
                                std::string_view paper, std::string_view needs,
                                Status (*check)(const AgentOptions&),
                                Experience experience = Experience::kReplay) {
  return {name,
          summary,
          paper,
          needs,
          experience,
          true,
          false,
          kAlgorithm.kind == ValueKind::kExpectation,
          check,
          &Form<kAlgorithm>,
          &Describe<kAlgorithm>,
          &MakeGreedy<kAlgorithm>,
          &MakeLoss<kAlgorithm>};
}

constexpr std::array kAlgorithms = {
    ValueRow<kDqn>("dqn", "max over the target network's values (the paper's)", "Mnih et al. 2015",
                   "a value for each action; transitions", &CheckDqn),
    ValueRow<kDoubleDqn>("double_dqn", "the online network's action, valued by the target network",
                         "van Hasselt et al. 2016", "a value for each action; transitions",
                         &CheckDqn),
    ValueRow<kMunchausen>(
        "munchausen", "soft values, with the policy's logarithm added to the reward",
        "Vieillard et al. 2020", "a value for each action; transitions", &CheckMunchausen),
    ValueRow<kSarsa>("sarsa", "the value of the action that the policy took next",
                     "Rummery & Niranjan 1994", "a value for each action; a queue", &CheckSarsa,
                     Experience::kOnPolicy),
    ValueRow<kExpectedSarsa>("expected_sarsa", "the policy's expectation over its next action",
                             "van Seijen et al. 2009", "a value for each action; a queue",
                             &CheckSarsa, Experience::kOnPolicy),
    ValueRow<kC51>("c51", "the distribution of returns over fixed atoms", "Bellemare et al. 2017",
                   "logits of learner.atoms for each action; transitions", &CheckC51),
    ValueRow<kQrDqn>("qr_dqn", "the distribution of returns by its quantiles", "Dabney et al. 2018",
                     "learner.atoms quantiles for each action; transitions", &CheckQrDqn),
    AlgorithmRow{.name = "iqn",
                 .summary = "the distribution of returns by its quantile function, sampled",
                 .paper = "Dabney et al. 2018b",
                 .needs = "a head sampled at learner.taus; transitions",
                 .experience = Experience::kReplay,
                 .uses_target = true,
                 .is_policy = false,
                 .errors_are_of_values = false,
                 .check = &CheckIqn,
                 .form = &MakeIqnForm,
                 .describe = &DescribeIqnNetwork,
                 .make_policy = &MakeIqnGreedy,
                 .make_loss = &MakeIqnLoss},
    AlgorithmRow{.name = "vtrace",
                 .summary = "actor-critic: a policy and its value, corrected for older policies",
                 .paper = "Espeholt et al. 2018 (IMPALA)",
                 .needs = "a policy and a value head; unrolls from a queue",
                 .experience = Experience::kUnrolls,
                 .uses_target = false,
                 .is_policy = true,
                 .errors_are_of_values = false,
                 .check = &CheckVTrace,
                 .form = &MakePolicyForm,
                 .describe = &DescribePolicyNetwork,
                 .make_policy = &MakeSoftmax,
                 .make_loss = &MakeVTraceLoss},
};

}  // namespace

std::span<const AlgorithmRow> AlgorithmTable() { return kAlgorithms; }

StatusOr<const AlgorithmRow*> FindAlgorithm(std::string_view name) {
  std::vector<std::string_view> names;
  for (const AlgorithmRow& row : kAlgorithms) {
    if (row.name == name) return &row;
    names.push_back(row.name);
  }
  return InvalidArgument("learner.algorithm is '{}'; expected one of {}; did you mean '{}'?", name,
                         fmt::join(names, ", "), NearestName(name, names));
}

StatusOr<std::unique_ptr<Policy>> MakePolicy(const AgentOptions& options, QNetwork& network,
                                             ActBy act_by) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row, FindAlgorithm(options.algorithm));
  return row->make_policy(options, network, act_by);
}

bool UsesUnrolls(const AgentOptions& options) {
  const auto row = FindAlgorithm(options.algorithm);
  return row.ok() && (*row)->experience == Experience::kUnrolls;
}

int StatesOfMinibatch(const AgentOptions& options, int batch_size) {
  return UsesUnrolls(options) ? batch_size * (options.unroll + 1) : batch_size;
}

int StepsOfMinibatch(const AgentOptions& options, int batch_size) {
  return UsesUnrolls(options) ? batch_size * options.unroll : batch_size;
}

Status CheckAgentOptions(const AgentOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row, FindAlgorithm(options.algorithm));
  if (row->experience != Experience::kUnrolls) GORILA_RETURN_IF_ERROR(RefuseVTrace(options));
  return row->check(options);
}

}  // namespace gorila
