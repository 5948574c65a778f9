#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gorila/base/file.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/label_flags.h"
#include "gorila/cli/launch_engines.h"
#include "gorila/cli/older_name.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/this_program.h"
#include "gorila/cli/training_session.h"
#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/resolve.h"
#include "gorila/launch/capacity_plan.h"
#include "gorila/launch/launcher.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/run/added_games.h"
#include "gorila/run/cluster.h"
#include "gorila/run/run_network.h"
#include "gorila/run/run_results.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kLaunchFlags[] = {
    kEnvFlag,
    kSeedFlag,
    kFramesFlag,
    kSecondsFlag,
    {"--bundles", "run.bundles", "N", "Bundle processes"},
    {"--shards", "parameter_server.shards", "N", "Parameter server processes"},
    {"--actors", "cluster.actors", "N", "Actor processes, with a global replay"},
    {"--learners", "cluster.learners", "N", "Learner processes of the global replay"},
    {"--replays", "cluster.replays", "N", "Shards of the global replay"},
    {"--metrics-port", "cluster.metrics_port", "N",
     "First port of the /metrics of launch and every process"},
    kInitFromFlag};

struct LaunchOptions {
  fs::path cluster;
  ConfigFlags changes;
  WatchFlags watch;
  LabelFlags labels;
  fs::path run_directory;
  fs::path resume;
  std::string engine = "local";
  bool print = false;
  bool quiet = false;
};

StatusOr<Config> LoadCluster(const LaunchOptions& options) {
  GORILA_ASSIGN_OR_RETURN(
      Config config, LoadConfig({.preset = options.changes.preset(), .file = options.cluster}));
  GORILA_RETURN_IF_ERROR(options.changes.ApplyTo(config));
  GORILA_RETURN_IF_ERROR(options.changes.FitGames(options.cluster, config));
  return config;
}

// Before anything is created. Only the local engine leaves a process here to watch.
StatusOr<TrainingWatch> BindWatch(const LaunchOptions& options, const LaunchEngine& engine,
                                  const Config& config) {
  if (engine.watched_here) {
    const int port = config.cluster.metrics_port;
    return options.watch.Bind(port > 0 ? fmt::format("127.0.0.1:{}", port) : "");
  }
  if (options.watch.given()) {
    return InvalidArgument(
        "--dashboard and --metrics-listen need --engine local; with --engine {} use "
        "gorila dashboard RUN and --metrics-port",
        engine.name);
  }
  return TrainingWatch(nullptr, nullptr);
}

// The configuration to resume with: the run's own and the flags on top of it.
StatusOr<Config> LoadResumed(const LaunchOptions& options, const LaunchEngine& engine,
                             const RunDirectory& directory, const Config& before) {
  Config config = before;
  GORILA_RETURN_IF_ERROR(options.changes.ApplyToRun(config));
  GORILA_ASSIGN_OR_RETURN(const std::vector<std::string> added,
                          CheckLaunchResumable(directory, before, config));
  if (!added.empty()) fmt::print(stderr, "{}\n", JoinedBy(added));
  GORILA_RETURN_IF_ERROR(engine.check(config, directory.path()));
  return config;
}

// Servers skip a damaged newest snapshot and say so only in their logs, so this says it too.
Status WarnOfSnapshots(const fs::path& run, const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  const auto found = ReadServerSnapshots(run, config, MakeParameterLayout(network));
  if (!found.ok()) {
    // A run that was stopped early has none yet, or the servers keep them elsewhere.
    if (!HasFinalNetwork(run)) return OkStatus();
    return DataLoss("'{}' has a result, but its state cannot be resumed: {}", run.string(),
                    std::string(found.status().message()));
  }
  for (const std::string& warning : found->warnings) {
    fmt::print(stderr, "gorila: {}; resuming from an older snapshot\n", warning);
  }
  return OkStatus();
}

// Which a run would otherwise show only in its counters.
void WarnOfStaleness(const Config& config) {
  const std::optional<std::string> warning = StalenessWarning(
      config.run.bundles + config.cluster.learners, config.parameter_server.overlap,
      config.parameter_server.options.max_staleness);
  if (warning.has_value()) fmt::print(stderr, "warning: {}\n", *warning);
}

StatusOr<int> ResumeRun(const LaunchOptions& options, const LaunchEngine& engine,
                        LaunchRequest& request) {
  if (options.labels.given()) {
    return InvalidArgument(
        "a resumed run keeps its labels; expected no --name, --note or --tag ('gorila label {}' "
        "changes them)",
        options.resume.string());
  }
  if (!options.cluster.empty() || !options.run_directory.empty() || options.print ||
      options.changes.NamesSource()) {
    return InvalidArgument(
        "--resume takes the run's own configuration; expected no CLUSTER file, --preset, "
        "--run-dir or --print");
  }
  GORILA_ASSIGN_OR_RETURN(auto directory, RunDirectory::Open(options.resume));
  GORILA_ASSIGN_OR_RETURN(const Config before, ReadLaunchedConfig(*directory));
  GORILA_ASSIGN_OR_RETURN(const Config config, LoadResumed(options, engine, *directory, before));
  if (ToToml(config) == ToToml(before)) {
    if (const auto finished = ReadFinalEvaluation(options.resume); finished.ok()) {
      return ShowFinished(options.resume, "gorila launch --resume", *finished, options.quiet);
    }
  }
  if (engine.watched_here) GORILA_RETURN_IF_ERROR(WarnOfSnapshots(options.resume, config));
  GORILA_ASSIGN_OR_RETURN(TrainingWatch watch, BindWatch(options, engine, config));
  WarnOfStaleness(config);
  request.watch = &watch;
  request.before = &before;
  // First, so that a run with a longer configuration never counts as finished.
  GORILA_RETURN_IF_ERROR(MarkUnfinished(options.resume));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory->config(), RunConfigText(config)));
  GORILA_RETURN_IF_ERROR(WriteMadeWith(LaunchFiles(directory->path()), config));
  return engine.run(config, std::move(directory), request);
}

