#include "gorila/runtime/run_observer.h"

#include <algorithm>
#include <vector>

namespace gorila {

RunSample SampleCluster(Cluster& cluster) {
  RunSample sample;
  sample.frames = cluster.clock().frames();
  sample.updates = cluster.store().UpdateCount();
  sample.bundles = static_cast<int>(cluster.bundles().size());
  sample.gradients = cluster.store().shard(0).counters();
  for (const auto& bundle : cluster.bundles()) {
    const BundleStatus status = bundle->TakeStatus();
    sample.episodes.insert(sample.episodes.end(), status.episodes.begin(), status.episodes.end());
    sample.outliers += status.learner.outliers;
    sample.replay_rows += status.replay.rows;
    sample.replay_capacity += status.replay.capacity;
    sample.epsilon += status.epsilon / sample.bundles;
    sample.loss += status.learner.loss / sample.bundles;
  }
  return sample;
}

void RunObserver::AddEpisodes(const std::vector<EpisodeResult>& episodes) {
  for (const EpisodeResult& episode : episodes) {
    recent_.Add(episode.episode_return, static_cast<std::uint64_t>(episode.length));
    returns_since_row_.Add(episode.episode_return);
    lengths_since_row_.Add(static_cast<double>(episode.length));
  }
}

void RunObserver::Observe(const RunSample& sample, const RunOptions& run, double seconds) {
  ProgressSnapshot seen;
  seen.frames = static_cast<std::uint64_t>(sample.frames);
  seen.total_frames = static_cast<std::uint64_t>(run.frames);
  seen.updates = static_cast<std::uint64_t>(sample.updates);
  seen.bundles = sample.bundles;
  seen.outliers = static_cast<std::uint64_t>(sample.outliers);
  seen.replay_size = static_cast<std::uint64_t>(sample.replay_rows);
  seen.replay_capacity = static_cast<std::uint64_t>(sample.replay_capacity);
  seen.epsilon = sample.epsilon;
  AddEpisodes(sample.episodes);
  loss_ = sample.loss;
  const ShardCounters& gradients = sample.gradients;
  seen.accepted = static_cast<std::uint64_t>(gradients.accepted);
  seen.stale = static_cast<std::uint64_t>(gradients.stale);
  seen.invalid = static_cast<std::uint64_t>(gradients.invalid);
  staleness_ = gradients.accepted > 0 ? static_cast<double>(gradients.staleness_sum) /
                                            static_cast<double>(gradients.accepted)
                                      : 0.0;

  const auto now = std::chrono::steady_clock::now();
  frame_rate_.Update(now, seen.frames);
  update_rate_.Update(now, seen.updates);
  seen.frames_per_second = frame_rate_.PerSecond();
  seen.updates_per_second = update_rate_.PerSecond();
  seen.recent_return = recent_.MeanReturn();
  seen.episodes = recent_.episodes();
  seen.seconds_elapsed = seconds;
  if (seen.frames_per_second > 0) {
    const auto left =
        static_cast<double>(seen.total_frames - std::min(seen.total_frames, seen.frames));
    seen.seconds_left = left / seen.frames_per_second;
  }
  const double limit = run.seconds;
  if (limit > 0) seen.seconds_left = std::min(seen.seconds_left, std::max(0.0, limit - seconds));
  progress_ = seen;
}

Status RunObserver::AppendTrainingRow(RunLog& log) {
  // Less: a shard came back from a snapshot, and its clients have not reported again yet.
  if (progress_.frames <= row_frames_) return OkStatus();
  row_frames_ = progress_.frames;
  std::vector<RunLogField> fields = {
      {"kind", "training"},
      {"frames", progress_.frames},
      {"updates", progress_.updates},
      {"episodes", progress_.episodes},
      {"return_episodes", returns_since_row_.count()},
      {"return_mean", returns_since_row_.mean()},
      {"return_standard_deviation", returns_since_row_.StandardDeviation()},
      {"length_mean", lengths_since_row_.mean()},
      {"epsilon", progress_.epsilon},
      {"loss", loss_},
      {"gradients_accepted", progress_.accepted},
      {"gradients_stale", progress_.stale},
      {"gradients_outlier", progress_.outliers},
      {"gradients_invalid", progress_.invalid},
      {"staleness_mean", staleness_},
      {"replay_rows", progress_.replay_size},
  };
  if (wall_time_) {
    fields.push_back({"seconds", progress_.seconds_elapsed});
    fields.push_back({"frames_per_second", progress_.frames_per_second});
    fields.push_back({"updates_per_second", progress_.updates_per_second});
  }
  returns_since_row_ = {};
  lengths_since_row_ = {};
  return log.Append(fields);
}

std::string RunObserver::SaveState() const {
  StateWriter writer;
  writer.Write(row_frames_);
  recent_.SaveState(writer);
  return writer.Take();
}

Status RunObserver::RestoreState(const std::string& state) {
  StateReader reader(state);
  GORILA_RETURN_IF_ERROR(reader.Read(row_frames_));
  GORILA_RETURN_IF_ERROR(recent_.RestoreState(reader));
  return reader.Finish();
}

}  // namespace gorila
