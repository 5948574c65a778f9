#include "gorila/run/run_scorer.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/random.h"
#include "gorila/base/runtime.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/evaluation/episode_film.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/evaluation/protocol_label.h"
#include "gorila/metrics/animated_gif.h"
#include "gorila/metrics/geometric_steps.h"
#include "gorila/run/cluster.h"
#include "gorila/run/parameter_file.h"

namespace gorila {
namespace {

// How long a wait for the thread may miss a stop.
constexpr auto kScoreLook = std::chrono::milliseconds(100);

// Evaluations whose scores, histograms and films go into event files, per factor of e in frames
// (geometric_steps.h): of a million evaluations 8,073, 1,275 and 102.
constexpr double kEvaluationScalars = 1024;
constexpr double kEvaluationHistograms = 128;
constexpr double kEvaluationFilms = 8;

Status AddFilm(const Config& config, ScoredNetwork& scored) {
  GORILA_ASSIGN_OR_RETURN(const EvaluationProtocol* protocol,
                          FindEvaluationProtocol(config.evaluation.protocol));
  Config played = config;
  played.environment.options = EvaluationOptions(config.environment.options, *protocol);
  GORILA_ASSIGN_OR_RETURN(const std::vector<RgbImage> frames,
                          FilmGames(played, scored.network->parameters,
                                    {.epsilon = scored.result.epsilon, .seed = config.run.seed}));
  GORILA_ASSIGN_OR_RETURN(scored.film, EncodeAnimatedGif(frames, kFilmDelayMilliseconds));
  scored.film_width = frames.front().width;
  scored.film_height = frames.front().height;
  return OkStatus();
}

StatusOr<ScoredNetwork> ScoreNetwork(const Config& config, SharedNetwork network,
                                     const EvaluationRequest& request, bool film) {
  ScoredNetwork scored{.network = std::move(network), .result = {}, .film = {}};
  GORILA_ASSIGN_OR_RETURN(scored.result,
                          EvaluateGames(config, scored.network->parameters, request));
  if (!film) return scored;
  // A user's environment may fail to draw itself; its score counts all the same.
  if (const Status status = AddFilm(config, scored); !status.ok()) {
    scored.film.clear();
    scored.film_problem =
        fmt::format("no film of an episode was made: {}", std::string(status.message()));
  }
  return scored;
}

void AddScores(std::string_view kind, const ScoredNetwork& scored, EventSummary& summary) {
  summary.AddScalar(fmt::format("{}/return_mean", kind), scored.result.summary.mean);
  summary.AddScalar(fmt::format("{}/standard_error", kind), scored.result.summary.standard_error);
  for (const EvaluationResult& game : scored.result.games) {
    summary.AddScalar(fmt::format("{}/return_mean/{}", kind, game.game), game.summary.mean);
    summary.AddScalar(fmt::format("{}/standard_error/{}", kind, game.game),
                      game.summary.standard_error);
  }
}

// How a record says what was scored; of several games each, too.
class ScoreFields {
 public:
  explicit ScoreFields(const EvaluationResult& result) : result_(result) {
    for (const EvaluationResult& game : result.games) {
      objects_.push_back({{{"episodes", game.returns.size()},
                           {"return_mean", game.summary.mean},
                           {"standard_error", game.summary.standard_error}}});
    }
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      games_.fields.push_back({result.games[i].game, objects_[i]});
    }
  }
  ScoreFields(const ScoreFields&) = delete;
  ScoreFields& operator=(const ScoreFields&) = delete;

  // Valid as long as this and the result.
  void AppendTo(std::vector<RunLogField>& fields) const {
    fields.push_back({"protocol", result_.protocol});
    fields.push_back({"episodes", result_.returns.size()});
    fields.push_back({"return_mean", result_.summary.mean});
    fields.push_back({"standard_error", result_.summary.standard_error});
    if (objects_.empty()) return;
    fields.push_back({"aggregate", result_.aggregate});
    fields.push_back({"games", games_});
  }

 private:
  const EvaluationResult& result_;
  std::vector<RunLogObject> objects_;
  RunLogObject games_;
};

// "3.20 +- 0.10 (greedy, 30 episodes)", of several games each with its name.
std::string DescribeEvaluation(const EvaluationResult& result) {
  std::string text;
  for (const EvaluationResult& game : result.games) {
    text += fmt::format("{} {:.2f}, ", game.game, game.summary.mean);
  }
  return fmt::format("{}{}{:.2f} +- {:.2f} ({}, {} episodes{})", text,
                     text.empty() ? "" : "aggregate ", result.summary.mean,
                     result.summary.standard_error, result.protocol, result.returns.size(),
                     PerGame(result));
}

}  // namespace

