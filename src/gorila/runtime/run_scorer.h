// The evaluations of a run: periodic ones while it trains, and the one that scores it.
#ifndef GORILA_RUNTIME_RUN_SCORER_H_
#define GORILA_RUNTIME_RUN_SCORER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/metrics/event_file.h"
#include "gorila/metrics/run_log.h"
#include "gorila/network/parameter_layout.h"
#include "gorila/runtime/config.h"
#include "gorila/runtime/evaluator.h"
#include "gorila/runtime/run_checkpoint.h"

namespace gorila {

// One thread.
class RunScorer {
 public:
  // `message` (may be empty) gets one line for people about each evaluation.
  using Message = std::function<void(std::string_view)>;

  explicit RunScorer(const Config& config) : config_(config) {}

  // Scores `parameters` as of `frames`, logs it and keeps the best ones (the paper's rule: "the
  // best network found by periodic evaluation is scored"). OK and nothing else when `cancelled`.
  Status EvaluatePeriodically(std::int64_t frames, std::int64_t updates,
                              std::vector<float> parameters, RunLog& log, const Message& message,
                              const std::function<bool()>& cancelled);

  struct Score {
    EvaluationResult evaluation;
    std::int64_t frames = 0;  // when the scored network was taken
  };
  // The best network so far where the configuration says so, else `parameters` as of `frames`:
  // written to final.safetensors in `directory`, then scored and logged; episode.gif shows it play.
  // Nothing when `cancelled`.
  StatusOr<std::optional<Score>> EvaluateFinally(std::int64_t frames, std::vector<float> parameters,
                                                 const ParameterLayout& layout,
                                                 const std::filesystem::path& directory,
                                                 RunLog& log, const Message& message,
                                                 const std::function<bool()>& cancelled);

  // Scores, weights and an episode go to `events` too; null: nowhere, as at first. It must live as
  // long as it is here.
  void SetEvents(EventFile* events) { events_ = events; }

  const std::optional<BestNetwork>& best() const { return best_; }
  void SetBest(std::optional<BestNetwork> best) { best_ = std::move(best); }

 private:
  // Gives the film.
  StatusOr<std::string> AppendEvents(std::string_view kind, std::int64_t frames,
                                     const EvaluationResult& result,
                                     std::span<const float> parameters);

  const Config config_;
  EventFile* events_ = nullptr;
  std::optional<BestNetwork> best_;
};

}  // namespace gorila

#endif  // GORILA_RUNTIME_RUN_SCORER_H_
