#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <utility>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/label_flags.h"
#include "gorila/cli/resume_run.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/training_session.h"
#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/run/initial_network.h"
#include "gorila/run/run_directory.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kTrainFlags[] = {kEnvFlag,     kSeedFlag,   kFramesFlag,        kSecondsFlag,
                                   kBundlesFlag, kShardsFlag, kDeterministicFlag, kInitFromFlag};

struct TrainOptions {
  ConfigFlags config;
  WatchFlags watch;
  LabelFlags labels;
  fs::path run_directory;
  bool resume = false;
  bool quiet = false;
};

// Whether --resume finds a run. InvalidArgument without a folder to look into.
StatusOr<bool> IsToResume(const TrainOptions& options) {
  if (!options.resume) return false;
  if (options.run_directory.empty()) {
    return InvalidArgument("--resume: expected --run-dir, which names the run to resume or begin");
  }
  return CheckIsRun(options.run_directory).ok();
}

StatusOr<int> Train(const TrainOptions& options, const Invocation& invocation) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(const bool resume, IsToResume(options));
  GORILA_ASSIGN_OR_RETURN(const RunLabels labels, options.labels.Labels());
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  if (!resume) GORILA_RETURN_IF_ERROR(CheckConfig(config));  // before anything is said of it
  if (resume) {
    const auto change = [&config](Config& run) -> Status {
      const bool kept = KeepInitialNetwork(run, config);
      GORILA_RETURN_IF_ERROR(kept ? RecordEnvironmentAndNote(config) : RecordAndNote(config));
      run = config;
      return OkStatus();
    };
    return ResumeRun({.directory = options.run_directory,
                      .change = change,
                      .watch = &options.watch,
                      .quiet = options.quiet},
                     invocation);
  }
  GORILA_RETURN_IF_ERROR(RecordAndNote(config));
  GORILA_RETURN_IF_ERROR(Trainer::Check(config));
  GORILA_ASSIGN_OR_RETURN(TrainingWatch bound, options.watch.Bind());
  GORILA_ASSIGN_OR_RETURN(
      auto made, MakeRunDirectory(options.run_directory, config, options.config.SourceName()));
  GORILA_RETURN_IF_ERROR(WriteRunLabels(made->path(), labels));
  GORILA_ASSIGN_OR_RETURN(const auto trainer, Trainer::Start(config, std::move(made)));
  const fs::path& directory = trainer->directory().path();
  if (!options.quiet) {
    GORILA_RETURN_IF_ERROR(PrintPlan(config, trainer->store().num_shards(), directory));
  }
  TrainingWatch watch = std::move(bound);  // which looks at the trainer, so it ends before it does
  GORILA_RETURN_IF_ERROR(watch.Start(directory, config, &trainer->store(), options.quiet));
  TrainingConsole console(options.quiet);
  return TrainToEnd(*trainer, console, watch, invocation);
}

constexpr CommandText kTrainText = {
    .name = "train",
    .summary = "Train an agent",
    .details =
        R"(Trains with actors and learners in threads around a parameter server, shows progress on stderr,
then evaluates the agent and writes a report into the run's directory. Ctrl-C stops with a
checkpoint that 'gorila resume' continues from.
)",
    .examples = R"(gorila train --env minatar/breakout --seed 1
gorila train --env minatar/seaquest --dashboard
gorila train --env classic/catch --frames 50000 --set optimizer.learning_rate=0.001
gorila train --env minatar/asterix --init-from runs/minatar-breakout-minatar-seed1-1
)"};

}  // namespace

Verb AddTrainVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kTrainText);
  const auto options = std::make_shared<TrainOptions>();
  options->config.AddKeys(*app, kTrainFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  app->add_option("--run-dir", options->run_directory,
                  "New folder for the run (default: runs/ENV-PRESET-seedN-1, -2, ...)")
      ->type_name("DIR");
  app->add_flag("--resume", options->resume,
                "Resume the run in --run-dir where there is one, so that a job may start again");
  options->labels.Add(*app);
  options->watch.Add(*app);
  app->add_flag("--quiet", options->quiet, "Print the result only");
  return {app, [options](const Invocation& invocation) { return Train(*options, invocation); }};
}

}  // namespace gorila::cli
