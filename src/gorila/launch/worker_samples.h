// The coordinator's view of the workers, from their reports to shard 0.
#ifndef GORILA_LAUNCH_WORKER_SAMPLES_H_
#define GORILA_LAUNCH_WORKER_SAMPLES_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gorila/run/run_observer.h"
#include "gorila/v1/parameter_server.pb.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

// The processes of `roles` that reported lately, one for each role and index: after a restart the
// last report of the earlier process may still be there.
std::vector<const v1::RoleStatus*> LivingProcesses(
    const google::protobuf::RepeatedPtrField<v1::RoleStatus>& roles);

// One thread.
class WorkerSamples {
 public:
  // Reserves places in `per_bundle` for that many bundles and then actors; others follow in order
  // of appearance. `learner_work` is by index.
  explicit WorkerSamples(int bundles = 0, int actors = 0, int learners = 0);

  // Adds to `sample` the figures of living processes of `roles`, and `episodes`, each to the bundle
  // or actor that played it. A bundle or actor keeps its place in `per_bundle` while it is down and
  // after a restart.
  void AddTo(const google::protobuf::RepeatedPtrField<v1::RoleStatus>& roles,
             const google::protobuf::RepeatedPtrField<v1::Episode>& episodes, RunSample& sample);

  // A record of metrics ends: resets RunSample::learning.
  void EndRecord() { learning_ = {}; }

 private:
  using Name = std::pair<std::string, int>;  // role, index

  // The one of a bundle or actor in `per_bundle`; a new one gets the next place.
  BundleSample& PlayerOf(const Name& name);
  void AddPlayer(const v1::RoleStatus& role, RunSample& sample);
  void AddLearner(const v1::RoleStatus& role, RunSample& sample);

  std::map<Name, std::size_t> places_;
  std::vector<BundleSample> players_;           // the last of each
  std::map<int, WorkSeconds> learner_work_;     // by index; the last of each
  std::map<int, WorkerCounts> learner_counts_;  // likewise
  std::map<Name, LearnerStatistics> learned_;   // sums at the last look
  LearnerStatistics learning_;                  // since the last record
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_WORKER_SAMPLES_H_
