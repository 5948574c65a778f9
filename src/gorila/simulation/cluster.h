// The processes of a simulated cluster: what each runs, and who starts it again.
#ifndef GORILA_SIMULATION_CLUSTER_H_
#define GORILA_SIMULATION_CLUSTER_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/config/config.h"
#include "gorila/launch/actor_process.h"
#include "gorila/launch/bundle_process.h"
#include "gorila/launch/learner_process.h"
#include "gorila/launch/serving.h"
#include "gorila/launch/status_board.h"
#include "gorila/simulation/agents.h"
#include "gorila/simulation/coordinator.h"
#include "gorila/simulation/model_bundle.h"
#include "gorila/simulation/oracle.h"
#include "gorila/simulation/plan.h"
#include "gorila/simulation/scheduler.h"

namespace gorila::simulation {

// A process and what it was started with, which must outlive it.
struct Life {
  ProcessId process = 0;
  int machine = 0;  // of the plan
  Place place;
  ServingOptions serving = {};
  BundleProcessOptions bundle = {};
  ActorProcessOptions actor = {};
  LearnerProcessOptions learner = {};
  RoleHooks hooks = {};
  StatusBoard board = {};
  ModelBundleWatch model = {};
  CoordinatorWatch coordinator = {};
  std::int64_t frames = 0;   // steps of its environments
  std::int64_t updates = 0;  // gradients that it computed or, of a model bundle, offered
  std::int64_t looks = 0;    // of a coordinator
  std::int64_t done_at_check = 0;
  bool run_is_over = false;  // it says that the run has its frames
};

// Not thread-safe: of the scheduler's thread. Borrows everything that it is made with.
class Cluster {
 public:
  // `log`: keep what processes say.
  Cluster(const Plan& plan, bool log, Scheduler& scheduler, Oracle& oracle);

  Status SetUp();
  void StartAll();
  // On the machine `runs_on` where that is not the process's own.
  void Start(int machine, int runs_on);
  void StartAfter(int machine, double seconds);
  // What it had stored is lost: it begins anew, even if it had ended.
  void LoseFolder(int machine);
  // Kills what may be alive of the machine's processes.
  void KillAll(int machine);
  void Slow(int machine, SteadyTime until) { slow_until_[machine] = until; }
  void SpeedUpAll() { slow_until_.clear(); }

  // Of the plan, whichever machine the process runs on.
  int MachineOf(ProcessId process) const { return life_of_.at(process)->machine; }
  // The newest process of the machine; null before its first.
  Life* Current(int machine);

  // Which work must get on from now on, and what does not.
  void BeginLivenessCheck();
  void CheckLiveness(double seconds);
  // The end of a run: workers are asked to end, what servers counted is looked at, they are asked
  // to end too, and nothing may be left.
  void StopWorkers() { workers_stop_ = true; }
  void CheckCounts();
  void StopServers() { servers_stop_ = true; }
  void CheckEnded();

  // Whether the run has its frames, and all that worked for it have ended for so long.
  bool OverFor(double seconds) const;

  // "/shard-3/...": where the machine keeps its state.
  std::string VolumeOf(int machine) const;
  void LeaveThread() { agents_.LeaveThread(); }
  std::int64_t restarts() const { return restarts_; }
  std::vector<std::string> TakeLog() { return std::move(said_); }

 private:
  std::int64_t DoneBy(const Life& life) const;
  Life& NewLife(int machine, int runs_on);
  void Run(Life& life);
  Status RunRole(Life& life);
  void SetUpModel(Life& life);
  void SetUpCoordinator(Life& life);
  void SetUpRole(Life& life);
  void Ended(Life& life, const Status& status);
  void Say(const Life& life, std::string_view text);
  double ComputeSeconds(const Life& life) const;
  Life& Running() { return *life_of_.at(scheduler_.current_process()); }
  std::string NameOf(const Life& life) const;
  AgentWatch MakeWatch();

  const Plan& plan_;
  const bool log_;
  const Config config_;
  Scheduler& scheduler_;
  Oracle& oracle_;
  Agents agents_;
  const SteadyTime begin_;
  RemoteParts parts_;  // where shards are
  std::deque<std::unique_ptr<Life>> lives_;
  std::unordered_map<ProcessId, Life*> life_of_;
  std::map<int, Life*> current_;           // by machine of the plan
  std::map<int, std::vector<Life*>> all_;  // that may be alive
  std::map<int, SteadyTime> slow_until_;
  std::set<int> starting_;  // machines that will have a process soon
  std::set<int> finished_;  // those whose process ended because the run has its frames
  SteadyTime last_finished_{};
  std::int64_t restarts_ = 0;
  bool workers_stop_ = false, servers_stop_ = false;
  std::vector<std::string> said_;
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_CLUSTER_H_
