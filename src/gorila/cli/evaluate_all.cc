#include "gorila/cli/evaluate_all.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "gorila/cli/network_source.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/report/checkpoint_curve.h"
#include "gorila/run/kept_networks.h"

namespace gorila::cli {
namespace {

void PrintLine(const std::string& frames, std::size_t width, const std::string& name,
               const EvaluationResult& result) {
  fmt::print("{:>12}  {:<{}}  {:>16}   {}\n", frames, name, width, DescribeMean(result.summary),
             DescribeRange(result));
}

class AllCheckpoints {
 public:
  AllCheckpoints(const EvaluateAllOptions& options, std::vector<KeptNetwork> networks,
                 CheckpointCurves curves)
      : options_(options), networks_(std::move(networks)), curves_(std::move(curves)) {
    for (const KeptNetwork& network : networks_) width_ = std::max(width_, network.name.size());
  }

  StatusOr<int> Run() {
    Status stopped;
    for (const KeptNetwork& network : networks_) {
      const Status status = Look(network);
      if (absl::IsCancelled(status)) stopped = status;
      if (absl::IsCancelled(status)) break;
      GORILA_RETURN_IF_ERROR(status);
    }
    GORILA_RETURN_IF_ERROR(curves_.Draw());
    PrintEnd();
    if (!stopped.ok()) {
      fmt::print(stderr, "gorila: stopped; the same command evaluates the rest\n");
      return kInterrupted;
    }
    return unread_ > 0 ? kFailure : kSuccess;
  }

 private:
  // Of a network that cannot be read the reason is said, and the others are evaluated.
  Status Look(const KeptNetwork& kept) {
    StatusOr<TrainedNetwork> network = LoadTrainedNetwork(kept.path, options_.config);
    const Status& status = network.status();
    if (absl::IsDataLoss(status) || absl::IsNotFound(status) || kept.crc32.empty()) {
      ++unread_;
      fmt::print(stderr, "gorila: left out {}: {}\n", kept.name,
                 status.ok() ? "it was being written" : std::string(status.message()));
      return OkStatus();
    }
    GORILA_RETURN_IF_ERROR(status);
    GORILA_RETURN_IF_ERROR(ChooseGame(options_.game, network->config));
    const std::uint64_t seed = options_.seed.value_or(FinalEvaluationSeed(network->config));
    if (curve_ == nullptr) GORILA_RETURN_IF_ERROR(Begin(network->config, seed));
    curve_->Name(kept.name, kept.crc32);
    if (curve_->Find(kept.crc32) == nullptr) {
      GORILA_RETURN_IF_ERROR(Evaluate(kept, *network, seed));
    }
    GORILA_RETURN_IF_ERROR(curves_.Write());
    if (!options_.json) Print(kept, curve_->Find(kept.crc32)->record);
    return OkStatus();
  }

  // Writes first, so that nothing is evaluated for a folder that takes no files.
  Status Begin(const Config& config, std::uint64_t seed) {
    curve_ = &curves_.Choose(CurveSettingsOf(config, seed));
    return curves_.Write();
  }

  Status Evaluate(const KeptNetwork& kept, const TrainedNetwork& network, std::uint64_t seed) {
    const Config& config = network.config;
    GORILA_ASSIGN_OR_RETURN(EvaluationResult result,
                            EvaluateGames(config, network.parameters,
                                          {.protocol = config.evaluation.protocol,
                                           .episodes = config.evaluation.episodes,
                                           .seed = seed,
                                           .cancelled = &StopRequested}));
    curve_->Add({.networks = {kept.name},
                 .frames = kept.frames,
                 .crc32 = kept.crc32,
                 .record = {.environment = config.environment.name,
                            .seed = seed,
                            .frames = kept.frames,
                            .result = std::move(result)}});
    return OkStatus();
  }

  void Print(const KeptNetwork& kept, const EvaluationRecord& record) {
    const EvaluationResult& result = record.result;
    if (!headed_) {
      fmt::print("{}, seed {}: protocol {}, {} episodes{}{}\n", record.environment, record.seed,
                 result.protocol, result.returns.size(), PerGame(result),
                 result.games.empty() ? "" : ", " + result.aggregate);
      fmt::print("{:>12}  {:<{}}  {:>16}\n", "frames", "network", width_, "return");
      headed_ = true;
    }
    PrintLine(std::to_string(kept.frames), width_, kept.name, result);
    for (const EvaluationResult& game : result.games) PrintLine("", width_, "  " + game.game, game);
    std::fflush(stdout);
  }

  void PrintEnd() const {
    if (curve_ == nullptr) return;
    if (options_.json) {
      fmt::print("{}", EncodeCheckpointCurve(*curve_));
    } else {
      fmt::print("curve: {}/ (curve.png, curve.svg, evaluations.csv, evaluations.json)\n",
                 curves_.folder().string());
    }
  }

  const EvaluateAllOptions& options_;
  const std::vector<KeptNetwork> networks_;
  CheckpointCurves curves_;
  CheckpointCurve* curve_ = nullptr;  // of curves_, once the settings are known
  std::size_t width_ = 0;             // of the names
  bool headed_ = false;
  int unread_ = 0;
};

}  // namespace

StatusOr<int> EvaluateAllCheckpoints(const EvaluateAllOptions& options) {
  GORILA_ASSIGN_OR_RETURN(std::vector<KeptNetwork> networks, KeptNetworks(options.run));
  GORILA_ASSIGN_OR_RETURN(CheckpointCurves curves, CheckpointCurves::Open(options.run));
  return AllCheckpoints(options, std::move(networks), std::move(curves)).Run();
}

}  // namespace gorila::cli