RunScorer::RunScorer(const Config& config) : config_(config) {}

void RunScorer::ContinueFrom(const LoggedProgress& logged) {
  evaluations_ = logged.evaluations;
  skipped_ = logged.skipped_evaluations;
  evaluated_frames_ = logged.evaluated_frames;
}

std::vector<RunLogField> RunScorer::CountFields() const {
  return {{"evaluations", evaluations_},
          {"skipped_evaluations", skipped_},
          {"evaluated_frames", evaluated_frames_}};
}

bool RunScorer::IsDue(std::int64_t frames) {
  const std::int64_t before = looked_at_.value_or(frames);
  looked_at_ = frames;
  const std::int64_t period = config_.evaluation.every_frames;
  if (period == 0 || frames / period <= before / period) return false;
  missed_ = frames / period - before / period - 1;
  return true;
}

StatusOr<ScoredNetwork> RunScorer::ScorePeriodically(SharedNetwork network, std::int64_t before,
                                                     const Cancelled& cancelled) const {
  const EvaluationRequest request{
      .protocol = config_.evaluation.protocol,
      .episodes = config_.evaluation.periodic_episodes,
      .seed = RandomStream::Derive(config_.run.seed, "periodic evaluation",
                                   static_cast<std::uint64_t>(network->frames))
                  .NextBits(),
      .cancelled = cancelled};
  const bool film = PassesGeometricStep(before, network->frames, kEvaluationFilms);
  return ScoreNetwork(config_, std::move(network), request, film);
}

EvaluationThread& RunScorer::thread() {
  if (thread_ == nullptr) {
    // Nothing is being scored yet, and the thread scores one after another.
    thread_ = std::make_unique<EvaluationThread>(
        [this, before = evaluated_frames_](SharedNetwork network,
                                           const Cancelled& cancelled) mutable {
          const std::int64_t last = std::exchange(before, network->frames);
          return ScorePeriodically(std::move(network), last, cancelled);
        });
  }
  return *thread_;
}

Status RunScorer::CheckNetwork(std::span<const float> parameters) const {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
  return CheckFinite(MakeParameterLayout(network), parameters);
}

StatusOr<bool> RunScorer::Offer(NetworkInTraining network, RunLog& log, const Message& message) {
  const std::int64_t frames = network.frames;
  if (const std::int64_t missed = std::exchange(missed_, 0); missed > 0) {
    GORILA_RETURN_IF_ERROR(Skip(frames, missed, "training passed several at once", log, message));
  }
  if (const Status finite = CheckNetwork(network.parameters); !finite.ok()) {
    GORILA_RETURN_IF_ERROR(Skip(frames, 1, std::string(finite.message()), log, message));
    return false;
  }
  auto shared = std::make_shared<const NetworkInTraining>(std::move(network));
  if (config_.run.deterministic) {
    // Not to be cancelled: a run that is stopped here must have this evaluation when it resumes.
    GORILA_ASSIGN_OR_RETURN(const ScoredNetwork scored,
                            ScorePeriodically(std::move(shared), evaluated_frames_, {}));
    GORILA_RETURN_IF_ERROR(Log(scored, log, message));
    return true;
  }
  if (thread().Full()) {
    GORILA_RETURN_IF_ERROR(Skip(frames, 1, "those before it are not finished", log, message));
    return false;
  }
  thread().Offer(std::move(shared));
  return true;
}

Status RunScorer::Skip(std::int64_t frames, std::int64_t count, std::string_view why, RunLog& log,
                       const Message& message) {
  skipped_ += count;
  if (message && !std::exchange(said_skipped_, true)) {
    message(fmt::format(
        "evaluation at {} frames skipped: {}; raise evaluation.every_frames ({}) or lower "
        "evaluation.periodic_episodes ({}); the report counts them",
        frames, why, config_.evaluation.every_frames, config_.evaluation.periodic_episodes));
  }
  return log.Append(
      {{"kind", "skipped_evaluation"}, {"frames", frames}, {"count", count}, {"reason", why}});
}

Status RunScorer::Collect(RunLog& log, const Message& message) {
  if (thread_ == nullptr) return OkStatus();
  GORILA_ASSIGN_OR_RETURN(const std::vector<ScoredNetwork> scored, thread_->Take());
  for (const ScoredNetwork& network : scored) {
    GORILA_RETURN_IF_ERROR(Log(network, log, message));
  }
  return OkStatus();
}

std::vector<SharedNetwork> RunScorer::pending() const {
  return thread_ == nullptr ? std::vector<SharedNetwork>() : thread_->Untaken();
}

