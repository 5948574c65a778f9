// What a report needs of a run's log, in bounded memory: a run of weeks logs a record every few
// seconds.
#ifndef GORILA_REPORT_RUN_HISTORY_H_
#define GORILA_REPORT_RUN_HISTORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/binned_curve.h"
#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/evenly_thinned.h"
#include "gorila/metrics/run_log.h"

namespace gorila {

// How many episodes a point of a training curve is the mean of.
inline constexpr std::uint64_t kSmoothedEpisodes = 100;

// How many points are kept of a curve, and how many evaluations: all of a run of 11 hours with a
// record every 5 s, and several for each pixel of a picture. Longer logs are thinned evenly.
inline constexpr std::size_t kMostHistoryPoints = 8192;

// What training records say beside returns, as charts show it. A log has those that its algorithm
// and its version know.
inline constexpr std::array<std::string_view, 9> kTrainingFigures = {
    "loss",    "policy_loss", "baseline_loss",  "value_mean",       "gradient_norm",
    "epsilon", "entropy",     "staleness_mean", "frames_per_second"};

// How many points are kept of each of them: a chart of one is as wide as a phone.
inline constexpr std::size_t kMostFigurePoints = 256;

// A number of the training records over another one, each point the mean of the last
// kSmoothedEpisodes episodes. Smoothed before it is thinned, so that what is kept is exact.
class HistoryCurve {
 public:
  // The names must outlive the curve.
  HistoryCurve(std::string_view x, std::string_view y) : x_(x), y_(y) {}

  // Passes over a record that lacks the numbers or episodes. `figures`: what has all but x, the
  // record itself or one of its games.
  void Add(const RunLogRecord& training_record, const RunLogRecord& figures);

  // At most kMostHistoryPoints, and the last one.
  std::vector<CurveSample> samples() const { return samples_.values(); }
  // Of all samples, whether they were kept or not. NaN without any.
  double first() const { return first_; }
  double last() const { return last_; }
  double highest() const { return highest_; }

 private:
  static constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  std::string_view x_, y_;
  EpisodeSmoother smoother_{kSmoothedEpisodes};
  EvenlyThinned<CurveSample> samples_{kMostHistoryPoints};
  double first_ = kNone, last_ = kNone, highest_ = kNone;
};

// One of a run's several games.
struct GameHistory {
  // x is that of the run: frames of all games together.
  HistoryCurve return_over_frames{"frames", "return_mean"};
  HistoryCurve return_over_seconds{"seconds", "return_mean"};
  HistoryCurve return_over_updates{"updates", "return_mean"};
  EvenlyThinned<CurvePoint> evaluations{kMostHistoryPoints};  // as RunHistory::evaluations()
  double frames = 0;                                          // of this game; in the last record
  double episodes = 0;
};

class RunHistory {
 public:
  void Add(const RunLogRecord& record);  // oldest first

  // `name` in the last training record that has it. Of names that no version has logged, only the
  // first thousand are known.
  std::optional<double> Last(std::string_view name) const;

  const HistoryCurve& return_over_frames() const { return return_over_frames_; }
  const HistoryCurve& return_over_seconds() const { return return_over_seconds_; }
  const HistoryCurve& return_over_updates() const { return return_over_updates_; }
  const HistoryCurve& epsilon_over_frames() const { return epsilon_over_frames_; }

  // One of kTrainingFigures over frames: means of as many records as share a point, with the lowest
  // and highest of these. Empty where the log lacks it.
  std::vector<CurvePoint> figure(std::string_view name) const;

  // The periodic evaluations, then the final one when it is of a later network; low and high are
  // one standard error away. At most kMostHistoryPoints, and the last one.
  std::vector<CurvePoint> evaluations() const { return evaluations_.values(); }

  // The game's part, where the log has several; null without. Of the first thousand.
  const GameHistory* game(std::string_view name) const;

  const std::optional<std::string>& bottleneck() const { return bottleneck_; }  // the last one

 private:
  void AddEvaluation(const RunLogRecord& record);
  void AddFigures(const RunLogRecord& training_record);
  void AddGames(const RunLogRecord& training_record);
  GameHistory* FindOrAddGame(const std::string& name);  // null for one too many

  HistoryCurve return_over_frames_{"frames", "return_mean"};
  HistoryCurve return_over_seconds_{"seconds", "return_mean"};
  HistoryCurve return_over_updates_{"updates", "return_mean"};
  HistoryCurve epsilon_over_frames_{"frames", "epsilon"};
  std::map<std::string_view, BinnedCurve> figures_;
  EvenlyThinned<CurvePoint> evaluations_{kMostHistoryPoints};
  std::map<std::string, double, std::less<>> last_;
  std::map<std::string, GameHistory, std::less<>> games_;
  std::optional<std::string> bottleneck_;
};

// Adds the records of a log. `history` has what could be read after an error too: NotFound without
// a file, DataLoss, with the lines' numbers, when some are damaged.
Status ReadRunHistory(const std::filesystem::path& log, RunHistory& history);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_HISTORY_H_
