#include "gorila/runtime/run_scorer.h"

#include <string>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/random.h"
#include "gorila/metrics/animated_gif.h"
#include "gorila/runtime/cluster.h"
#include "gorila/runtime/episode_film.h"

namespace gorila {

StatusOr<std::string> RunScorer::AppendEvents(std::string_view kind, std::int64_t frames,
                                              const EvaluationResult& result,
                                              std::span<const float> parameters) {
  GORILA_ASSIGN_OR_RETURN(
      const EpisodeFilm film,
      FilmEpisode(config_, parameters, {.epsilon = result.epsilon, .seed = config_.run.seed}));
  GORILA_ASSIGN_OR_RETURN(std::string gif, EncodeAnimatedGif(film.frames, kFilmDelayMilliseconds));
  if (events_ == nullptr) return gif;
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
  EventSummary summary;
  summary.AddScalar(fmt::format("{}/return_mean", kind), result.summary.mean);
  summary.AddScalar(fmt::format("{}/standard_error", kind), result.summary.standard_error);
  summary.AddHistogram(fmt::format("{}/returns", kind), result.returns);
  for (const ParameterTensor& tensor : MakeParameterLayout(network).tensors) {
    const auto values = parameters.subspan(tensor.offset, tensor.size);
    summary.AddHistogram(fmt::format("{}/{}", kind, tensor.name),
                         std::vector<double>(values.begin(), values.end()));
  }
  summary.AddImage(fmt::format("{}/episode", kind), film.frames.front().width,
                   film.frames.front().height, gif);
  GORILA_RETURN_IF_ERROR(events_->Append(frames, summary));
  return gif;
}

Status RunScorer::EvaluatePeriodically(std::int64_t frames, std::int64_t updates,
                                       std::vector<float> parameters, RunLog& log,
                                       const Message& message,
                                       const std::function<bool()>& cancelled) {
  const EvaluationRequest request{
      .protocol = config_.evaluation.protocol,
      .episodes = config_.evaluation.periodic_episodes,
      .seed = RandomStream::Derive(config_.run.seed, "periodic evaluation",
                                   static_cast<std::uint64_t>(frames))
                  .NextBits(),
      .cancelled = cancelled};
  const StatusOr<EvaluationResult> result = Evaluate(config_, parameters, request);
  if (absl::IsCancelled(result.status())) return OkStatus();  // the run sees the stop itself
  GORILA_RETURN_IF_ERROR(result.status());
  const double mean = result->summary.mean;
  GORILA_RETURN_IF_ERROR(log.Append({{"kind", "evaluation"},
                                     {"frames", frames},
                                     {"updates", updates},
                                     {"protocol", result->protocol},
                                     {"episodes", result->returns.size()},
                                     {"return_mean", mean},
                                     {"standard_error", result->summary.standard_error}}));
  if (events_ != nullptr) {
    GORILA_RETURN_IF_ERROR(AppendEvents("evaluation", frames, *result, parameters).status());
  }
  if (message) {
    message(fmt::format("evaluation at {} frames: {:.2f} +- {:.2f} ({}, {} episodes)", frames, mean,
                        result->summary.standard_error, result->protocol, result->returns.size()));
  }
  if (!best_.has_value() || mean > best_->mean) {
    best_ = BestNetwork{mean, frames, std::move(parameters)};
  }
  return OkStatus();
}

StatusOr<std::optional<RunScorer::Score>> RunScorer::EvaluateFinally(
    std::int64_t frames, std::vector<float> parameters, const ParameterLayout& layout,
    const std::filesystem::path& directory, RunLog& log, const Message& message,
    const std::function<bool()>& cancelled) {
  Score score{.evaluation = {}, .frames = frames};
  if (config_.evaluation.best && best_.has_value()) {
    parameters = best_->parameters;
    score.frames = best_->frames;
  }
  GORILA_ASSIGN_OR_RETURN(const std::string encoded,
                          EncodeParameters(layout, parameters,
                                           {{"environment", config_.environment.name},
                                            {"frames", std::to_string(score.frames)}}));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory / "final.safetensors", encoded));
  const EvaluationRequest request{.protocol = config_.evaluation.protocol,
                                  .episodes = config_.evaluation.episodes,
                                  .seed = FinalEvaluationSeed(config_),
                                  .cancelled = cancelled};
  if (message) {
    message(
        fmt::format("evaluating: {} episodes, protocol {}", request.episodes, request.protocol));
  }
  StatusOr<EvaluationResult> evaluation = Evaluate(config_, parameters, request);
  if (absl::IsCancelled(evaluation.status())) return std::optional<Score>();
  GORILA_ASSIGN_OR_RETURN(score.evaluation, std::move(evaluation));
  GORILA_RETURN_IF_ERROR(log.Append({{"kind", "final_evaluation"},
                                     {"frames", score.frames},
                                     {"protocol", score.evaluation.protocol},
                                     {"episodes", score.evaluation.returns.size()},
                                     {"return_mean", score.evaluation.summary.mean},
                                     {"standard_error", score.evaluation.summary.standard_error}}));
  GORILA_ASSIGN_OR_RETURN(const std::string film, AppendEvents("final_evaluation", score.frames,
                                                               score.evaluation, parameters));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory / "episode.gif", film));
  return std::optional<Score>(std::move(score));
}

}  // namespace gorila
