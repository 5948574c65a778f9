#include "gorila/cli/run_scoring.h"

#include <algorithm>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/cli/network_source.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/scores/score_results.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

fs::path ScoreFile(const PlannedRun& run, const std::string& protocol) {
  return run.directory / kEvaluationsFolder / fmt::format("{}.json", protocol);
}

bool IsScoredBy(const PlannedRun& run, const std::string& protocol) {
  std::error_code error;
  return protocol == run.config.evaluation.protocol || fs::exists(ScoreFile(run, protocol), error);
}

}  // namespace

bool IsDone(const PlannedRun& run, const std::vector<std::string>& protocols) {
  return ReadFinalEvaluation(run.directory).ok() &&
         std::all_of(protocols.begin(), protocols.end(),
                     [&run](const std::string& protocol) { return IsScoredBy(run, protocol); });
}

StatusOr<std::string> ScoreBy(const PlannedRun& run, const std::string& protocol) {
  if (IsScoredBy(run, protocol)) return std::string();
  const fs::path path = ScoreFile(run, protocol);
  GORILA_ASSIGN_OR_RETURN(const TrainedNetwork network,
                          LoadTrainedNetwork(run.directory, ConfigFlags()));
  const std::uint64_t seed = FinalEvaluationSeed(network.config);
  GORILA_ASSIGN_OR_RETURN(EvaluationResult result,
                          EvaluateGames(run.config, network.parameters,
                                        {.protocol = protocol,
                                         .episodes = run.config.evaluation.episodes,
                                         .seed = seed,
                                         .cancelled = &StopRequested}));
  std::string said = fmt::format("{}: {}", run.directory.string(), DescribeScore(result));
  GORILA_RETURN_IF_ERROR(CreateFolders(path.parent_path()));
  GORILA_RETURN_IF_ERROR(
      WriteFileAtomically(path, EncodeEvaluation({.environment = run.config.environment.name,
                                                  .seed = seed,
                                                  .frames = std::nullopt,
                                                  .result = std::move(result)})));
  return said;
}

}  // namespace gorila::cli
