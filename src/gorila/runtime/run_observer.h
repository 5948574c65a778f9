// Gathers what the bundles and shards show of themselves into progress and metrics rows.
#ifndef GORILA_RUNTIME_RUN_OBSERVER_H_
#define GORILA_RUNTIME_RUN_OBSERVER_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "gorila/metrics/episode_statistics.h"
#include "gorila/metrics/progress.h"
#include "gorila/metrics/rate_meter.h"
#include "gorila/metrics/run_log.h"
#include "gorila/runtime/cluster.h"

namespace gorila {

// A run at one instant, wherever its parts are.
struct RunSample {
  std::int64_t frames = 0;
  std::int64_t updates = 0;
  int bundles = 0;
  // Of shard 0, which stands for the whole gradient, as its version does for the update clock.
  ShardCounters gradients;
  std::int64_t outliers = 0;
  std::int64_t replay_rows = 0;
  std::int64_t replay_capacity = 0;
  double epsilon = 0;                   // mean over bundles
  double loss = 0;                      // mean over bundles
  std::vector<EpisodeResult> episodes;  // finished since the last sample
};

// Takes the episodes of every bundle.
RunSample SampleCluster(Cluster& cluster);

// One thread: the trainer's.
class RunObserver {
 public:
  // With `wall_time` rows carry seconds and rates; a deterministic run's do not, so that two logs
  // can be compared byte by byte.
  explicit RunObserver(bool wall_time) : wall_time_(wall_time) {}

  // `run`: of the configuration. `seconds`: training time so far, over resumes.
  void Observe(const RunSample& sample, const RunOptions& run, double seconds);
  void Observe(Cluster& cluster, double seconds) {
    Observe(SampleCluster(cluster), cluster.config().run, seconds);
  }

  const ProgressSnapshot& progress() const { return progress_; }

  // Appends a row for the frames since the last row; nothing when there were none.
  Status AppendTrainingRow(RunLog& log);

  // To be saved when no row is open, that is right after AppendTrainingRow.
  std::string SaveState() const;
  Status RestoreState(const std::string& state);

 private:
  void AddEpisodes(const std::vector<EpisodeResult>& episodes);

  const bool wall_time_;
  ProgressSnapshot progress_;
  double loss_ = 0;               // mean over bundles
  double staleness_ = 0;          // mean over accepted gradients, in versions
  std::uint64_t row_frames_ = 0;  // at the end of the last row
  EpisodeStatistics recent_;
  RunningStatistics returns_since_row_;
  RunningStatistics lengths_since_row_;
  RateMeter frame_rate_;
  RateMeter update_rate_;
};

}  // namespace gorila

#endif  // GORILA_RUNTIME_RUN_OBSERVER_H_
