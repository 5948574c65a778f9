// The seam between the system and an algorithm. Actor and learner know no algorithm: what it needs
// of the network, how it acts and what it learns by stand in its row of AlgorithmTable().
#ifndef GORILA_AGENT_ALGORITHM_H_
#define GORILA_AGENT_ALGORITHM_H_

#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "gorila/agent/agent_options.h"
#include "gorila/agent/policy.h"
#include "gorila/agent/value_form.h"
#include "gorila/base/random.h"
#include "gorila/base/status.h"
#include "gorila/network/network_spec.h"
#include "gorila/network/q_network.h"
#include "gorila/replay/transition.h"

namespace gorila {

inline constexpr int kMostAtoms = 256;
inline constexpr int kMostTaus = 256;

// What a loss works on. The networks are up to date and of the form that the algorithm described;
// both may compute as many observations as the minibatch has states.
struct LossInput {
  QNetwork& online;  // theta
  QNetwork* target;  // theta-; null for an algorithm without
  const TransitionBatch& batch;
  std::span<const float> weights;  // of the loss of each transition or unroll, as what follows
  RandomStream& random;            // draws the noise of noisy networks
};

// What the loss of a policy is the sum of, each before its weight: means over time steps.
struct PolicyTerms {
  double policy = std::numeric_limits<double>::quiet_NaN();    // -advantage log pi(a|s)
  double baseline = std::numeric_limits<double>::quiet_NaN();  // (v - V)^2 / 2
  double entropy = std::numeric_limits<double>::quiet_NaN();   // of pi, in nats
};

// Used by one thread at a time.
class Loss {
 public:
  virtual ~Loss() = default;

  // Ends with online.Forward of s_tm1, and writes the derivative with respect to its outputs
  // (`doutputs`: states x outputs) and how wrong each transition's prediction was (`errors`: batch;
  // 0 or more; not finite if the parameters are not), which priorities follow. Returns the weighted
  // loss for each transition, averaged over the minibatch. Allocates nothing.
  virtual double Compute(const LossInput& input, std::span<float> doutputs,
                         std::span<float> errors) = 0;

  // max_a Q(s_tm1, a), or V of the first state of each unroll, of the last Compute, for people to
  // watch.
  virtual void Values(std::span<float> values) const = 0;
  // Whether Values() takes far less than a step of learning.
  virtual bool ValuesAreCheap() const = 0;
  // Of the last Compute; without numbers where no policy is learnt.
  virtual PolicyTerms MeanTerms() const { return {}; }
};

// What an algorithm learns from.
enum class Experience {
  kReplay,    // transitions, drawn as the replay likes
  kOnPolicy,  // each transition once, in order of arrival, of a policy whose epsilon is known
  kUnrolls,   // unrolls of learner.unroll, in order of arrival, with their probabilities
};

// Adding an algorithm: its loss in a pair of files, a row in registry.cc, a test, a preset.
struct AlgorithmRow {
  std::string_view name;
  std::string_view summary;
  std::string_view paper;
  std::string_view needs;  // of the network and the replay, in words
  Experience experience;
  bool uses_target;           // whether theta- is part of its loss
  bool is_policy;             // whether it acts by probabilities, not by values
  bool errors_are_of_values;  // whether errors are |TD error|, as an actor can compute it
  // InvalidArgument names an option that has no meaning with this algorithm, or its range.
  Status (*check)(const AgentOptions& options);
  // What the outputs of its network mean.
  ValueForm (*form)(const AgentOptions& options, int num_actions);
  // Adds heads and noise to a network whose input, layers and number of actions are set.
  void (*describe)(const AgentOptions& options, NetworkSpec& network);
  // Both for a network so described; `network` must outlive the policy.
  std::unique_ptr<Policy> (*make_policy)(const AgentOptions& options, QNetwork& network,
                                         ActBy act_by);
  std::unique_ptr<Loss> (*make_loss)(const AgentOptions& options, const NetworkSpec& network,
                                     int batch_size);
};
std::span<const AlgorithmRow> AlgorithmTable();

// InvalidArgument for an unknown name.
StatusOr<const AlgorithmRow*> FindAlgorithm(std::string_view name);

// How an agent of these options acts by `network`, which must outlive the policy. InvalidArgument
// for an unknown algorithm.
StatusOr<std::unique_ptr<Policy>> MakePolicy(const AgentOptions& options, QNetwork& network,
                                             ActBy act_by);

// Whether it learns from unrolls; the states of a minibatch of `batch_size`, all of which its
// network computes; and its time steps. All for an algorithm that exists.
bool UsesUnrolls(const AgentOptions& options);
int StatesOfMinibatch(const AgentOptions& options, int batch_size);
int StepsOfMinibatch(const AgentOptions& options, int batch_size);

// InvalidArgument, naming the configuration key, its value and what is possible, for options that
// do not go together.
Status CheckAgentOptions(const AgentOptions& options);

}  // namespace gorila

#endif  // GORILA_AGENT_ALGORITHM_H_
