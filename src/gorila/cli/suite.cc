#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "gorila/base/command.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/nearest.h"
#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/network_source.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/training_session.h"
#include "gorila/cli/training_watch.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/env/game_list.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/report/run_report.h"
#include "gorila/scores/score_results.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr KeyFlag kSuiteFlags[] = {kFramesFlag, kSecondsFlag, kBundlesFlag, kShardsFlag,
                                   kDeterministicFlag};

struct SuiteOptions {
  std::vector<std::string> games;  // names of lists or environments
  ConfigFlags config;
  fs::path folder;
  int seeds = 1;
  std::vector<std::string> protocols;  // besides the runs' own
  bool quiet = false;
};

// One training run of the suite.
struct SuiteRun {
  Config config;
  fs::path directory;
};

// The named environments, each once.
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

// A misspelt list is refused here; a misspelt environment later, with the nearest of its kind.
Status CheckListName(std::string_view name) {
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
      "suite: '{}' is neither a list nor an environment; did you mean '{}'? 'gorila help suite' "
      "names the lists, 'gorila envs' the environments",
      name, nearest);
}

fs::path RunDirectoryOf(const SuiteOptions& options, const std::string& game, std::uint64_t seed) {
  return options.folder / RunFolderName(game) / fmt::format("seed{}", seed);
}

