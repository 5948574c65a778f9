// A distributed run on this machine: starts its roles as child processes, watches them, stops them
// in order, and leaves the same run directory as a run in one process (and launch_files.h).
#ifndef GORILA_LAUNCH_LAUNCHER_H_
#define GORILA_LAUNCH_LAUNCHER_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/cores.h"
#include "gorila/launch/child_processes.h"
#include "gorila/launch/coordinator.h"
#include "gorila/launch/launch_files.h"
#include "gorila/run/run_directory.h"

namespace gorila {

// The processes of a run on this machine, servers first. `listen`: of each server role, in the
// table's order; port 0 before the servers have chosen one.
struct LocalAddresses {
  std::vector<rpc::Endpoint> parameter_servers;
  std::vector<rpc::Endpoint> replays;
  std::vector<rpc::Endpoint> members = {};
};
LocalAddresses AnyLocalAddresses(const Config& config);
std::vector<ChildCommand> LocalServers(const std::filesystem::path& program, const Config& config,
                                       const LaunchFiles& files, const LocalAddresses& listen);
// Members of groups, which call the parameter servers among `listen` and so come after them.
std::vector<ChildCommand> LocalMembers(const std::filesystem::path& program, const Config& config,
                                       const LaunchFiles& files, const LocalAddresses& listen);
std::vector<ChildCommand> LocalWorkers(const std::filesystem::path& program, const Config& config,
                                       const LaunchFiles& files, const LocalAddresses& servers);

// InvalidArgument for a configuration that cannot run as processes, with the key.
Status CheckLaunch(const Config& config);
// The same for all of them on this machine: replay must fit into its memory.
Status CheckLocalLaunch(const Config& config);

// Makes a new directory that of a launched run, with its token and configuration.
Status PrepareLaunchedRun(const Config& config, const RunDirectory& directory);
// Not yet checked (CheckConfig). InvalidArgument when the run was not launched.
StatusOr<Config> ReadLaunchedConfig(const RunDirectory& directory);
// Whether the run, which was `before`, can be resumed as `config`; keeps its number of shards where
// that is automatic. Gives the games that join it. InvalidArgument naming the key.
StatusOr<std::vector<std::string>> CheckLaunchResumable(const RunDirectory& directory,
                                                        const Config& before, Config& config);

// One run. One thread calls.
class Launcher {
 public:
  // Goes on from the servers' snapshots, if there are any. `program`: this very program.
  static StatusOr<std::unique_ptr<Launcher>> Open(const Config& config,
                                                  std::unique_ptr<RunDirectory> directory,
                                                  const std::filesystem::path& program);

  // Trains until the configured frames (or seconds) are reached or stop is requested; then stops
  // all processes in order, the servers with a last snapshot. A finished run is evaluated.
  StatusOr<TrainingOutcome> Run(const TrainerHooks& hooks);

  const Config& config() const { return config_; }
  const RunDirectory& directory() const { return *directory_; }

 private:
  Launcher(const Config& config, std::unique_ptr<RunDirectory> directory,
           const std::filesystem::path& program);

  Status StartServers(const TrainerHooks& hooks);
  void StartAtAnyAddress(std::vector<ChildCommand> commands);
  // Makes restarted processes listen at the addresses that the others know.
  using MakeCommands = decltype(LocalServers);
  void Pin(MakeCommands* make);
  // Blocks until all servers of the role have written where they listen.
  StatusOr<std::vector<rpc::Endpoint>> WaitForAddresses(Role role, const TrainerHooks& hooks);
  Status StartWorkers(const TrainerHooks& hooks);
  Status failure() const { return children_ == nullptr ? OkStatus() : children_->failure(); }

  const Config config_;
  const std::unique_ptr<RunDirectory> directory_;
  const LaunchFiles files_;
  const std::filesystem::path program_;
  std::unique_ptr<PinnedThread> pinned_;  // to run.cpus; may be null
  std::string token_;
  LocalAddresses servers_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<ChildProcesses> children_;
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_LAUNCHER_H_
