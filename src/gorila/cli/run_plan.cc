#include "gorila/cli/run_plan.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "gorila/base/nearest.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/training_session.h"
#include "gorila/config/config_keys.h"
#include "gorila/env/external/external_name.h"
#include "gorila/env/game_list.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/run/initial_network.h"
#include "gorila/run/trainer.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kFlags[] = {kFramesFlag, kSecondsFlag,       kBundlesFlag,
                              kShardsFlag, kDeterministicFlag, kInitFromFlag};

// A misspelt list is refused here; a misspelt environment later, with the nearest of its kind.
Status CheckListName(const char* verb, std::string_view name) {
  if (const auto external = ParseExternalName(name)) return CheckExternalName(*external);
  std::vector<std::string_view> known(GameLists().begin(), GameLists().end());
  const std::vector<std::string_view> names = EnvironmentNames();
  known.insert(known.end(), names.begin(), names.end());
  for (const std::string_view other : known) {
    if (other == name || other.ends_with(fmt::format("/{}", name))) return OkStatus();
  }
  const std::string_view nearest = NearestName(name, known);
  if (GamesOfList(nearest).empty()) return OkStatus();
  return InvalidArgument(
      "{}: '{}' is neither a list nor an environment; did you mean '{}'? 'gorila help {}' "
      "names the lists, 'gorila envs' the environments",
      verb, name, nearest, verb);
}

bool Varies(std::span<const SweepAxis> axes, std::string_view section) {
  return std::any_of(axes.begin(), axes.end(),
                     [section](const SweepAxis& axis) { return axis.key->section() == section; });
}

// The first seed's run of a game at a point.
StatusOr<PlannedRun> PlanOne(const ManyRunsOptions& options, const Config& of_game,
                             const std::string& game, std::span<const SweepAxis> axes,
                             const SweepPoint& point, bool reads_initial) {
  PlannedRun run{.config = of_game, .game = game, .point = point, .directory = {}};
  GORILA_RETURN_IF_ERROR(ApplyPoint(axes, point, run.config));
  // What an environment of one's own said with other settings does not hold.
  if (Varies(axes, "environment")) {
    run.config.environment.options.external.record = ExternalOptions{}.record;
  }
  GORILA_RETURN_IF_ERROR(reads_initial ? RecordAndNote(run.config)
                                       : RecordEnvironmentAndNote(run.config));
  GORILA_RETURN_IF_ERROR(Trainer::Check(run.config));
  run.directory = options.folder / RunFolderName(game) / PointLabel(axes, point);
  return run;
}

// A plug-in's folder is named after its file, without the path.
Status CheckPlaces(const std::vector<PlannedRun>& runs) {
  std::map<fs::path, std::string_view> games;
  for (const PlannedRun& run : runs) {
    const auto [found, is_new] = games.emplace(run.directory, run.game);
    if (is_new) continue;
    return InvalidArgument(
        "runs of '{}' and '{}' would both be in '{}'; expected files with different names",
        found->second, run.game, run.directory.string());
  }
  return OkStatus();
}

StatusOr<std::vector<PlannedRun>> PlanFirstSeed(const ManyRunsOptions& options,
                                                const Config& config,
                                                std::span<const SweepAxis> axes,
                                                const std::vector<SweepPoint>& points,
                                                bool reads_initial) {
  std::vector<PlannedRun> runs;
  for (const std::string& game : ExpandNames(options.games)) {
    Config of_game = config;
    GORILA_RETURN_IF_ERROR(SetConfigValue(of_game, "environment.name", game));
    GORILA_RETURN_IF_ERROR(options.config.FitGames(options.config.file(), of_game));
    if (!Varies(axes, "environment")) GORILA_RETURN_IF_ERROR(RecordEnvironmentAndNote(of_game));
    for (const SweepPoint& point : points) {
      StatusOr<PlannedRun> run = PlanOne(options, of_game, game, axes, point, reads_initial);
      if (!run.ok() && !axes.empty()) return Annotate(run.status(), PointLabel(axes, point));
      GORILA_RETURN_IF_ERROR(run.status());
      runs.push_back(*std::move(run));
    }
  }
  GORILA_RETURN_IF_ERROR(CheckPlaces(runs));
  return runs;
}

