// A learner (paper section 4.1): samples minibatches from replay, computes DQN gradients with its
// replica and sends them to the parameter server. It never applies a gradient itself.
#ifndef GORILA_LEARNER_LEARNER_H_
#define GORILA_LEARNER_LEARNER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gorila/learner/outlier_filter.h"
#include "gorila/learner/td_loss.h"
#include "gorila/parameter_server/network_replica.h"
#include "gorila/parameter_server/parameter_store.h"
#include "gorila/replay/replay.h"

namespace gorila {

struct LearnerOptions {
  std::string algorithm = "double_dqn";  // a row of TdAlgorithmTable()
  TdLossOptions loss;
  int batch_size = 32;
  OutlierFilter::Options outliers;
};

struct LearnerCounters {
  std::int64_t gradients = 0;  // computed
  std::int64_t outliers = 0;   // discarded by the filter, never sent
  PushOutcome slices;          // of those sent
  double loss = 0;             // running mean over those sent
};

// Used by one thread at a time. Borrows everything but its target replica's network.
class Learner {
 public:
  // InvalidArgument for an unknown algorithm. `online` may be shared with the bundle's actor;
  // `target` is the learner's own replica of theta-.
  static StatusOr<std::unique_ptr<Learner>> Make(const LearnerOptions& options,
                                                 NetworkReplica& online,
                                                 std::unique_ptr<NetworkReplica> target,
                                                 Replay& replay, ParameterStore& store);

  // One gradient: pull, sample, forward, loss, backward, push. The replay's CanSample() must be
  // true.
  Status Step();

  NetworkReplica& target() { return *target_; }
  const LearnerCounters& counters() const { return counters_; }

  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  Learner(const LearnerOptions& options, const TdAlgorithm& algorithm, NetworkReplica& online,
          std::unique_ptr<NetworkReplica> target, Replay& replay, ParameterStore& store);

  double ComputeLoss();
  Status PushGradient();

  const LearnerOptions options_;
  const TdAlgorithm& algorithm_;
  NetworkReplica& online_;
  const std::unique_ptr<NetworkReplica> target_;
  Replay& replay_;
  ParameterStore& store_;
  const int num_actions_;
  OutlierFilter outliers_;
  LearnerCounters counters_;

  TransitionBatch batch_;
  std::vector<float> q_tm1_;  // batch x actions, as all q-values
  std::vector<float> q_target_t_;
  std::vector<float> q_online_t_;
  std::vector<float> dq_;
  std::vector<float> td_errors_;  // batch
  std::vector<float> gradient_;   // as the flat parameter vector
};

}  // namespace gorila

#endif  // GORILA_LEARNER_LEARNER_H_
