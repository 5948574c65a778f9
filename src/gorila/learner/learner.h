// A learner (paper section 4.1): samples minibatches from replay, computes gradients with its
// replica and sends them to the parameter server. It never applies a gradient itself.
#ifndef GORILA_LEARNER_LEARNER_H_
#define GORILA_LEARNER_LEARNER_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/learner/outlier_filter.h"
#include "gorila/parameter_server/network_replica.h"
#include "gorila/parameter_server/parameter_store.h"
#include "gorila/replay/replay.h"

namespace gorila {

struct LearnerOptions {
  AgentOptions agent;
  int batch_size = 32;  // transitions or unrolls
  OutlierFilter::Options outliers;
  // beta (Schaul et al. 2016): a transition drawn with probability p weighs (p_least / p)^beta in
  // the loss; without effect where all are drawn alike.
  double importance_exponent = 0.4;
  double importance_exponent_end = -1;  // reached linearly; -1: it stays
  std::int64_t importance_updates = 0;  // of the parameter server, until then; 0 = at once
  double gradient_norm = 0;             // longer gradients are scaled down to it; 0 = off
  // DistBelief's n_push and n_fetch: gradients that are added up before a push, and gradients
  // between two pulls of theta. Both 1 in the paper's runs.
  int push_every = 1;
  int fetch_every = 1;
  // Members of the group that computes a learner's network together (network_group.h).
  int members = 1;
  // Updates of the parameter server that the first learner makes alone (DistBelief's warm start).
  std::int64_t warm_start = 0;
};

struct LearnerCounters {
  std::int64_t gradients = 0;  // computed
  std::int64_t outliers = 0;   // discarded by the filter, never sent
  PushOutcome slices;          // of those sent; with push_every, of their sums
  double loss = 0;             // running mean over those that the filter let pass
};

// What people watch, of a stretch of learning. `value` is max_a Q(s_tm1, a) of a sampled state, or
// V of an unroll's first.
struct LearnerStatistics {
  std::int64_t batches = 0;
  double value_sum = 0;  // over batches, of a batch's mean value
  double value_max = -std::numeric_limits<double>::infinity();
  std::int64_t norms = 0;      // gradients whose norm was taken
  double norm_sum = 0;         // of their Euclidean norms
  std::int64_t entropies = 0;  // batches of a policy that is a distribution
  double entropy_sum = 0;      // of its mean entropy in a batch's states, in nats
  double policy_loss_sum = 0;  // of the same batches, as PolicyTerms
  double baseline_loss_sum = 0;
  std::int64_t lags = 0;     // gradients, or sums of them, pushed
  std::int64_t lag_sum = 0;  // of the updates that each lacked, by the update clock

  // NaN without any.
  double MeanValue() const { return value_sum / static_cast<double>(batches); }
  double MeanNorm() const { return norm_sum / static_cast<double>(norms); }
  double MeanEntropy() const { return entropy_sum / static_cast<double>(entropies); }
  double MeanPolicyLoss() const { return policy_loss_sum / static_cast<double>(entropies); }
  double MeanBaselineLoss() const { return baseline_loss_sum / static_cast<double>(entropies); }

  LearnerStatistics& operator+=(const LearnerStatistics& other) {
    batches += other.batches;
    value_sum += other.value_sum;
    value_max = std::max(value_max, other.value_max);
    norms += other.norms;
    norm_sum += other.norm_sum;
    entropies += other.entropies;
    entropy_sum += other.entropy_sum;
    policy_loss_sum += other.policy_loss_sum;
    baseline_loss_sum += other.baseline_loss_sum;
    lags += other.lags;
    lag_sum += other.lag_sum;
    return *this;
  }
};

// Used by one thread at a time. Borrows everything but its target replica's network.
class Learner {
 public:
  // InvalidArgument for an unknown algorithm. `online` may be shared with the bundle's actor;
  // `target` is the learner's own replica of theta-, null if the algorithm does not use it;
  // `random` draws the noise of noisy networks.
  static StatusOr<std::unique_ptr<Learner>> Make(const LearnerOptions& options,
                                                 NetworkReplica& online,
                                                 std::unique_ptr<NetworkReplica> target,
                                                 Replay& replay, ParameterStore& store,
                                                 RandomStream random);

  // One gradient: sample, pull, loss, filter, backward, clip, priorities back to the replay, push;
  // with push_every a push of the sum of so many, with the oldest of their versions.
  // What the outlier filter discards ends after the loss, and its transitions are drawn no more
  // often for it.
  // Blocks and fails as the replay's Sample does.
  Status Step();

  // Pulls theta-, if there is one; Step does it too.
  Status RefreshTarget();
  NetworkReplica& target() { return *target_; }
  const LearnerCounters& counters() const { return counters_; }
  // Since the last call. Not part of the state that is saved.
  LearnerStatistics TakeStatistics() { return std::exchange(statistics_, {}); }

  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  Learner(const LearnerOptions& options, const AlgorithmRow& algorithm, NetworkReplica& online,
          std::unique_ptr<NetworkReplica> target, Replay& replay, ParameterStore& store,
          RandomStream random);

  void ComputeWeights();
  double ComputeLoss();
  void ComputeGradient();
  void WatchValues();
  bool GradientIsFinite() const;
  bool ClipAndWatchGradient();  // whether SquaresAreFinite() of it
  Status TellPriorities();
  Status TellOutlierPriorities();
  double ImportanceExponent() const;
  Status PushGradient(bool finite);
  bool AddUp();
  Status Send(std::span<const float> gradient, const ShardVersions& versions, bool finite);
  Status RestoreSum(StateReader& reader);

  const LearnerOptions options_;
  NetworkReplica& online_;
  const std::unique_ptr<NetworkReplica> target_;
  Replay& replay_;
  ParameterStore& store_;
  const std::unique_ptr<Loss> loss_;
  RandomStream random_;
  OutlierFilter outliers_;
  LearnerCounters counters_;
  LearnerStatistics statistics_;

  TransitionBatch batch_;
  std::vector<float> doutputs_;  // states x outputs
  std::vector<float> errors_;    // batch, as the three below
  std::vector<float> weights_;
  std::vector<float> values_;
  std::vector<float> sorted_errors_;
  std::pmr::vector<float> own_gradient_;  // empty where the store lends memory
  std::span<float> gradient_;             // of this step, as the flat parameter vector

  // With push_every: the gradients since the last push.
  std::pmr::vector<float> sum_;
  ShardVersions sum_versions_;  // of the first of them
  int summed_ = 0;
};

}  // namespace gorila

#endif  // GORILA_LEARNER_LEARNER_H_
