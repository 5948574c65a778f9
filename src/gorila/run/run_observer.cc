#include "gorila/run/run_observer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "gorila/config/games.h"
#include "gorila/metrics/geometric_steps.h"

namespace gorila {
namespace {

// Episodes of one bundle's recent return: few, because each bundle plays only a part of them.
constexpr std::size_t kBundleEpisodes = 20;
// The weight of a look's share of time at the next look, half a second later.
constexpr double kLatelyWeight = 0.9;
// Records in event files, and those with histograms, per factor of e in frames (geometric_steps.h).
// TensorBoard samples 1,000 scalars and 500 histograms of a tag.
constexpr double kRecordScalars = 1024;
constexpr double kRecordHistograms = 128;

constexpr ThreadValues::Names kBundleReturns = {"bundle_returns", "bundle_count",
                                                "bundle_return_min", "bundle_return_mean",
                                                "bundle_return_max"};
constexpr ThreadValues::Names kBundleWork = {"bundle_work", "bundle_work_count", "bundle_work_min",
                                             "bundle_work_mean", "bundle_work_max"};
constexpr ThreadValues::Names kLearnerWork = {"learner_work", "learner_count", "learner_work_min",
                                              "learner_work_mean", "learner_work_max"};

// As parts of their sum; zeros when that is zero.
WorkSeconds Shares(const WorkSeconds& seconds) {
  const double sum = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  WorkSeconds shares{};
  for (std::size_t i = 0; i < kWorks && sum > 0; ++i) shares[i] = seconds[i] / sum;
  return shares;
}

void AddTo(WorkSeconds& sum, const WorkSeconds& seconds) {
  for (std::size_t i = 0; i < kWorks; ++i) sum[i] += seconds[i];
}

// Records use four digits: all 17 would make up most of a record.
WorkSeconds RoundedShares(const WorkSeconds& seconds) {
  WorkSeconds shares = Shares(seconds);
  for (double& share : shares) share = std::round(share * 1e4) / 1e4;
  return shares;
}

// Where the staleness buckets end: 1, 2, 4, ... versions.
std::vector<double> StalenessLimits() {
  std::vector<double> limits;
  for (std::size_t i = 0; i < kStalenessBuckets; ++i) limits.push_back(std::ldexp(1, int(i)));
  return limits;
}

}  // namespace

RunObserver::RunObserver(bool wall_time, std::vector<std::string> games) : wall_time_(wall_time) {
  if (games.size() < 2) return;
  for (std::string& game : games) games_.push_back({.name = std::move(game)});
}

RunSample SampleCluster(Cluster& cluster) {
  RunSample sample;
  sample.frames = cluster.clock().frames();
  sample.updates = cluster.store().UpdateCount();
  sample.bundles = static_cast<int>(cluster.bundles().size());
  sample.gradients = cluster.store().shard(0).counters();
  sample.game_frames.resize(static_cast<std::size_t>(NumGames(cluster.config())));
  for (const auto& bundle : cluster.bundles()) {
    BundleStatus status = bundle->TakeStatus();
    sample.episodes.insert(sample.episodes.end(), status.episodes.begin(), status.episodes.end());
    sample.outliers += status.learner.outliers;
    sample.replay_rows += status.replay.rows;
    sample.replay_capacity += status.replay.capacity;
    sample.epsilon += status.epsilon / sample.bundles;
    sample.loss += status.learner.loss / sample.bundles;
    sample.learning += status.learning;
    for (std::size_t i = 0; i < status.game_frames.size(); ++i) {
      sample.game_frames[i] += status.game_frames[i];
    }
    sample.per_bundle.push_back(
        {.episodes = std::move(status.episodes),
         .epsilon = status.epsilon,
         .work = status.work,
         .counts = {.frames = std::accumulate(status.game_frames.begin(), status.game_frames.end(),
                                              std::int64_t{0}),
                    .gradients = status.learner.gradients - status.learner.outliers,
                    .lags = status.learning.lags,
                    .lag_sum = status.learning.lag_sum}});
  }
  return sample;
}

void RunObserver::ThreadTime::Look(const WorkSeconds& now) {
  for (std::size_t i = 0; i < kWorks; ++i) {
    // Less than before: its process was started again.
    const double passed = now[i] - std::min(seen[i], now[i]);
    lately[i] = kLatelyWeight * lately[i] + passed;
    in_record[i] += passed;
  }
  seen = now;
}

WorkerRates RunObserver::WorkerMeter::Look(const WorkerCounts& counts,
                                           std::chrono::steady_clock::time_point now) {
  frames.Update(now, static_cast<std::uint64_t>(std::max<std::int64_t>(counts.frames, 0)));
  gradients.Update(now, static_cast<std::uint64_t>(std::max<std::int64_t>(counts.gradients, 0)));
  WorkerRates rates;
  if (counts.frames > 0) rates.frames_per_second = frames.PerSecond();
  if (counts.gradients > 0) rates.updates_per_second = gradients.PerSecond();
  if (counts.lags > 0) {
    staleness = static_cast<double>(counts.lag_sum) / static_cast<double>(counts.lags);
  }
  rates.staleness = staleness;
  return rates;
}

void RunObserver::EpisodeSeries::Add(const EpisodeResult& episode) {
  returns.Add(episode.episode_return);
  lengths.Add(static_cast<double>(episode.length));
}

// Episodes of other processes may name games that the run does not have.
void RunObserver::ObserveGames(const RunSample& sample, ProgressSnapshot& seen) {
  for (const EpisodeResult& episode : sample.episodes) {
    const auto game = static_cast<std::size_t>(episode.game);
    if (game >= games_.size()) continue;
    games_[game].recent.Add(episode.episode_return, static_cast<std::uint64_t>(episode.length));
  }
  for (std::size_t i = 0; i < games_.size(); ++i) {
    if (i < sample.game_frames.size()) games_[i].frames = sample.game_frames[i];
    seen.per_game.push_back({.name = games_[i].name,
                             .frames = static_cast<std::uint64_t>(games_[i].frames),
                             .episodes = games_[i].recent.episodes(),
                             .recent_return = games_[i].recent.MeanReturn()});
  }
}

void RunObserver::ObserveBundles(const std::vector<BundleSample>& bundles, ProgressSnapshot& seen) {
  bundles_.resize(bundles.size(), {.recent = EpisodeStatistics(kBundleEpisodes)});
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < bundles.size(); ++i) {
    BundleView& view = bundles_[i];
    for (const EpisodeResult& episode : bundles[i].episodes) {
      view.recent.Add(episode.episode_return, static_cast<std::uint64_t>(episode.length));
      view.episodes.push_back(episode);
    }
    view.time.Look(bundles[i].work);
    view.learns = bundles[i].learns;
    seen.per_bundle.push_back({.recent_return = view.recent.MeanReturn(),
                               .epsilon = bundles[i].epsilon,
                               .work = Shares(view.time.lately),
                               .learns = view.learns,
                               .rates = view.meter.Look(bundles[i].counts, now)});
    const double recent_return = view.recent.MeanReturn();
    seen.lowest_bundle_return = std::fmin(seen.lowest_bundle_return, recent_return);
    seen.highest_bundle_return = std::fmax(seen.highest_bundle_return, recent_return);
  }
}

