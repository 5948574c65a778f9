#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/machine.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/training_session.h"
#include "gorila/cli/verb.h"
#include "gorila/cli/version.h"
#include "gorila/runtime/config_load.h"
#include "gorila/runtime/distributed/launcher.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kFlags[] = {
    kEnvFlag,
    kSeedFlag,
    kFramesFlag,
    kSecondsFlag,
    {"--bundles", "run.bundles", "N", "Bundle processes"},
    {"--shards", "parameter_server.shards", "N", "Parameter server processes"}};

struct LaunchOptions {
  fs::path cluster;
  ConfigFlags changes;
  fs::path run_directory;
  fs::path resume;
  std::string engine = "local";
  bool print = false;
  bool quiet = false;
};

StatusOr<fs::path> ThisProgram() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return Unavailable("cannot find this program: {}", error.message());
  return program;
}

StatusOr<Config> LoadCluster(const LaunchOptions& options) {
  Config config;
  if (options.cluster.empty()) {
    GORILA_ASSIGN_OR_RETURN(config, LoadConfig({}));
  } else {
    GORILA_ASSIGN_OR_RETURN(config, LoadConfig({.file = options.cluster}));
  }
  GORILA_RETURN_IF_ERROR(options.changes.ApplyTo(config));
  return config;
}

void PrintCommand(const ChildCommand& command) {
  fmt::print("{}\n", fmt::join(command.arguments, " "));
}

// What would be started. Ports are chosen by the shards.
StatusOr<int> PrintCommands(const Config& config, const fs::path& directory,
                            const fs::path& program) {
  GORILA_RETURN_IF_ERROR(CheckLaunch(config));
  const LaunchFiles files(directory);
  std::vector<rpc::Endpoint> any(static_cast<std::size_t>(config.parameter_server.shards),
                                 rpc::Endpoint{.host = "127.0.0.1", .port = 0});
  for (const ChildCommand& command : ShardCommands(program, config, files, any)) {
    PrintCommand(command);
  }
  for (const ChildCommand& command : BundleCommands(program, config, files, any)) {
    PrintCommand(command);
  }
  return kSuccess;
}

StatusOr<int> RunToEnd(Launcher& launcher, const LaunchOptions& options,
                       const Invocation& invocation) {
  const fs::path directory = launcher.directory().path();
  if (!options.quiet) GORILA_RETURN_IF_ERROR(PrintPlan(launcher.config(), directory));
  TrainingConsole console(options.quiet);
  GORILA_ASSIGN_OR_RETURN(const TrainingOutcome outcome, launcher.Run(console.Hooks()));
  if (!outcome.finished) {
    std::cerr << fmt::format("stopped at {} frames; go on with: gorila launch --resume {}\n",
                             outcome.progress.frames, directory.string());
    return kInterrupted;
  }
  const RunReportSource source{.command = invocation.command,
                               .version = std::string(Version()),
                               .machine = Describe(LookAtMachine())};
  GORILA_RETURN_IF_ERROR(WriteRunReport(directory, launcher.config(), outcome, source));
  PrintResult(directory, outcome.evaluation);
  return kSuccess;
}

StatusOr<int> Launch(const LaunchOptions& options, const Invocation& invocation) {
  if (options.engine != "local") {
    return InvalidArgument("--engine is '{}'; expected local", options.engine);
  }
  if (!options.resume.empty() && (!options.cluster.empty() || !options.run_directory.empty())) {
    return InvalidArgument(
        "--resume goes on with a run as it was; expected no CLUSTER or --run-dir");
  }
  GORILA_ASSIGN_OR_RETURN(const fs::path program, ThisProgram());
  CatchStopSignals();
  if (!options.resume.empty()) {
    GORILA_ASSIGN_OR_RETURN(auto directory, RunDirectory::Open(options.resume));
    GORILA_ASSIGN_OR_RETURN(const auto launcher, Launcher::Resume(std::move(directory), program));
    GORILA_RETURN_IF_ERROR(RemoveFinalEvaluation(options.resume));
    return RunToEnd(*launcher, options, invocation);
  }
  GORILA_ASSIGN_OR_RETURN(const Config config, LoadCluster(options));
  const std::string source = options.cluster.empty() ? "cluster" : options.cluster.stem().string();
  const fs::path directory =
      options.run_directory.empty() ? FreeRunDirectory(config, source) : options.run_directory;
  if (options.print) return PrintCommands(config, directory, program);
  GORILA_ASSIGN_OR_RETURN(const auto launcher, Launcher::Start(config, directory, program));
  return RunToEnd(*launcher, options, invocation);
}

constexpr CommandText kText = {
    .name = "launch",
    .summary = "Train with a process for each role",
    .details =
        R"(CLUSTER is a configuration file: run.bundles says how many bundle processes there are,
parameter_server.shards how many parameter servers, checkpoint.every_seconds how often they take
snapshots. Processes that die are started again. Ctrl-C stops all of them, with snapshots.
)",
    .examples = R"(gorila launch configs/minatar.toml --bundles 2 --shards 2 --run-dir runs/cluster
gorila launch cluster.toml --engine local --print
gorila launch --resume runs/cluster
)"};

}  // namespace

Verb AddLaunchVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kText);
  const auto options = std::make_shared<LaunchOptions>();
  app->add_option("CLUSTER", options->cluster, "Configuration file")->type_name("");
  app->add_option("--engine", options->engine, "What places the processes: local")
      ->type_name("NAME");
  app->add_option("--run-dir", options->run_directory,
                  "New folder for the run (default: runs/ENV-CLUSTER-seedN-1, -2, ...)")
      ->type_name("DIR");
  app->add_option("--resume", options->resume, "Go on with the launched run in this folder")
      ->type_name("DIR");
  app->add_flag("--print", options->print, "Print the commands instead of starting them");
  app->add_flag("--quiet", options->quiet, "Print the result only");
  options->changes.AddKeys(*app, kFlags);
  options->changes.AddSets(*app);
  return {app, [options](const Invocation& invocation) { return Launch(*options, invocation); }};
}

}  // namespace gorila::cli