void RunScorer::Restore(std::vector<SharedNetwork> pending) {
  for (SharedNetwork& network : pending) {
    if (network->frames > evaluated_frames_) thread().Offer(std::move(network));
  }
}

Status RunScorer::Log(const ScoredNetwork& scored, RunLog& log, const Message& message) {
  const EvaluationResult& result = scored.result;
  const NetworkInTraining& network = *scored.network;
  const double mean = result.summary.mean;
  std::vector<RunLogField> fields = {
      {"kind", "evaluation"}, {"frames", network.frames}, {"updates", network.updates}};
  const ScoreFields score(result);
  score.AppendTo(fields);
  GORILA_RETURN_IF_ERROR(log.Append(fields));
  GORILA_RETURN_IF_ERROR(AppendPeriodicEvents(scored));
  // Of another protocol or other games, before a resume, nothing can be said.
  const std::string comparable_as = ComparableAs(result);
  const bool comparable =
      best_.has_value() && (best_->protocol.empty() || best_->protocol == comparable_as);
  if (best_.has_value() && !comparable) BeginChoice();
  ++evaluations_;
  evaluated_frames_ = network.frames;
  if (scored_) scored_(network.frames, mean);
  if (message && !scored.film_problem.empty()) message(scored.film_problem);
  if (message) {
    message(fmt::format("evaluation at {} frames: {}", network.frames, DescribeEvaluation(result)));
  }
  if (!comparable || mean > best_->mean) {
    best_ = BestNetwork{mean, network.frames, network.parameters, comparable_as};
  }
  return OkStatus();
}

// Before the evaluation counts as the last one.
Status RunScorer::AppendPeriodicEvents(const ScoredNetwork& scored) {
  const std::int64_t frames = scored.network->frames;
  if (events_ == nullptr || !PassesGeometricStep(evaluated_frames_, frames, kEvaluationScalars)) {
    return OkStatus();
  }
  EventSummary summary;
  AddScores("evaluation", scored, summary);
  if (PassesGeometricStep(evaluated_frames_, frames, kEvaluationHistograms)) {
    GORILA_RETURN_IF_ERROR(AddWeights("evaluation", scored, summary));
  }
  const bool fits = events_->folder_bytes() + scored.film.size() <= kMostEventBytesWithFilms;
  if (!scored.film.empty() && fits) {
    summary.AddImage("evaluation/episode", scored.film_width, scored.film_height, scored.film);
  }
  return events_->Append(frames, summary);
}

Status RunScorer::AddWeights(std::string_view kind, const ScoredNetwork& scored,
                             EventSummary& summary) const {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
  summary.AddHistogram(fmt::format("{}/returns", kind), scored.result.returns);
  for (const EvaluationResult& game : scored.result.games) {
    summary.AddHistogram(fmt::format("{}/returns/{}", kind, game.game), game.returns);
  }
  const std::span<const float> parameters = scored.network->parameters;
  for (const ParameterTensor& tensor : MakeParameterLayout(network).tensors) {
    const auto values = parameters.subspan(tensor.offset, tensor.size);
    summary.AddHistogram(fmt::format("{}/{}", kind, tensor.name),
                         std::vector<double>(values.begin(), values.end()));
  }
  return OkStatus();
}

Status RunScorer::AppendFinalEvents(const ScoredNetwork& scored) {
  if (events_ == nullptr) return OkStatus();
  EventSummary summary;
  AddScores("final_evaluation", scored, summary);
  GORILA_RETURN_IF_ERROR(AddWeights("final_evaluation", scored, summary));
  if (!scored.film.empty()) {
    summary.AddImage("final_evaluation/episode", scored.film_width, scored.film_height,
                     scored.film);
  }
  return events_->Append(scored.network->frames, summary);
}

// False when cancelled.
StatusOr<bool> RunScorer::FinishPending(RunLog& log, const Message& message,
                                        const Cancelled& cancelled) {
  const std::size_t left = pending().size();
  if (message && left > 0) message(fmt::format("finishing evaluations of training: {} left", left));
  while (!pending().empty()) {
    thread_->WaitUntilDone(SteadyNow() + kScoreLook);
    GORILA_RETURN_IF_ERROR(Collect(log, message));
    if (cancelled && cancelled()) return false;
  }
  return true;
}