// After ObserveBundles.
void RunObserver::ObserveWork(const RunSample& sample, ProgressSnapshot& seen) {
  WorkSeconds lately{};
  for (const BundleView& view : bundles_) {
    if (view.learns) AddTo(lately, view.time.lately);
  }
  learners_.resize(sample.learner_work.size());
  for (std::size_t i = 0; i < learners_.size(); ++i) {
    learners_[i].Look(sample.learner_work[i]);
    AddTo(lately, learners_[i].lately);
    seen.learner_work.push_back(Shares(learners_[i].lately));
  }
  const auto now = std::chrono::steady_clock::now();
  learner_meters_.resize(sample.learner_counts.size());
  for (std::size_t i = 0; i < learner_meters_.size(); ++i) {
    seen.learner_rates.push_back(learner_meters_[i].Look(sample.learner_counts[i], now));
  }
  seen.work = Shares(lately);
  seen.bottleneck = Bottleneck(seen.work);
}

void RunObserver::ObserveLearning(const RunSample& sample, ProgressSnapshot& seen) {
  const ParameterShardCounters& gradients = sample.gradients;
  seen.accepted = static_cast<std::uint64_t>(gradients.accepted);
  seen.stale = static_cast<std::uint64_t>(gradients.stale);
  seen.invalid = static_cast<std::uint64_t>(gradients.invalid);
  seen.outliers = static_cast<std::uint64_t>(sample.outliers);
  seen.staleness.assign(gradients.staleness.begin(), gradients.staleness.end());
  mean_staleness_ = gradients.accepted > 0 ? static_cast<double>(gradients.staleness_sum) /
                                                 static_cast<double>(gradients.accepted)
                                           : 0.0;
  seen.loss = sample.loss;
  if (sample.learning.batches > 0) {
    seen.value_mean = sample.learning.MeanValue();
    seen.value_max = sample.learning.value_max;
  }
  if (sample.learning.norms > 0) seen.gradient_norm = sample.learning.MeanNorm();
  if (sample.learning.entropies > 0) {
    seen.entropy = sample.learning.MeanEntropy();
    seen.policy_loss = sample.learning.MeanPolicyLoss();
    seen.baseline_loss = sample.learning.MeanBaselineLoss();
  }
}

