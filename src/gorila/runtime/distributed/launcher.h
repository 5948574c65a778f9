// A distributed run on this machine: starts its roles as child processes, watches them, shows one
// progress, evaluates, and writes the same run directory as a run in one process. Beside that:
//
//   token                  the run's secret
//   addresses/shard-<i>    where each shard listens
//   shards/<i>/            snapshots and generation of each shard (parameter_server/remote)
//   logs/<role>-<i>.log    what each process said
//   best.safetensors       the best network of the periodic evaluations
#ifndef GORILA_RUNTIME_DISTRIBUTED_LAUNCHER_H_
#define GORILA_RUNTIME_DISTRIBUTED_LAUNCHER_H_

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/runtime/distributed/child_processes.h"
#include "gorila/runtime/run_directory.h"
#include "gorila/runtime/run_observer.h"
#include "gorila/runtime/run_scorer.h"
#include "gorila/runtime/trainer.h"

namespace gorila {

// Where the files above are.
struct LaunchFiles {
  explicit LaunchFiles(std::filesystem::path run_directory) : run(std::move(run_directory)) {}
  std::filesystem::path token() const { return run / "token"; }
  std::filesystem::path address(int shard) const {
    return run / "addresses" / fmt::format("shard-{}", shard);
  }
  std::filesystem::path shard(int shard) const { return run / "shards" / std::to_string(shard); }
  std::filesystem::path log(std::string_view name) const {
    return run / "logs" / fmt::format("{}.log", name);
  }
  std::filesystem::path best() const { return run / "best.safetensors"; }

  std::filesystem::path run;
};

// The processes of a run. `listen`: of each shard; port 0 before the shard has chosen one.
std::vector<ChildCommand> ShardCommands(const std::filesystem::path& program, const Config& config,
                                        const LaunchFiles& files,
                                        const std::vector<rpc::Endpoint>& listen);
std::vector<ChildCommand> BundleCommands(const std::filesystem::path& program, const Config& config,
                                         const LaunchFiles& files,
                                         const std::vector<rpc::Endpoint>& shards);

// The addresses that the shards of a launched run wrote. NotFound when one is missing.
StatusOr<std::vector<rpc::Endpoint>> ReadAddresses(const LaunchFiles& files, int shards);

// InvalidArgument for a configuration that cannot run as processes on this machine, with the key.
Status CheckLaunch(const Config& config);

// One run. One thread calls.
class Launcher {
 public:
  // Makes the run's directory. `program`: this very program. InvalidArgument as Trainer::Start.
  static StatusOr<std::unique_ptr<Launcher>> Start(const Config& config,
                                                   const std::filesystem::path& directory,
                                                   const std::filesystem::path& program);
  // Goes on from the shards' snapshots.
  static StatusOr<std::unique_ptr<Launcher>> Resume(std::unique_ptr<RunDirectory> directory,
                                                    const std::filesystem::path& program);

  // Trains until the configured frames (or seconds) are reached or stop is requested; then stops
  // all processes in order, the shards with a last snapshot. A finished run is evaluated.
  StatusOr<TrainingOutcome> Run(const TrainerHooks& hooks);

  const Config& config() const { return config_; }
  const RunDirectory& directory() const { return *directory_; }

 private:
  Launcher(const Config& config, std::unique_ptr<RunDirectory> directory,
           const std::filesystem::path& program);

  Status StartShards(const TrainerHooks& hooks);
  Status WaitForAddresses(const TrainerHooks& hooks);
  Status Connect(const TrainerHooks& hooks);
  Status OpenEvents(const TrainerHooks& hooks);
  bool GivenUp(const TrainerHooks& hooks) const;
  Status Train(const TrainerHooks& hooks);
  bool StopWanted(const TrainerHooks& hooks);
  // False when shard 0 does not answer now.
  bool Observe();
  Status EvaluateIfDue(std::int64_t frames_before, const TrainerHooks& hooks);
  StatusOr<std::vector<float>> PullParameters();
  Status Finish(const TrainerHooks& hooks, TrainingOutcome& outcome);
  Status WriteBest();
  Status ReadBest();
  double Seconds() const;

  const Config config_;
  const std::unique_ptr<RunDirectory> directory_;
  const LaunchFiles files_;
  const std::filesystem::path program_;
  ParameterLayout layout_;
  std::string token_;
  std::vector<rpc::Endpoint> shards_;
  std::optional<RunLog> log_;
  std::optional<EventFile> events_;
  RunObserver observer_;
  RunScorer scorer_;
  std::chrono::steady_clock::time_point started_;
  double seconds_before_ = 0;  // of training before this process
  std::int64_t next_episode_ = 0;
  std::int64_t episodes_generation_ = 0;  // of shard 0, in which next_episode_ counts
  bool interrupted_ = false;
  std::unique_ptr<ChildProcesses> children_;
  std::unique_ptr<RemoteParameterStore> store_;
};

}  // namespace gorila

#endif  // GORILA_RUNTIME_DISTRIBUTED_LAUNCHER_H_
