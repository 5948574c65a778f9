#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "gorila/base/command.h"
#include "gorila/checkpoint/checkpoint_directory.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/resume_run.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/training_session.h"
#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kResumeFlags[] = {kFramesFlag, kSecondsFlag};

struct ResumeOptions {
  fs::path directory;
  ConfigFlags changes;
  WatchFlags watch;
  bool quiet = false;
};

// A run cannot be shortened below its frames.
Status CheckLength(const RunDirectory& directory, const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const auto checkpoints, ListCheckpoints(directory.checkpoints()));
  if (checkpoints.empty()) return OkStatus();
  const std::int64_t trained = std::stoll(checkpoints.front().filename().string());
  if (trained <= config.run.frames) return OkStatus();
  return InvalidArgument("--frames is {}; expected at least {}, the frames that the run has",
                         config.run.frames, trained);
}

StatusOr<int> Resume(const ResumeOptions& options, const Invocation& invocation) {
  CatchStopSignals();
  const auto change = [&options](Config& config) { return options.changes.ApplyToRun(config); };
  return ResumeRun({.directory = options.directory,
                    .change = change,
                    .watch = &options.watch,
                    .quiet = options.quiet},
                   invocation);
}

constexpr CommandText kResumeText = {
    .name = "resume",
    .summary = "Resume a stopped run",
    .details =
        R"(Continues from the run's newest complete checkpoint, replay memory included. A finished run shows
its result again, or trains longer with more --frames.
)",
    .examples = R"(gorila resume runs/minatar-breakout-minatar-seed1-1
gorila resume runs/minatar-breakout-minatar-seed1-1 --frames 2000000
)"};

}  // namespace

StatusOr<int> ResumeRun(const ResumeRequest& request, const Invocation& invocation) {
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<RunDirectory> directory,
                          RunDirectory::Open(request.directory));
  GORILA_RETURN_IF_ERROR(CheckRunKind(request.directory, RunKind::kTrained));
  GORILA_ASSIGN_OR_RETURN(Config config, LoadRunConfig(directory->config()));
  const Config before = config;
  GORILA_RETURN_IF_ERROR(request.change(config));
  if (ToToml(config) != ToToml(before)) {
    GORILA_RETURN_IF_ERROR(CheckLength(*directory, config));
  } else if (const auto finished = ReadFinalEvaluation(request.directory); finished.ok()) {
    return ShowFinished(request.directory, "gorila resume", *finished, request.quiet);
  }
  GORILA_ASSIGN_OR_RETURN(TrainingWatch bound, request.watch->Bind());
  TrainingConsole console(request.quiet);
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer,
                          Trainer::Resume(config, std::move(directory), console.Hooks()));
  if (!request.quiet) {
    GORILA_RETURN_IF_ERROR(PrintPlan(config, trainer->store().num_shards(), request.directory));
  }
  TrainingWatch watch = std::move(bound);  // which looks at the trainer, so it ends before it does
  GORILA_RETURN_IF_ERROR(watch.Start(request.directory, config, &trainer->store(), request.quiet));
  return TrainToEnd(*trainer, console, watch, invocation, &before);
}

Verb AddResumeVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kResumeText);
  const auto options = std::make_shared<ResumeOptions>();
  app->add_option("RUN", options->directory, "The run's folder")->required()->type_name("");
  options->changes.AddKeys(*app, kResumeFlags);
  options->changes.AddSets(*app);
  options->watch.Add(*app);
  app->add_flag("--quiet", options->quiet, "Print the result only");
  return {app, [options](const Invocation& invocation) { return Resume(*options, invocation); }};
}

}  // namespace gorila::cli