void RunObserver::ObserveTime(const RunOptions& run, double seconds, ProgressSnapshot& seen) {
  const auto now = std::chrono::steady_clock::now();
  frame_rate_.Update(now, seen.frames);
  update_rate_.Update(now, seen.updates);
  seen.frames_per_second = frame_rate_.PerSecond();
  seen.updates_per_second = update_rate_.PerSecond();
  seen.seconds_elapsed = seconds;
  if (seen.frames_per_second > 0) {
    const auto left =
        static_cast<double>(seen.total_frames - std::min(seen.total_frames, seen.frames));
    seen.seconds_left = left / seen.frames_per_second;
  }
  if (run.seconds > 0) {
    seen.seconds_left = std::min(seen.seconds_left, std::max(0.0, run.seconds - seconds));
  }
}

void RunObserver::ObserveProcesses(const RunSample& sample, ProgressSnapshot& seen) {
  if (!record_begun_) cpu_seconds_before_ -= CpuSeconds();
  seen.resident_bytes = ResidentBytes() + sample.resident_bytes;
  seen.cpu_seconds = cpu_seconds_before_ + CpuSeconds() + sample.cpu_seconds;
  if (energy_.available()) seen.joules = joules_before_ + energy_.Joules();
}

void RunObserver::Observe(const RunSample& sample, const RunOptions& run, double seconds) {
  ProgressSnapshot seen;
  seen.frames = static_cast<std::uint64_t>(sample.frames);
  seen.total_frames = static_cast<std::uint64_t>(run.frames);
  seen.updates = static_cast<std::uint64_t>(sample.updates);
  seen.bundles = sample.bundles;
  seen.actors = sample.actors;
  seen.learners = sample.learners;
  seen.replay_size = static_cast<std::uint64_t>(sample.replay_rows);
  seen.replay_capacity = static_cast<std::uint64_t>(sample.replay_capacity);
  seen.epsilon = sample.epsilon;
  for (const EpisodeResult& episode : sample.episodes) {
    recent_.Add(episode.episode_return, static_cast<std::uint64_t>(episode.length));
  }
  ObserveGames(sample, seen);
  ObserveBundles(sample.per_bundle, seen);
  ObserveWork(sample, seen);
  ObserveLearning(sample, seen);
  ObserveTime(run, seconds, seen);
  ObserveProcesses(sample, seen);
  seen.recent_return = recent_.MeanReturn();
  seen.episodes = recent_.episodes();
  progress_ = seen;
  if (!record_begun_) BeginRecord();
}

void RunObserver::BeginRecord() {
  record_begun_ = true;
  record_frames_ = progress_.frames;
  record_staleness_ = progress_.staleness;
  for (BundleView& view : bundles_) {
    view.time.in_record = {};
    view.episodes.clear();
  }
  for (ThreadTime& learner : learners_) learner.in_record = {};
}

std::vector<EpisodeResult> RunObserver::EpisodesSinceRecord() const {
  std::vector<EpisodeResult> episodes;
  for (const BundleView& view : bundles_) {
    episodes.insert(episodes.end(), view.episodes.begin(), view.episodes.end());
  }
  return episodes;
}

std::vector<double> RunObserver::StalenessSinceRecord() const {
  std::vector<double> counts;
  for (std::size_t i = 0; i < kStalenessBuckets; ++i) {
    // Less than before: the shard came back from a snapshot.
    const std::uint64_t before = std::min(record_staleness_[i], progress_.staleness[i]);
    counts.push_back(static_cast<double>(progress_.staleness[i] - before));
  }
  return counts;
}

