// Our own runs of the MinAtar games, for the table beside the published scores.
#ifndef GORILA_SCORES_MINATAR_RUNS_H_
#define GORILA_SCORES_MINATAR_RUNS_H_

#include <deque>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/run_log.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// The mean over the training episodes that ended in the last kReturnWindow frames of a log. Keeps
// the records of that window only. A record that begins before the window counts with the part that
// is in it, as if its episodes had ended at equal distances. Of a run with several games it follows
// one of them, whose frames and episodes alone count.
class RecentReturn {
 public:
  static constexpr double kReturnWindow = 1e6;

  // `game`: by its full name, of one among several.
  explicit RecentReturn(std::string game = "") : game_(std::move(game)) {}

  void Add(
      const RunLogRecord& record);  // oldest first; others than training records are passed over

  double frames() const { return frames_; }    // after the last record; 0 without one
  double epsilon() const { return epsilon_; }  // in the last record; NaN when it has none
  double Mean() const;                         // NaN without an episode

 private:
  struct Stretch {
    double begin = 0, end = 0;  // frames
    double episodes = 0;
    double mean_return = 0;
  };
  std::string game_;
  std::deque<Stretch> stretches_;
  double frames_ = 0;
  double epsilon_ = std::numeric_limits<double>::quiet_NaN();
};

struct MinAtarRuns {
  // Finished ones. A run with several games is there for each MinAtar game, with a configuration as
  // OneGame() makes it and that game's evaluation.
  std::vector<RunSummary> runs;
  std::vector<RecentReturn> training;  // one a run
  int unfinished = 0;                  // runs of MinAtar games without a final evaluation
  int other_games = 0;                 // in a folder that has MinAtar's too
};

// `path`: a run's directory, or a folder with such directories at any depth. Blocks on the disk.
// NotFound, InvalidArgument or DataLoss with the path; also when none of the runs played a
// MinAtar game.
StatusOr<MinAtarRuns> ReadMinAtarRuns(const std::filesystem::path& path);

// "double_dqn (minatar, learner.n_step=1)": the algorithm, the preset that is nearest, and the
// settings of training that differ from it. Frames and environment are told elsewhere.
std::string AgentOf(const Config& config);

}  // namespace gorila

#endif  // GORILA_SCORES_MINATAR_RUNS_H_
