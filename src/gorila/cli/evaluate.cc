#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <optional>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/evaluate_all.h"
#include "gorila/cli/network_source.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/env/game_list.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/report/evaluation_record.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kEvaluateFlags[] = {
    kEnvFlag,
    {"--protocol", "evaluation.protocol", "NAME", "Evaluation protocol (default: the run's)"},
    {"--act", "evaluation.act", "HOW",
     "How a policy chooses: auto, sample or argmax (default: the run's)"},
    {"--episodes", "evaluation.episodes", "N", "Episodes to play (default: the run's)"}};

struct EvaluateOptions {
  std::filesystem::path path;
  std::string game;
  ConfigFlags config;
  std::optional<std::uint64_t> seed;
  AtFrames at;
  bool all = false;
  bool json = false;
};

StatusOr<int> RunEvaluate(const EvaluateOptions& options) {
  CatchStopSignals();
  if (options.all && options.at.has_value()) {
    return InvalidArgument("--all-checkpoints and --at exclude each other; give one of them");
  }
  if (options.all) {
    return EvaluateAllCheckpoints({.run = options.path,
                                   .game = options.game,
                                   .config = options.config,
                                   .seed = options.seed,
                                   .json = options.json});
  }
  GORILA_ASSIGN_OR_RETURN(TrainedNetwork network,
                          LoadTrainedNetworkAt(options.path, options.at, options.config));
  GORILA_RETURN_IF_ERROR(ChooseGame(options.game, network.config));
  const std::uint64_t seed = options.seed.value_or(FinalEvaluationSeed(network.config));
  GORILA_ASSIGN_OR_RETURN(EvaluationResult result,
                          EvaluateGames(network.config, network.parameters,
                                        {.protocol = network.config.evaluation.protocol,
                                         .episodes = network.config.evaluation.episodes,
                                         .seed = seed,
                                         .cancelled = &StopRequested}));
  if (options.json) {
    fmt::print("{}", EncodeEvaluation({.environment = network.config.environment.name,
                                       .seed = seed,
                                       .frames = std::nullopt,
                                       .result = std::move(result)}));
    return kSuccess;
  }
  fmt::print("{}{} on {}, seed {}\n", network.file.string(),
             network.versions.empty() ? "" : fmt::format(" ({})", network.versions),
             GamesLabel(network.config.environment.name), seed);
  if (result.games.empty()) {
    fmt::print("{}\n{}\n", DescribeScore(result), DescribeRange(result));
    return kSuccess;
  }
  for (const std::string& line : DescribeGames(result)) fmt::print("{}\n", line);
  fmt::print("{}\n{}\n", DescribeScore(result), result.aggregate);
  return kSuccess;
}

constexpr CommandText kEvaluateText = {
    .name = "evaluate",
    .summary = "Score a trained network",
    .details =
        R"(Plays episodes without learning and prints the mean return, its standard error, and minimum,
median and maximum. The same seed gives the same numbers; without --seed the episodes are those of
the run's own final evaluation. Networks of values take the best action; those of a policy (vtrace)
sample from it, which the protocol's name then says, unless --act argmax.

A run with several games has a line for each, and last their aggregate, which says what it is
normalised by; --game scores one of them.

--all-checkpoints scores every milestone (checkpoint.milestones_every_frames), the checkpoints that
are kept and the final network, in the order of their frames, and draws the curve of their scores
into the run's all-checkpoints/. What it scored before with the same settings it does not score
again, so it can be stopped and repeated.
)",
    .examples = R"(gorila evaluate runs/minatar-breakout-minatar-seed1-1
gorila evaluate runs/mine/checkpoints/000000400000 --protocol epsilon-0.05 --episodes 30
gorila evaluate runs/minatar-minatar-seed1-1 --game breakout
gorila evaluate runs/mine --all-checkpoints --episodes 30
gorila evaluate runs/mine --at 400k
)"};

}  // namespace

Verb AddEvaluateVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kEvaluateText);
  const auto options = std::make_shared<EvaluateOptions>();
  app->add_option(
         "PATH", options->path,
         "A run's folder (its newest network), a checkpoint's folder or a .safetensors file")
      ->required()
      ->type_name("");
  AddGameFlag(*app, options->game, "Score this game only, of a run with several");
  app->add_flag("--all-checkpoints", options->all,
                "Score every milestone and checkpoint of the run, and draw the curve");
  AddAtFlag(*app, options->at);
  options->config.AddKeys(*app, kEvaluateFlags);
  AddSeedFlag(*app, options->seed, "Seed of the episodes");
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  app->add_flag("--json", options->json, "Print JSON, with the return of every episode");
  return {app, [options](const Invocation&) { return RunEvaluate(*options); }};
}

}  // namespace gorila::cli