// Runs cannot share a name: each has its place in the folder after it.
StatusOr<RunLabels> LabelsOf(RunLabels labels, const PlannedRun& run, const fs::path& folder) {
  if (labels.name.empty()) return labels;
  for (const fs::path& part : run.directory.lexically_relative(folder)) {
    labels.name += " " + part.string();
  }
  GORILA_RETURN_IF_ERROR(Annotate(CheckRunLabels(labels), fmt::format("run '{}'", labels.name)));
  return labels;
}

}  // namespace

void AddManyRunsFlags(CLI::App& app, ManyRunsOptions& options, const char* jobs) {
  app.add_option("GAME", options.games, "Environments or lists of environments")
      ->required()
      ->type_name("");
  app.add_option("--folder", options.folder, "Folder for the runs")->required()->type_name("DIR");
  AddNumber(app, "--seeds", options.seeds, {.low = 1, .high = 1000},
            "Runs of each game; the first has run.seed")
      ->capture_default_str();
  app.add_option("--protocols", options.protocols, "Also score each run by these protocols")
      ->delimiter(',')
      ->type_name("NAME,...");
  AddNumber(app, "--jobs", options.jobs, {.low = 1, .high = 1000, .units = false}, jobs);
  app.add_option("--engine", options.engine,
                 "What trains the runs: local, slurm or kubernetes (default: local)")
      ->type_name("NAME");
  app.add_flag("--print", options.print, "Print what would be started and exit");
  options.config.AddKeys(app, kFlags);
  options.config.AddSources(app);
  options.config.AddSets(app);
  options.labels.AddForMany(app);
  app.add_flag("--quiet", options.quiet, "Print the results only");
}

std::vector<std::string> ExpandNames(const std::vector<std::string>& names) {
  std::vector<std::string> games;
  for (const std::string& name : names) {
    const std::vector<std::string> of_list = GamesOfList(name);
    for (const std::string& game : of_list.empty() ? std::vector{name} : of_list) {
      if (std::find(games.begin(), games.end(), game) == games.end()) games.push_back(game);
    }
  }
  return games;
}

StatusOr<RunPlan> PlanRuns(const ManyRunsOptions& options, const Config& config,
                           std::vector<SweepAxis> axes, const std::vector<SweepPoint>& points,
                           bool reads_initial) {
  GORILA_RETURN_IF_ERROR(CheckNoGameIsSet(options));
  for (const std::string& name : options.games) {
    GORILA_RETURN_IF_ERROR(CheckListName(options.verb, name));
  }
  const std::size_t all =
      ExpandNames(options.games).size() * points.size() * static_cast<std::size_t>(options.seeds);
  if (all > kMostRuns) {
    return InvalidArgument("{}: {} runs; expected at most {}: fewer games, values or --seeds",
                           options.verb, all, kMostRuns);
  }
  GORILA_ASSIGN_OR_RETURN(const std::vector<PlannedRun> first,
                          PlanFirstSeed(options, config, axes, points, reads_initial));
  GORILA_ASSIGN_OR_RETURN(const RunLabels labels, options.labels.Labels());
  RunPlan plan{.axes = std::move(axes), .runs = {}};
  // All games with the first seed, then with the next: a stopped suite has seen every game.
  for (int i = 0; i < options.seeds; ++i) {
    for (PlannedRun run : first) {
      run.config.run.seed += static_cast<std::uint64_t>(i);
      run.directory /= fmt::format("seed{}", run.config.run.seed);
      GORILA_ASSIGN_OR_RETURN(run.labels, LabelsOf(labels, run, options.folder));
      plan.runs.push_back(std::move(run));
    }
  }
  return plan;
}

Status CheckNoGameIsSet(const ManyRunsOptions& options) {
  const auto names_game = [](std::string_view set) {
    return set.starts_with("environment.name=") || set.starts_with("environment.names=");
  };
  const std::vector<std::string>& sets = options.config.sets();
  if (std::none_of(sets.begin(), sets.end(), names_game)) return OkStatus();
  return InvalidArgument(
      "--set environment.name: games are arguments, as in: gorila {} minatar/breakout "
      "minatar/asterix; a run with several games is one argument, GAME,GAME",
      options.verb);
}

Status CheckProtocols(const ManyRunsOptions& options) {
  for (const std::string& protocol : options.protocols) {
    GORILA_RETURN_IF_ERROR(FindEvaluationProtocol(protocol).status());
  }
  return OkStatus();
}

}  // namespace gorila::cli