// A run's folder given as CLUSTER is resumed.
Status TakeRun(LaunchOptions& options) {
  std::error_code error;
  if (!fs::is_directory(options.cluster, error)) return OkStatus();
  GORILA_ASSIGN_OR_RETURN(options.resume,
                          OneOf("RUN", options.cluster, "--resume", options.resume));
  options.cluster.clear();
  return OkStatus();
}

StatusOr<int> Launch(const LaunchOptions& options, const Invocation& invocation) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(const RunLabels labels, options.labels.Labels());
  GORILA_ASSIGN_OR_RETURN(const LaunchEngine engine, FindLaunchEngine(options.engine));
  LaunchRequest request{
      .program = {}, .quiet = options.quiet, .invocation = invocation, .watch = nullptr};
  GORILA_ASSIGN_OR_RETURN(request.program, ThisProgram());
  if (!options.resume.empty()) return ResumeRun(options, engine, request);
  GORILA_ASSIGN_OR_RETURN(Config config, LoadCluster(options));
  GORILA_RETURN_IF_ERROR(CheckConfig(config));  // before anything is said of it
  GORILA_RETURN_IF_ERROR(RecordAndNote(config));
  std::string source = options.changes.NamesSource() ? options.changes.preset() : "cluster";
  if (!options.cluster.empty()) source = options.cluster.stem().string();
  if (options.changes.ChangesSource()) source += "-changed";
  fs::path path =
      options.run_directory.empty() ? FreeRunDirectory(config, source) : options.run_directory;
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "runs/cluster/"
  GORILA_RETURN_IF_ERROR(engine.check(config, path));
  WarnOfStaleness(config);
  if (options.print) return engine.print(config, path, request);
  GORILA_ASSIGN_OR_RETURN(TrainingWatch watch, BindWatch(options, engine, config));
  request.watch = &watch;
  GORILA_ASSIGN_OR_RETURN(
      auto directory,
      MakeRunDirectory(options.run_directory.empty() ? fs::path() : path, config, source));
  GORILA_RETURN_IF_ERROR(WriteRunLabels(directory->path(), labels));
  GORILA_RETURN_IF_ERROR(PrepareLaunchedRun(config, *directory));
  return engine.run(config, std::move(directory), request);
}

constexpr CommandText kLaunchText = {
    .name = "launch",
    .summary = "Train with a process for each role, here or on a cluster",
    .details =
        R"(CLUSTER is a configuration file: run.bundles sets the number of bundle processes,
parameter_server.shards that of parameter servers, and cluster.actors, learners and replays that of
the others; servers take snapshots every checkpoint.every_seconds. The engine places the processes:
  local       on this machine; restarts processes that die; Ctrl-C stops all, with snapshots
  slurm       submits one job (sbatch); --run-dir must be on a file system that all nodes share
  kubernetes  applies manifests (kubectl); kubernetes.image names the image
)",
    .examples = R"(gorila launch configs/minatar.toml --bundles 2 --shards 2 --run-dir runs/cluster
gorila launch --dashboard --metrics-port 9100
gorila launch --preset apex --env pixel/breakout --actors 4
gorila launch --actors 2 --learners 1 --replays 2 --bundles 0
gorila launch cluster.toml --engine slurm --run-dir runs/cluster
gorila launch cluster.toml --engine kubernetes --run-dir runs/cluster --print
gorila launch runs/cluster
gorila launch runs/cluster --frames 2M
)"};

}  // namespace

Verb AddLaunchVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kLaunchText);
  const auto options = std::make_shared<LaunchOptions>();
  app->add_option("CLUSTER", options->cluster,
                  "Configuration file of a new run, or the folder of a launched run to resume")
      ->type_name("");
  app->add_option("--engine", options->engine,
                  "Engine that places the processes: local, slurm or kubernetes (default: local)")
      ->type_name("NAME");
  app->add_option("--run-dir", options->run_directory,
                  "New folder for the run (default: runs/ENV-CLUSTER-seedN-1, -2, ...)")
      ->type_name("DIR");
  app->add_option("--resume", options->resume,
                  "Resume that run, as naming its folder does; other flags change its keys")
      ->type_name("DIR");
  app->add_flag("--print", options->print, "Print what would be started and exit");
  app->add_flag("--quiet", options->quiet, "Print the result only");
  options->changes.AddPreset(*app);
  options->changes.AddKeys(*app, kLaunchFlags);
  options->changes.AddSets(*app);
  options->labels.Add(*app);
  options->watch.Add(*app);
  return {app, [options](const Invocation& invocation) -> StatusOr<int> {
            GORILA_RETURN_IF_ERROR(TakeRun(*options));
            return Launch(*options, invocation);
          }};
}

}  // namespace gorila::cli
