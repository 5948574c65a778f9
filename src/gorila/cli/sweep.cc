#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/parallel_runs.h"
#include "gorila/cli/run_engines.h"
#include "gorila/cli/run_plan.h"
#include "gorila/cli/shared_settings.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/sweep_results.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/report/run_groups.h"

namespace gorila::cli {
namespace {

struct SweepOptions {
  ManyRunsOptions runs;
  std::optional<int> random;
  std::optional<std::uint64_t> random_seed;
};

// Whether the key changes what a run learns, and is not the sweep's own affair.
Status CheckMatters(const ConfigKey& key) {
  if (key.name == "run.seed") {
    return InvalidArgument("--set run.seed: seeds repeat every point; expected --seeds N");
  }
  const bool recorded = key.name == "environment.record" || key.name == "network.init_record";
  if (!recorded && RepeatedSettings(Config()).contains(std::string(key.name))) {
    return OkStatus();
  }
  return InvalidArgument(
      "--set {}: it does not change what is learnt, so a sweep over it compares nothing; expected "
      "one value",
      key.name);
}

// One --set: fixed where it has one value, else an axis.
Status TakeSet(const SweepOptions& options, const Config& base, const std::string& set,
               std::vector<std::string>& fixed, std::vector<SweepAxis>& axes) {
  StatusOr<SweepAxis> axis = ParseSweepAxis(base, set);
  if (!axis.ok()) return Annotate(axis.status(), "--set");
  if (!axis->varies()) {
    fixed.push_back(set);
    return OkStatus();
  }
  GORILA_RETURN_IF_ERROR(CheckMatters(*axis->key));
  if (const char* const flag = options.runs.config.FlagOf(axis->key->name); flag != nullptr) {
    return InvalidArgument("{} sets {}, whose values the sweep varies; expected one of the two",
                           flag, axis->key->name);
  }
  axes.push_back(*std::move(axis));
  return OkStatus();
}

Status CheckGivenOnce(const std::vector<std::string>& sets) {
  std::vector<const ConfigKey*> seen;
  for (const std::string& set : sets) {
    const std::string_view name = std::string_view(set).substr(0, set.find('='));
    const StatusOr<const ConfigKey*> key = FindConfigKey(name);
    if (!key.ok()) return Annotate(key.status(), "--set");
    if (std::find(seen.begin(), seen.end(), *key) != seen.end()) {
      return InvalidArgument("--set {} is given twice; expected all of its values in one --set",
                             name);
    }
    seen.push_back(*key);
  }
  return OkStatus();
}

// What varies, in the order of the keys of the configuration; the other sets stay with the options.
StatusOr<std::vector<SweepAxis>> TakeAxes(SweepOptions& options) {
  const std::vector<std::string> sets = options.runs.config.sets();
  GORILA_RETURN_IF_ERROR(CheckGivenOnce(sets));
  GORILA_RETURN_IF_ERROR(CheckNoGameIsSet(options.runs));
  std::vector<std::string> fixed;
  std::vector<SweepAxis> axes;
  for (const std::string& set : sets) {
    GORILA_RETURN_IF_ERROR(TakeSet(options, Config(), set, fixed, axes));
  }
  if (axes.empty()) {
    return InvalidArgument(
        "sweep: nothing varies; expected a key with several values, as in --set "
        "optimizer.learning_rate=1e-4,3e-4 (gorila suite trains with one setting)");
  }
  options.runs.config.KeepSets(std::move(fixed));
  std::sort(axes.begin(), axes.end(),
            [](const SweepAxis& a, const SweepAxis& b) { return a.key < b.key; });
  return axes;
}

StatusOr<std::vector<SweepPoint>> ChoosePoints(const SweepOptions& options,
                                               std::span<const SweepAxis> axes) {
  if (options.random.has_value()) {
    return RandomPoints(axes, static_cast<std::size_t>(*options.random),
                        options.random_seed.value_or(1));
  }
  if (!options.random_seed.has_value()) return GridPoints(axes, kMostRuns);
  return InvalidArgument("--random-seed: expected --random N too, which draws N points with it");
}

StatusOr<int> TrainHere(const RunPlan& plan, const ManyRunsOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const int jobs, SettleJobs(plan, options));
  GORILA_ASSIGN_OR_RETURN(const int status, TrainInChildren(plan, options, jobs));
  if (status == kInterrupted) return status;
  GORILA_ASSIGN_OR_RETURN(const int reported, ReportSweep(plan, options));
  return status == kSuccess ? reported : status;
}

StatusOr<int> Sweep(SweepOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(const RunEngine engine, FindRunEngine(options.runs));
  GORILA_RETURN_IF_ERROR(CheckProtocols(options.runs));
  GORILA_ASSIGN_OR_RETURN(std::vector<SweepAxis> axes, TakeAxes(options));
  GORILA_ASSIGN_OR_RETURN(const auto points, ChoosePoints(options, axes));
  GORILA_ASSIGN_OR_RETURN(Config config, options.runs.config.Load());
  GORILA_ASSIGN_OR_RETURN(const bool kept, ShareInitialNetwork(options.runs.folder, axes, config));
  GORILA_ASSIGN_OR_RETURN(const RunPlan plan,
                          PlanRuns(options.runs, config, std::move(axes), points, !kept));
  GORILA_RETURN_IF_ERROR(CheckSharedSettings(options.runs.folder, config, plan.axes));
  GORILA_RETURN_IF_ERROR(engine.check(plan, options.runs));
  if (options.runs.print) return engine.print(plan, options.runs);
  GORILA_RETURN_IF_ERROR(WriteSharedSettings(options.runs.folder, config, plan.axes));
  if (engine.submit != nullptr && !AllTrained(plan)) return engine.submit(plan, options.runs);
  return TrainHere(plan, options.runs);
}

constexpr CommandText kSweepText = {
    .name = "sweep",
    .summary = "Train with many settings and compare them",
    .details =
        R"(Trains each game with every combination of the values that --set gives, and with each seed, in
DIR/<game>/<values>/seed<n>, several runs at once, each in a process of its own. Prints a row as a
run ends, then the settings by their scores, and writes DIR/report.html. After Ctrl-C or a crash the
same command resumes the sweep; values, games, seeds and protocols can be added to a folder later.

  --set optimizer.learning_rate=1e-4,3e-4          values, with commas between them
  --set network.hidden=[64,32],[128]               a list in brackets is one value
  --set 'environment.wrappers="a:B,c:D","a:B"'     quoted text is one value
  --random 20 --set learner.discount=0.9..0.999    20 points; a range is drawn log-uniformly

A --set with one value holds for all runs. GAME is an environment or a list, as of gorila suite.
  local       trains here, with as many runs at once as have cores and memory (--jobs)
  slurm       submits an array job (sbatch); DIR must be on a file system that all nodes share
  kubernetes  applies manifests (kubectl): an indexed job, and a volume for all runs
)",
    .examples =
        R"(gorila sweep minatar/breakout --set learner.batch_size=32,64 --seeds 3 --folder sweeps/a
gorila sweep minatar --set learner.n_step=1,3 --set learner.batch_size=32,64 --folder sweeps/b
gorila sweep pixel/breakout --random 30 --set optimizer.learning_rate=1e-5..1e-3 --folder sweeps/c
gorila sweep minatar --set learner.n_step=1,3,5 --seeds 5 --engine slurm --folder sweeps/d
)"};

}  // namespace

Verb AddSweepVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kSweepText);
  const auto options = std::make_shared<SweepOptions>();
  options->runs.verb = "sweep";
  AddManyRunsFlags(*app, options->runs, "Runs at once (default: as many as have cores and memory)");
  AddNumber(*app, "--random", options->random, {.low = 1, .high = kMostRuns, .units = false},
            "Draw N points instead of taking every combination");
  AddNumber(*app, "--random-seed", options->random_seed, {.low = 0, .units = false},
            "What --random draws with: the same points each time (default: 1)");
  return {app, [options](const Invocation&) { return Sweep(*options); }};
}

}  // namespace gorila::cli