RunObserver::RecordSeries RunObserver::SeriesSinceRecord() const {
  RecordSeries series{.staleness = StalenessSinceRecord()};
  series.per_game.resize(games_.size());
  for (const EpisodeResult& episode : EpisodesSinceRecord()) {
    series.returns.push_back(episode.episode_return);
    series.episodes.Add(episode);
    const auto game = static_cast<std::size_t>(episode.game);
    if (game < games_.size()) series.per_game[game].Add(episode);
  }
  for (const BundleView& view : bundles_) {
    if (view.learns) AddTo(series.work, view.time.in_record);
    const double recent_return = view.recent.MeanReturn();
    series.bundle_returns.Add(std::span(&recent_return, 1));
    series.bundle_work.Add(RoundedShares(view.time.in_record));
  }
  for (const ThreadTime& learner : learners_) {
    AddTo(series.work, learner.in_record);
    series.learner_work.Add(RoundedShares(learner.in_record));
  }
  series.work = RoundedShares(series.work);
  for (ThreadValues* const values :
       {&series.bundle_returns, &series.bundle_work, &series.learner_work}) {
    values->Finish();
  }
  return series;
}

std::vector<RunLogField> RunObserver::LearningFields(const RecordSeries& series) const {
  std::vector<RunLogField> fields = {
      {"kind", "training"},
      {"frames", progress_.frames},
      {"updates", progress_.updates},
      {"episodes", progress_.episodes},
      {"return_episodes", series.episodes.returns.count()},
      {"return_mean", series.episodes.returns.mean()},
      {"return_standard_deviation", series.episodes.returns.StandardDeviation()},
      {"length_mean", series.episodes.lengths.mean()},
      {"epsilon", progress_.epsilon},
      {"loss", progress_.loss},
      {"gradient_norm", progress_.gradient_norm},
      {"value_mean", progress_.value_mean},
      {"value_max", progress_.value_max},
      {"gradients_accepted", progress_.accepted},
      {"gradients_stale", progress_.stale},
      {"gradients_outlier", progress_.outliers},
      {"gradients_invalid", progress_.invalid},
      {"staleness_mean", mean_staleness_},
      {"staleness_counts", series.staleness},
      {"replay_rows", progress_.replay_size},
  };
  if (std::isfinite(progress_.entropy)) {
    fields.push_back({"entropy", progress_.entropy});
    fields.push_back({"policy_loss", progress_.policy_loss});
    fields.push_back({"baseline_loss", progress_.baseline_loss});
  }
  series.bundle_returns.AppendFields(kBundleReturns, fields);
  return fields;
}

void RunObserver::AddTimeFields(const RecordSeries& series,
                                std::vector<RunLogField>& fields) const {
  fields.push_back({"seconds", progress_.seconds_elapsed});
  fields.push_back({"frames_per_second", progress_.frames_per_second});
  fields.push_back({"updates_per_second", progress_.updates_per_second});
  fields.push_back({"resident_bytes", progress_.resident_bytes});
  fields.push_back({"cpu_seconds", progress_.cpu_seconds});
  if (std::isfinite(progress_.joules)) fields.push_back({"joules", progress_.joules});
  fields.push_back({"work", std::span<const double>(series.work)});
  series.bundle_work.AppendFields(kBundleWork, fields);
  if (series.learner_work.threads() > 0) series.learner_work.AppendFields(kLearnerWork, fields);
  fields.push_back({"bottleneck", Bottleneck(series.work)});
}

std::vector<RunLogObject> RunObserver::GameObjects(const RecordSeries& series) const {
  std::vector<RunLogObject> objects;
  for (std::size_t i = 0; i < games_.size(); ++i) {
    const EpisodeSeries& episodes = series.per_game[i];
    objects.push_back({{{"frames", games_[i].frames},
                        {"episodes", games_[i].recent.episodes()},
                        {"return_episodes", episodes.returns.count()},
                        {"return_mean", episodes.returns.mean()},
                        {"return_standard_deviation", episodes.returns.StandardDeviation()},
                        {"length_mean", episodes.lengths.mean()}}});
  }
  return objects;
}