StatusOr<std::vector<SuiteRun>> PlanRuns(const SuiteOptions& options, const Config& config) {
  for (const std::string& name : options.games) GORILA_RETURN_IF_ERROR(CheckListName(name));
  std::vector<SuiteRun> runs;
  // All games with the first seed, then with the next: a stopped suite has seen every game.
  for (int i = 0; i < options.seeds; ++i) {
    for (const std::string& game : ExpandNames(options.games)) {
      SuiteRun run{.config = config, .directory = {}};
      GORILA_RETURN_IF_ERROR(SetConfigValue(run.config, "environment.name", game));
      GORILA_RETURN_IF_ERROR(options.config.FitGames(options.config.file(), run.config));
      GORILA_RETURN_IF_ERROR(RecordAndNote(run.config));
      run.config.run.seed += static_cast<std::uint64_t>(i);
      run.directory = RunDirectoryOf(options, game, run.config.run.seed);
      GORILA_RETURN_IF_ERROR(Trainer::Check(run.config));
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

// All runs of a folder have the same settings, also when more games or seeds come later.
Status CheckSettings(const SuiteOptions& options, Config config) {
  config.environment.name = EnvironmentSection{}.name;
  config.environment.options.external.record = ExternalOptions{}.record;
  config.run.seed = RunOptions{}.seed;
  const fs::path path = options.folder / "settings.toml";
  const std::string settings =
      "# What all runs of this suite have in common; game and seed are each run's own.\n" +
      ToToml(config);
  const StatusOr<std::string> before = ReadFileOf(kSettingsFile, path);
  if (absl::IsNotFound(before.status())) {
    GORILA_RETURN_IF_ERROR(CreateFolders(options.folder));
    return WriteFileAtomically(path, settings);
  }
  GORILA_RETURN_IF_ERROR(before.status());
  if (*before == settings) return OkStatus();
  return InvalidArgument(
      "'{}' has runs with other settings (settings.toml); expected the same, or another --folder",
      options.folder.string());
}

StatusOr<std::unique_ptr<Trainer>> StartOrResume(const SuiteRun& run, TrainingConsole& console) {
  std::error_code error;
  if (!fs::exists(run.directory / "config.toml", error)) {
    GORILA_RETURN_IF_ERROR(CreateFolders(run.directory.parent_path()));
    return Trainer::Start(run.config, run.directory);
  }
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<RunDirectory> directory,
                          RunDirectory::Open(run.directory));
  return Trainer::Resume(run.config, std::move(directory), console.Hooks());
}

// Scores the trained network by another protocol, unless done before.
Status ScoreBy(const SuiteRun& run, const std::string& protocol) {
  const fs::path path = run.directory / kEvaluationsFolder / fmt::format("{}.json", protocol);
  std::error_code error;
  if (protocol == run.config.evaluation.protocol || fs::exists(path, error)) return OkStatus();
  GORILA_ASSIGN_OR_RETURN(const TrainedNetwork network,
                          LoadTrainedNetwork(run.directory, ConfigFlags()));
  const std::uint64_t seed = FinalEvaluationSeed(network.config);
  GORILA_ASSIGN_OR_RETURN(EvaluationResult result,
                          EvaluateGames(run.config, network.parameters,
                                        {.protocol = protocol,
                                         .episodes = run.config.evaluation.episodes,
                                         .seed = seed,
                                         .cancelled = &StopRequested}));
  fmt::print("{}: {}\n", run.directory.string(), DescribeScore(result));
  GORILA_RETURN_IF_ERROR(CreateFolders(path.parent_path()));
  return WriteFileAtomically(path, EncodeEvaluation({.environment = run.config.environment.name,
                                                     .seed = seed,
                                                     .frames = std::nullopt,
                                                     .result = std::move(result)}));
}

StatusOr<int> TrainRun(const SuiteRun& run, const SuiteOptions& options,
                       const Invocation& invocation) {
  if (!ReadFinalEvaluation(run.directory).ok()) {
    TrainingConsole console(options.quiet);
    GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Trainer> trainer, StartOrResume(run, console));
    TrainingWatch nobody(nullptr, nullptr);
    GORILA_ASSIGN_OR_RETURN(const int status, TrainToEnd(*trainer, console, nobody, invocation));
    if (status != kSuccess) return status;
  }
  for (const std::string& protocol : options.protocols) {
    GORILA_RETURN_IF_ERROR(ScoreBy(run, protocol));
  }
  return kSuccess;
}

// One of the suite's runs; kSuccess where the suite continues with the next one. `result` becomes
// the suite's status where this run decides it.
StatusOr<int> TrainOne(const SuiteRun& run, const SuiteOptions& options,
                       const Invocation& invocation, int& result) {
  const StatusOr<int> status = TrainRun(run, options, invocation);
  if (absl::IsCancelled(status.status()) || (status.ok() && *status == kInterrupted)) {
    std::cerr << "run the same command again to resume the suite\n";
    return kInterrupted;
  }
  if (absl::IsFailedPrecondition(status.status())) {  // it diverged; the others may not
    std::cerr << fmt::format("gorila: {}: {}\n", run.directory.string(),
                             std::string(status.status().message()));
    result = kFailure;
    return kSuccess;
  }
  GORILA_RETURN_IF_ERROR(status.status());
  if (*status != kSuccess) result = *status;
  return kSuccess;
}

// The runs of a suite, one after the other; whether all of them learnt.
StatusOr<int> TrainAll(const std::vector<SuiteRun>& runs, const SuiteOptions& options,
                       const Invocation& invocation) {
  int result = kSuccess;
  std::vector<std::size_t> left(runs.size());
  std::iota(left.begin(), left.end(), std::size_t{0});
  // Runs that another process was working on are tried once more at the end.
  for (int look = 0; look < 2 && !left.empty(); ++look) {
    std::vector<std::size_t> busy;
    for (const std::size_t i : left) {
      fmt::print("run {} of {}: {}, seed {}\n", i + 1, runs.size(), runs[i].config.environment.name,
                 runs[i].config.run.seed);
      std::fflush(stdout);
      const StatusOr<int> status = TrainOne(runs[i], options, invocation, result);
      if (absl::IsAlreadyExists(status.status())) {
        std::cerr << status.status().message() << "; skipped\n";
        busy.push_back(i);
        continue;
      }
      GORILA_RETURN_IF_ERROR(status.status());
      if (*status != kSuccess) return *status;
    }
    left = std::move(busy);
  }
  if (left.empty()) return result;
  return Unavailable(
      "another process has {} of the runs; run the same command again when it has finished",
      left.size());
}

// The commands that compare the runs with what was published.
void PrintNext(const SuiteOptions& options) {
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

StatusOr<int> Suite(const SuiteOptions& options, const Invocation& invocation) {
  CatchStopSignals();
  for (const std::string& protocol : options.protocols) {
    GORILA_RETURN_IF_ERROR(FindEvaluationProtocol(protocol).status());
  }
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_ASSIGN_OR_RETURN(const std::vector<SuiteRun> runs, PlanRuns(options, config));
  GORILA_RETURN_IF_ERROR(CheckSettings(options, config));
  GORILA_ASSIGN_OR_RETURN(const int status, TrainAll(runs, options, invocation));
  if (status != kInterrupted) PrintNext(options);
  return status;
}

constexpr CommandText kSuiteText = {
    .name = "suite",
    .summary = "Train and score many games with the same settings",
    .details =
        R"(Trains each game with each seed, one run after another, in DIR/<game>/seed<n>. After a stop or a
crash, the same command resumes the suite: finished runs are kept, and an unfinished one resumes
from its last checkpoint. Games, seeds and protocols can be added to a folder later; other settings
need another folder.

GAME is an environment or a list: atari49 (the games of the DQN and Gorila papers), minatar, pixel.
)",
    .examples = R"(gorila suite minatar --seeds 5 --folder suites/minatar
gorila suite pixel --preset pixel --protocols sticky --folder suites/pixel
gorila suite atari49 --preset gorila --bundles 8 --folder suites/atari
)"};

}  // namespace

Verb AddSuiteVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kSuiteText);
  const auto options = std::make_shared<SuiteOptions>();
  app->add_option("GAME", options->games, "Environments or lists of environments")
      ->required()
      ->type_name("");
  app->add_option("--folder", options->folder, "Folder for the runs")->required()->type_name("DIR");
  AddNumber(*app, "--seeds", options->seeds, {.low = 1, .high = 1000},
            "Runs of each game; the first has run.seed")
      ->capture_default_str();
  app->add_option("--protocols", options->protocols, "Also score each run by these protocols")
      ->delimiter(',')
      ->type_name("NAME,...");
  options->config.AddKeys(*app, kSuiteFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  app->add_flag("--quiet", options->quiet, "Print the results only");
  return {app, [options](const Invocation& invocation) { return Suite(*options, invocation); }};
}

}  // namespace gorila::cli
