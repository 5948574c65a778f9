// Gathers the figures of bundles and shards into progress and metrics records.
#ifndef GORILA_RUN_RUN_OBSERVER_H_
#define GORILA_RUN_RUN_OBSERVER_H_

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/energy.h"
#include "gorila/base/resource_usage.h"
#include "gorila/metrics/episode_statistics.h"
#include "gorila/metrics/event_file.h"
#include "gorila/metrics/progress.h"
#include "gorila/metrics/rate_meter.h"
#include "gorila/metrics/run_log.h"
#include "gorila/run/cluster.h"
#include "gorila/run/thread_values.h"

namespace gorila {

// What a bundle, an actor or a learner has done since it began, or since its process did.
struct WorkerCounts {
  std::int64_t frames = 0;
  std::int64_t gradients = 0;  // pushed
  std::int64_t lags = 0;  // LearnerStatistics; of bundles in this process since the last record
  std::int64_t lag_sum = 0;
};

// One bundle at one instant.
struct BundleSample {
  std::vector<EpisodeResult> episodes = {};  // finished since the last sample
  double epsilon = 0;
  WorkSeconds work{};  // of its thread, since it was made
  bool learns = true;  // else an actor, whose own time does not say what the run waits for
  WorkerCounts counts{};
};

// A run at one instant, wherever its parts are.
struct RunSample {
  std::int64_t frames = 0;
  std::int64_t updates = 0;
  int bundles = 0;
  int actors = 0;    // in separate processes
  int learners = 0;  // the same
  // Of shard 0, which represents the whole gradient, as its version is the update clock.
  ParameterShardCounters gradients;
  std::int64_t outliers = 0;
  std::int64_t replay_rows = 0;
  std::int64_t replay_capacity = 0;
  double epsilon = 0;                     // mean over bundles and actors; NaN = none is known
  double loss = 0;                        // mean over bundles and learners; likewise
  std::vector<EpisodeResult> episodes;    // finished since the last sample
  std::vector<std::int64_t> game_frames;  // of each game, since the run's beginning
  LearnerStatistics learning;             // since the last record
  std::vector<BundleSample> per_bundle;   // and of actors; each keeps its place
  // Of learner processes, since each began; each keeps its place.
  std::vector<WorkSeconds> learner_work;
  std::vector<WorkerCounts> learner_counts;  // of the same
  // Of processes beside this one, since it began to watch them.
  double cpu_seconds = 0;
  std::uint64_t resident_bytes = 0;
};

// Takes the episodes of every bundle.
RunSample SampleCluster(Cluster& cluster);

// One thread: the trainer's.
class RunObserver {
 public:
  // With `wall_time` records carry seconds, rates, memory and what threads do; a deterministic
  // run's do not, so that two logs can be compared byte by byte. `games`: the names of the run's;
  // several have figures of their own.
  explicit RunObserver(bool wall_time, std::vector<std::string> games = {});

  // `run`: of the configuration. `seconds`: training time so far, over resumes.
  void Observe(const RunSample& sample, const RunOptions& run, double seconds);
  void Observe(Cluster& cluster, double seconds) {
    Observe(SampleCluster(cluster), cluster.config().run, seconds);
  }

  const ProgressSnapshot& progress() const { return progress_; }

  // Before the first Observe: processor time that the run took before, of earlier processes.
  void AddEarlierCpuSeconds(double seconds) { cpu_seconds_before_ += seconds; }

  // Appends a record for the frames since the last record, which ends with `more`; nothing when
  // there were none. To `events` too unless null, ever more rarely as a run gets long.
  Status AppendTrainingRecord(RunLog& log, EventFile* events = nullptr,
                              std::span<const RunLogField> more = {});

  // To be saved when no record is open, that is right after AppendTrainingRecord.
  std::string SaveState() const;
  Status RestoreState(const std::string& state);

 private:
  // Seconds of one thread.
  struct ThreadTime {
    void Look(const WorkSeconds& now);

    WorkSeconds seen{};       // at the last look
    WorkSeconds lately{};     // of recent looks, older ones counting less
    WorkSeconds in_record{};  // since the last record
  };

  // How fast a worker is.
  struct WorkerMeter {
    WorkerRates Look(const WorkerCounts& counts, std::chrono::steady_clock::time_point now);

    RateMeter frames = RateMeter();
    RateMeter gradients = RateMeter();
    double staleness = std::numeric_limits<double>::quiet_NaN();  // the last that is known
  };

  // What is known of one bundle beyond its present status.
  struct BundleView {
    EpisodeStatistics recent;
    std::vector<EpisodeResult> episodes = {};  // since the last record
    ThreadTime time = {};
    bool learns = true;
    WorkerMeter meter = {};
  };

  // Of a run with several.
  struct GameView {
    std::string name;
    EpisodeStatistics recent = EpisodeStatistics();
    std::int64_t frames = 0;
  };

  struct EpisodeSeries {
    void Add(const EpisodeResult& episode);

    RunningStatistics returns = {};
    RunningStatistics lengths = {};
  };

  // What a record holds of the time since the last one.
  struct RecordSeries {
    std::vector<double> staleness = {};
    std::vector<double> returns = {};  // of episodes
    EpisodeSeries episodes = {};
    std::vector<EpisodeSeries> per_game = {};
    WorkSeconds work{};  // shares, of all threads that learn
    ThreadValues bundle_returns{1};
    ThreadValues bundle_work{kWorks};   // shares of each
    ThreadValues learner_work{kWorks};  // likewise
  };

  void ObserveGames(const RunSample& sample, ProgressSnapshot& seen);
  void ObserveBundles(const std::vector<BundleSample>& bundles, ProgressSnapshot& seen);
  void ObserveWork(const RunSample& sample, ProgressSnapshot& seen);
  void ObserveLearning(const RunSample& sample, ProgressSnapshot& seen);
  void ObserveTime(const RunOptions& run, double seconds, ProgressSnapshot& seen);
  void ObserveProcesses(const RunSample& sample, ProgressSnapshot& seen);

  // Bundle by bundle, so that statistics are the same to the last bit however often the run was
  // sampled.
  std::vector<EpisodeResult> EpisodesSinceRecord() const;
  std::vector<double> StalenessSinceRecord() const;
  RecordSeries SeriesSinceRecord() const;
  // Fields point into `series`.
  std::vector<RunLogField> LearningFields(const RecordSeries& series) const;
  void AddTimeFields(const RecordSeries& series, std::vector<RunLogField>& fields) const;
  // Of each game, under the names that records have for all of them.
  std::vector<RunLogObject> GameObjects(const RecordSeries& series) const;
  Status AppendEvents(std::span<const RunLogField> fields, const RecordSeries& series,
                      EventFile& events) const;
  Status RestoreGames(StateReader& reader);
  void BeginRecord();

  const bool wall_time_;
  ProgressSnapshot progress_;
  std::vector<BundleView> bundles_;
  std::vector<GameView> games_;  // empty of a run with one
  std::vector<ThreadTime> learners_;
  std::vector<WorkerMeter> learner_meters_;
  double mean_staleness_ = 0;
  bool record_begun_ = false;
  std::uint64_t record_frames_ = 0;  // at the end of the last record
  std::vector<std::uint64_t> record_staleness_;
  EpisodeStatistics recent_;
  RateMeter frame_rate_;
  RateMeter update_rate_;
  EnergyMeter energy_ = EnergyMeter::Open();
  double cpu_seconds_before_ = 0;  // of earlier processes, and of this one before the run
  double joules_before_ = 0;
};

}  // namespace gorila

#endif  // GORILA_RUN_RUN_OBSERVER_H_
