#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/command.h"
#include "gorila/cli/command.h"
#include "gorila/cli/parallel_runs.h"
#include "gorila/cli/run_engines.h"
#include "gorila/cli/run_plan.h"
#include "gorila/cli/serial_runs.h"
#include "gorila/cli/shared_settings.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"

namespace gorila::cli {
namespace {

// The commands that compare the runs with what was published.
void PrintNext(const ManyRunsOptions& options) {
  const std::vector<std::string> games = ExpandNames(options.games);
  const auto is_minatar = [](const std::string& game) { return game.starts_with("minatar/"); };
  const std::string folder = ShellQuotedPath(options.folder.string());
  if (std::any_of(games.begin(), games.end(), is_minatar)) {
    fmt::print("next: gorila scores minatar {}\n", folder);
  }
  if (!std::all_of(games.begin(), games.end(), is_minatar)) {
    fmt::print("next: gorila scores {}\n", folder);
  }
}

// Here: in this process, or with --jobs in several of their own.
StatusOr<int> TrainHere(const RunPlan& plan, const ManyRunsOptions& options,
                        const Invocation& invocation) {
  if (options.jobs.value_or(1) == 1) return TrainOneByOne(plan.runs, options, invocation);
  GORILA_ASSIGN_OR_RETURN(const int jobs, SettleJobs(plan, options));
  return TrainInChildren(plan, options, jobs);
}

StatusOr<int> Suite(const ManyRunsOptions& options, const Invocation& invocation) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(const RunEngine engine, FindRunEngine(options));
  GORILA_RETURN_IF_ERROR(CheckProtocols(options));
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  GORILA_ASSIGN_OR_RETURN(const bool kept, ShareInitialNetwork(options.folder, {}, config));
  GORILA_ASSIGN_OR_RETURN(const RunPlan plan, PlanRuns(options, config, {}, {SweepPoint()}, !kept));
  GORILA_RETURN_IF_ERROR(CheckSharedSettings(options.folder, config, {}));
  GORILA_RETURN_IF_ERROR(engine.check(plan, options));
  if (options.print) return engine.print(plan, options);
  GORILA_RETURN_IF_ERROR(WriteSharedSettings(options.folder, config, {}));
  if (engine.submit != nullptr && !AllTrained(plan)) return engine.submit(plan, options);
  GORILA_ASSIGN_OR_RETURN(const int status, TrainHere(plan, options, invocation));
  if (status != kInterrupted) PrintNext(options);
  return status;
}

constexpr CommandText kSuiteText = {
    .name = "suite",
    .summary = "Train and score many games with the same settings",
    .details =
        R"(Trains each game with each seed in DIR/<game>/seed<n>: one run after another, or with --jobs several
at once. After a stop or a crash, the same command resumes the suite: finished runs are kept, and an
unfinished one resumes from its last checkpoint. Games, seeds and protocols can be added to a folder
later; other settings need another folder, and 'gorila sweep' compares settings.

GAME is an environment or a list: atari49 (the games of the DQN and Gorila papers), minatar, pixel.
)",
    .examples = R"(gorila suite minatar --seeds 5 --folder suites/minatar
gorila suite pixel --preset pixel --protocols sticky --folder suites/pixel
gorila suite atari49 --preset gorila --bundles 8 --folder suites/atari
gorila suite minatar --seeds 5 --jobs 4 --folder suites/minatar
)"};

}  // namespace

Verb AddSuiteVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kSuiteText);
  const auto options = std::make_shared<ManyRunsOptions>();
  AddManyRunsFlags(*app, *options,
                   "Runs at once, each in a process of its own (default: one, in this process)");
  return {app, [options](const Invocation& invocation) { return Suite(*options, invocation); }};
}

}  // namespace gorila::cli