Status RunObserver::AppendTrainingRecord(RunLog& log, EventFile* events,
                                         std::span<const RunLogField> more) {
  // Less: a shard came back from a snapshot, and its clients have not reported again yet.
  if (progress_.frames <= record_frames_) return OkStatus();
  const RecordSeries series = SeriesSinceRecord();
  std::vector<RunLogField> fields = LearningFields(series);
  if (wall_time_) AddTimeFields(series, fields);
  const std::size_t own = fields.size();
  const std::vector<RunLogObject> of_games = GameObjects(series);
  RunLogObject games;
  for (std::size_t i = 0; i < games_.size(); ++i) {
    games.fields.push_back({games_[i].name, of_games[i]});
  }
  if (!games_.empty()) fields.push_back({"games", games});
  fields.insert(fields.end(), more.begin(), more.end());
  GORILA_RETURN_IF_ERROR(log.Append(fields));
  if (events != nullptr) {
    GORILA_RETURN_IF_ERROR(AppendEvents(std::span(fields).first(own), series, *events));
  }
  BeginRecord();
  return OkStatus();
}

Status RunObserver::AppendEvents(std::span<const RunLogField> fields, const RecordSeries& series,
                                 EventFile& events) const {
  const auto before = static_cast<std::int64_t>(record_frames_);
  const auto now = static_cast<std::int64_t>(progress_.frames);
  if (!PassesGeometricStep(before, now, kRecordScalars)) return OkStatus();
  EventSummary summary;
  for (const RunLogField& field : fields) {
    const std::optional<double> number = field.value.Number();
    if (number.has_value() && field.name != "frames") {
      summary.AddScalar(fmt::format("training/{}", field.name), *number);
    }
  }
  for (std::size_t i = 0; i < games_.size(); ++i) {
    const std::string& name = games_[i].name;
    summary.AddScalar("training/return_mean/" + name, series.per_game[i].returns.mean());
    summary.AddScalar("training/length_mean/" + name, series.per_game[i].lengths.mean());
    summary.AddScalar("training/frames/" + name, static_cast<double>(games_[i].frames));
  }
  if (PassesGeometricStep(before, now, kRecordHistograms)) {
    summary.AddHistogram("training/returns", series.returns);
    summary.AddHistogram("training/staleness", StalenessLimits(), series.staleness);
  }
  return events.Append(now, summary);
}

std::string RunObserver::SaveState() const {
  StateWriter writer;
  writer.Write(record_frames_);
  writer.Write(progress_.cpu_seconds);
  writer.Write(std::isfinite(progress_.joules) ? progress_.joules : 0.0);
  recent_.SaveState(writer);
  writer.Write<std::uint64_t>(bundles_.size());
  for (const BundleView& view : bundles_) view.recent.SaveState(writer);
  if (!games_.empty()) writer.Write<std::uint64_t>(games_.size());
  for (const GameView& game : games_) {
    writer.WriteString(game.name);
    writer.Write(game.frames);
    game.recent.SaveState(writer);
  }
  return writer.Take();
}

Status RunObserver::RestoreState(const std::string& state) {
  StateReader reader(state);
  std::uint64_t bundles = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(record_frames_));
  GORILA_RETURN_IF_ERROR(reader.Read(cpu_seconds_before_));
  GORILA_RETURN_IF_ERROR(reader.Read(joules_before_));
  GORILA_RETURN_IF_ERROR(recent_.RestoreState(reader));
  GORILA_RETURN_IF_ERROR(reader.Read(bundles));
  bundles_.clear();
  for (std::uint64_t i = 0; i < bundles; ++i) {
    bundles_.push_back({.recent = EpisodeStatistics(kBundleEpisodes)});
    GORILA_RETURN_IF_ERROR(bundles_.back().recent.RestoreState(reader));
  }
  if (reader.remaining() > 0) {
    GORILA_RETURN_IF_ERROR(RestoreGames(reader));
  } else if (!games_.empty()) {
    games_.front().recent = recent_;  // the only game before others joined
  }
  return reader.Finish();
}

// By name: a resumed run may have its games in another order, or more of them.
Status RunObserver::RestoreGames(StateReader& reader) {
  std::uint64_t games = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(games));
  for (std::uint64_t i = 0; i < games; ++i) {
    GameView restored;
    GORILA_RETURN_IF_ERROR(reader.ReadString(restored.name));
    GORILA_RETURN_IF_ERROR(reader.Read(restored.frames));
    GORILA_RETURN_IF_ERROR(restored.recent.RestoreState(reader));
    const auto found = std::find_if(games_.begin(), games_.end(), [&](const GameView& game) {
      return game.name == restored.name;
    });
    if (found != games_.end()) *found = std::move(restored);
  }
  return OkStatus();
}

}  // namespace gorila