StatusOr<std::optional<RunScore>> RunScorer::EvaluateFinally(NetworkInTraining last,
                                                             const ParameterLayout& layout,
                                                             const std::filesystem::path& directory,
                                                             RunLog& log, const Message& message,
                                                             const Cancelled& cancelled) {
  GORILA_ASSIGN_OR_RETURN(bool finished, FinishPending(log, message, cancelled));
  // Counts what came due since the last look, too.
  if (finished && IsDue(last.frames)) {
    GORILA_RETURN_IF_ERROR(Offer(last, log, message).status());
    GORILA_ASSIGN_OR_RETURN(finished, FinishPending(log, message, cancelled));
  }
  if (!finished) return std::optional<RunScore>();
  const Status finite = CheckFinite(layout, last.parameters);
  const auto shared = std::make_shared<const NetworkInTraining>(std::move(last));
  if (config_.evaluation.best && finite.ok() && evaluated_frames_ != shared->frames) {
    const StatusOr<ScoredNetwork> scored = ScorePeriodically(shared, evaluated_frames_, cancelled);
    if (absl::IsCancelled(scored.status())) return std::optional<RunScore>();
    GORILA_RETURN_IF_ERROR(scored.status());
    GORILA_RETURN_IF_ERROR(Log(*scored, log, message));
  }
  if (!finite.ok() && !(config_.evaluation.best && best_.has_value())) {
    return absl::FailedPreconditionError(fmt::format(
        "the run diverged and has no score: {}; start a new one with a lower "
        "optimizer.learning_rate ({})",
        std::string(finite.message()), config_.parameter_server.options.optimizer.learning_rate));
  }
  return ScoreFinally(*shared, finite.ok(), layout, directory, log, message, cancelled);
}

StatusOr<std::optional<RunScore>> RunScorer::ScoreFinally(const NetworkInTraining& last,
                                                          bool last_is_finite,
                                                          const ParameterLayout& layout,
                                                          const std::filesystem::path& directory,
                                                          RunLog& log, const Message& message,
                                                          const Cancelled& cancelled) {
  const bool best = config_.evaluation.best && best_.has_value();
  RunScore score{.evaluation = {},
                 .frames = best ? best_->frames : last.frames,
                 .last = std::nullopt,
                 .last_frames = last.frames,
                 .evaluations = best ? evaluations_ : 0,
                 .skipped = skipped_};
  const auto network = std::make_shared<const NetworkInTraining>(
      NetworkInTraining{score.frames, last.updates, best ? best_->parameters : last.parameters});
  GORILA_ASSIGN_OR_RETURN(const std::string encoded,
                          EncodeParameters(layout, network->parameters,
                                           {{"environment", config_.environment.name},
                                            {"frames", std::to_string(score.frames)}}));
  score.unwritten = WriteFileAtomically(directory / "final.safetensors", encoded);
  const EvaluationRequest request{.protocol = config_.evaluation.protocol,
                                  .episodes = config_.evaluation.episodes,
                                  .seed = FinalEvaluationSeed(config_),
                                  .cancelled = cancelled};
  if (message) {
    GORILA_ASSIGN_OR_RETURN(const std::string label, ConfiguredProtocolLabel(config_));
    const int games = NumGames(config_);
    message(fmt::format("evaluating: {} episodes{}, protocol {}", request.episodes,
                        games == 1 ? "" : fmt::format(" of each of {} games", games), label));
  }
  StatusOr<ScoredNetwork> scored = ScoreNetwork(config_, network, request, /*film=*/true);
  if (absl::IsCancelled(scored.status())) return std::optional<RunScore>();
  GORILA_RETURN_IF_ERROR(scored.status());
  score.evaluation = scored->result;
  if (score.frames != last.frames && last_is_finite) {
    StatusOr<EvaluationResult> of_last = EvaluateGames(config_, last.parameters, request);
    if (absl::IsCancelled(of_last.status())) return std::optional<RunScore>();
    GORILA_ASSIGN_OR_RETURN(score.last, std::move(of_last));
    GORILA_RETURN_IF_ERROR(LogFinal("last", score.last_frames, *score.last, log));
  }
  GORILA_RETURN_IF_ERROR(LogFinal(best ? "best" : "last", score.frames, score.evaluation, log));
  GORILA_RETURN_IF_ERROR(AppendFinalEvents(*scored));
  if (message && !scored->film_problem.empty()) message(scored->film_problem);
  if (!scored->film.empty()) {
    score.unwritten.Update(WriteFileAtomically(directory / "episode.gif", scored->film));
  }
  return std::optional<RunScore>(std::move(score));
}

Status RunScorer::LogFinal(std::string_view network, std::int64_t frames,
                           const EvaluationResult& result, RunLog& log) {
  std::vector<RunLogField> fields = {
      {"kind", "final_evaluation"}, {"network", network}, {"frames", frames}};
  const ScoreFields score(result);
  score.AppendTo(fields);
  return log.Append(fields);
}

}  // namespace gorila
