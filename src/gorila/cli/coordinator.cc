#include "gorila/launch/coordinator.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/older_name.h"
#include "gorila/cli/role_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/training_session.h"
#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/launch/launcher.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/retry.h"
#include "gorila/run/added_games.h"
#include "gorila/run/resume_rules.h"
#include "gorila/run/run_cores.h"
#include "gorila/run/run_results.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

struct CoordinatorVerbOptions {
  ConfigFlags config;
  RoleFlags role;
  fs::path run_directory;
  fs::path older_run_directory;  // of --run-dir, the older spelling of RUN
  std::string parameter_servers;
  std::string replays;
};

// How long to wait for a run directory in use: after a cluster has restarted a job, a file server
// may still hold the lock of the previous coordinator.
constexpr std::chrono::seconds kLockPatience{120};
constexpr std::chrono::milliseconds kLockLook{200};

StatusOr<std::unique_ptr<RunDirectory>> OpenWhenFree(const fs::path& path) {
  const auto deadline = std::chrono::steady_clock::now() + kLockPatience;
  for (bool said = false;; said = true) {
    auto directory = RunDirectory::Open(path);
    if (!absl::IsAlreadyExists(directory.status())) return directory;
    const std::string why(directory.status().message());
    if (std::chrono::steady_clock::now() >= deadline) {
      return Unavailable("{}; waited {} s; stop that process or choose another folder", why,
                         kLockPatience.count());
    }
    if (!said) fmt::print(stderr, "{}; waiting up to {} s\n", why, kLockPatience.count());
    if (!rpc::SleepUnlessStopped(kLockLook, StopRequested)) {
      return absl::CancelledError("stopped while waiting for the run directory");
    }
  }
}

// Opens the run's directory, or creates it. An existing one must belong to the same run, which its
// configuration tells; `before` becomes that.
StatusOr<std::unique_ptr<RunDirectory>> OpenRun(const Config& config, const fs::path& path,
                                                Config& before) {
  std::error_code error;
  if (!fs::exists(LaunchFiles(path).config(), error)) {
    GORILA_ASSIGN_OR_RETURN(auto directory, RunDirectory::Create(path));
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory->config(), RunConfigText(config)));
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory->coordinated(), ""));
    return directory;
  }
  GORILA_ASSIGN_OR_RETURN(auto directory, OpenWhenFree(path));
  // Older versions marked no folder.
  if (fs::exists(directory->checkpoints(), error)) {
    GORILA_RETURN_IF_ERROR(CheckRunKind(path, RunKind::kCoordinated));
  }
  GORILA_ASSIGN_OR_RETURN(before, LoadRunConfig(directory->config()));
  // The addresses give the number that the file leaves to the program.
  if (NumberOfShards(before) == NumberOfShards(config)) {
    before.parameter_server.shards = config.parameter_server.shards;
  }
  if (ToToml(before) == ToToml(config)) return directory;
  const MadeWith made_with = StateKeys(before, RunKind::kCoordinated);
  GORILA_ASSIGN_OR_RETURN(const std::vector<std::string> added, AddedGames(made_with, config));
  GORILA_RETURN_IF_ERROR(
      CheckResumable(made_with, config, fmt::format("the run in '{}'", path.string()),
                     added.empty() ? FurtherGames::kNone : FurtherGames::kOfLaunched));
  if (!added.empty()) fmt::print(stderr, "{}\n", JoinedBy(added));
  GORILA_RETURN_IF_ERROR(MarkUnfinished(path));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory->config(), RunConfigText(config)));
  return directory;
}

StatusOr<int> Coordinate(const CoordinatorVerbOptions& options, const Invocation& invocation) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  CoordinatorOptions servers;
  GORILA_ASSIGN_OR_RETURN(servers.parameter_servers,
                          rpc::ParseEndpoints(options.parameter_servers));
  if (!options.replays.empty()) {
    GORILA_ASSIGN_OR_RETURN(servers.replays, rpc::ParseEndpoints(options.replays));
  }
  GORILA_ASSIGN_OR_RETURN(servers.credentials, options.role.Load());
  config.parameter_server.shards = static_cast<int>(servers.parameter_servers.size());
  GORILA_RETURN_IF_ERROR(CheckLaunch(config));
  GORILA_ASSIGN_OR_RETURN(const auto pinned, PinToRunCores(config));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<HttpListener> metrics, options.role.BindMetrics());
  Config before = config;
  GORILA_ASSIGN_OR_RETURN(const auto directory, OpenRun(config, options.run_directory, before));
  TrainingWatch watch(nullptr, std::move(metrics));
  GORILA_RETURN_IF_ERROR(watch.Start(options.run_directory, config, nullptr, /*quiet=*/false));
  TrainingConsole console(/*quiet=*/false);
  TrainerHooks hooks = console.Hooks();
  hooks.progress = watch.Showing(std::move(hooks.progress));
  RecordStart(options.run_directory, invocation, {.now = config, .before = before}, hooks);
  GORILA_ASSIGN_OR_RETURN(const auto coordinator,
                          Coordinator::Open(config, *directory, [] { return OkStatus(); }));
  GORILA_RETURN_IF_ERROR(MarkUnfinished(options.run_directory));
  GORILA_RETURN_IF_ERROR(coordinator->Connect(servers, hooks));
  GORILA_RETURN_IF_ERROR(RemoveResults(options.run_directory));
  GORILA_RETURN_IF_ERROR(coordinator->Watch(hooks));
  GORILA_ASSIGN_OR_RETURN(const TrainingOutcome outcome, coordinator->Finish(hooks));
  return EndRun(directory->path(), config, outcome, invocation, invocation.command);
}

constexpr CommandText kCoordinatorText = {
    .name = "coordinator",
    .summary = "Watch a distributed run: progress, metrics, evaluations, the final report",
    .details =
        R"(Writes to RUN what gorila train writes, and continues a run that is already there. It neither
trains nor stops other processes; gorila launch starts it where an engine places the processes. Ends
when the run has its frames and was evaluated; exits with status 130 when stopped earlier (Ctrl-C,
SIGTERM).
)",
    .examples =
        R"(gorila coordinator runs/cluster --config run.toml \
  --parameter-servers host-a:7100,host-b:7100 \
  --token-file token --tls-cert operator.crt --tls-key operator.key --tls-ca ca.crt
)"};

}  // namespace

Verb AddCoordinatorVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kCoordinatorText);
  const auto options = std::make_shared<CoordinatorVerbOptions>();
  app->add_option("RUN", options->run_directory, "Folder of the run; created if missing")
      ->type_name("");
  app->add_option("--run-dir", options->older_run_directory)->group(kHiddenGroup);
  app->add_option("--parameter-servers", options->parameter_servers,
                  "Addresses of all parameter servers, in their order")
      ->required()
      ->type_name("ADDRESS,...");
  app->add_option("--replays", options->replays,
                  "Addresses of the replay shards, whose time steps are shown")
      ->type_name("ADDRESS,...");
  options->role.AddTo(*app, kInsecureMetrics);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation& invocation) -> StatusOr<int> {
            GORILA_ASSIGN_OR_RETURN(
                options->run_directory,
                OneOf("RUN", options->run_directory, "--run-dir", options->older_run_directory));
            if (options->run_directory.empty()) return InvalidArgument("RUN is required");
            return Coordinate(*options, invocation);
          }};
}

}  // namespace gorila::cli
