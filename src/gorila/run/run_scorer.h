// The evaluations of a run: periodic ones while it trains, and the one that scores it.
#ifndef GORILA_RUN_RUN_SCORER_H_
#define GORILA_RUN_RUN_SCORER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/config/config.h"
#include "gorila/evaluation/evaluation_thread.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/metrics/event_file.h"
#include "gorila/metrics/run_log.h"
#include "gorila/network/parameter_layout.h"
#include "gorila/run/logged_progress.h"
#include "gorila/run/run_checkpoint.h"

namespace gorila {

// Beyond it a run's event files get no more films but that of its score. The rest of them grows
// with the logarithm of the run's length alone.
inline constexpr std::uint64_t kMostEventBytesWithFilms = std::uint64_t{64} << 20;

// How a finished run was scored.
struct RunScore {
  EvaluationResult evaluation;
  std::int64_t frames = 0;  // when the scored network was taken
  // The last network, where another one is scored.
  std::optional<EvaluationResult> last;
  std::int64_t last_frames = 0;
  std::int64_t evaluations = 0;  // the scored network is the best of; 0 = it is just the last one
  std::int64_t skipped = 0;      // evaluations that training did not wait for
  Status unwritten = {};         // the first file that could not be written
};

// One thread calls. Periodic evaluations are computed in another one, except those of deterministic
// runs, which compute them in line.
class RunScorer {
 public:
  // `message` (may be empty) gets one line for people about each evaluation.
  using Message = std::function<void(std::string_view)>;
  using Cancelled = std::function<bool()>;

  // The frames of a network that a periodic evaluation has scored, and its mean return.
  using Scored = std::function<void(std::int64_t frames, double mean)>;

  explicit RunScorer(const Config& config);

  // `scored` (may be empty) is called when a periodic evaluation is logged.
  void SetScored(Scored scored) { scored_ = std::move(scored); }

  // Continues the counts that an earlier process logged. Call before anything else.
  void ContinueFrom(const LoggedProgress& logged);
  // The networks evaluated until now were of another task: none of them can be the best.
  void BeginChoice() { evaluations_ = 0; }
  // What ContinueFrom needs, for training records: reading a log stops at the last of them.
  std::vector<RunLogField> CountFields() const;

  // Whether a periodic evaluation has come due between the frames of the last call and `frames`
  // (the first call only sets where to count from). Several at once are one, and the others are
  // counted as skipped.
  bool IsDue(std::int64_t frames);

  // Scores `network`, logs it and keeps the best one (the paper's rule: "the best network found by
  // periodic evaluation is scored"). In line for a deterministic run. Otherwise returns at once,
  // and Collect logs the score later; a network for which the thread has no time is counted as
  // skipped. False when it was skipped.
  StatusOr<bool> Offer(NetworkInTraining network, RunLog& log, const Message& message);

  // Logs what has been scored since.
  Status Collect(RunLog& log, const Message& message);

  // Whether Offer would take a network now.
  bool HasTime() const { return thread_ == nullptr || !thread_->Full(); }

  // Networks that were offered and not logged yet, oldest first; a checkpoint keeps them.
  std::vector<SharedNetwork> pending() const;
  // Those of an earlier process, before any Offer. Those that it logged are left out.
  void Restore(std::vector<SharedNetwork> pending);

  // Finishes pending evaluations; evaluates `last` too where the best network is scored. That one
  // or `last` is then written to final.safetensors in `directory`, scored and logged, and so is
  // `last` when it is another network; episode.gif shows the scored one play. nullopt when
  // `cancelled`. FailedPrecondition without a network with finite parameters.
  StatusOr<std::optional<RunScore>> EvaluateFinally(NetworkInTraining last,
                                                    const ParameterLayout& layout,
                                                    const std::filesystem::path& directory,
                                                    RunLog& log, const Message& message,
                                                    const Cancelled& cancelled);

  // Scores, weights and an episode go to `events` too; null: nowhere, as at first. It must live as
  // long as it is here.
  void SetEvents(EventFile* events) { events_ = events; }

  const std::optional<BestNetwork>& best() const { return best_; }
  void SetBest(std::optional<BestNetwork> best) { best_ = std::move(best); }

 private:
  // `before`: frames of the network that was scored before, or -1. Few of many evaluations are
  // filmed.
  StatusOr<ScoredNetwork> ScorePeriodically(SharedNetwork network, std::int64_t before,
                                            const Cancelled& cancelled) const;
  EvaluationThread& thread();
  Status Log(const ScoredNetwork& scored, RunLog& log, const Message& message);
  static Status LogFinal(std::string_view network, std::int64_t frames,
                         const EvaluationResult& result, RunLog& log);
  Status Skip(std::int64_t frames, std::int64_t count, std::string_view why, RunLog& log,
              const Message& message);
  StatusOr<bool> FinishPending(RunLog& log, const Message& message, const Cancelled& cancelled);
  StatusOr<std::optional<RunScore>> ScoreFinally(const NetworkInTraining& last, bool last_is_finite,
                                                 const ParameterLayout& layout,
                                                 const std::filesystem::path& directory,
                                                 RunLog& log, const Message& message,
                                                 const Cancelled& cancelled);
  Status AppendPeriodicEvents(const ScoredNetwork& scored);
  Status AddWeights(std::string_view kind, const ScoredNetwork& scored,
                    EventSummary& summary) const;
  Status AppendFinalEvents(const ScoredNetwork& scored);
  Status CheckNetwork(std::span<const float> parameters) const;

  const Config config_;
  EventFile* events_ = nullptr;
  Scored scored_;
  std::optional<BestNetwork> best_;
  std::optional<std::int64_t> looked_at_;  // frames of the last IsDue
  std::int64_t missed_ = 0;                // evaluations that the last IsDue found too late
  std::int64_t evaluated_frames_ = -1;     // of the newest network that was logged
  std::int64_t evaluations_ = 0;
  std::int64_t skipped_ = 0;
  bool said_skipped_ = false;
  std::unique_ptr<EvaluationThread>
      thread_;  // of runs that are not deterministic; made when needed
};

}  // namespace gorila

#endif  // GORILA_RUN_RUN_SCORER_H_
