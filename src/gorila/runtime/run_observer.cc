#include "gorila/runtime/run_observer.h"

#include <algorithm>
#include <vector>

namespace gorila {

void RunObserver::AddEpisodes(const BundleStatus& status) {
  for (const EpisodeResult& episode : status.episodes) {
    recent_.Add(episode.episode_return, static_cast<std::uint64_t>(episode.length));
    returns_since_row_.Add(episode.episode_return);
    lengths_since_row_.Add(static_cast<double>(episode.length));
  }
}

void RunObserver::Observe(Cluster& cluster, double seconds) {
  ProgressSnapshot seen;
  seen.frames = static_cast<std::uint64_t>(cluster.clock().frames());
  seen.total_frames = static_cast<std::uint64_t>(cluster.config().run.frames);
  seen.updates = static_cast<std::uint64_t>(cluster.store().UpdateCount());
  seen.bundles = static_cast<int>(cluster.bundles().size());
  loss_ = 0;
  for (const auto& bundle : cluster.bundles()) {
    const BundleStatus status = bundle->TakeStatus();
    AddEpisodes(status);
    seen.outliers += static_cast<std::uint64_t>(status.learner.outliers);
    seen.replay_size += static_cast<std::uint64_t>(status.replay.rows);
    seen.replay_capacity += static_cast<std::uint64_t>(status.replay.capacity);
    seen.epsilon += status.epsilon / seen.bundles;
    loss_ += status.learner.loss / seen.bundles;
  }
  // Shard 0 stands for the whole gradient, as its version does for the update clock.
  const ShardCounters counters = cluster.store().shard(0).counters();
  seen.accepted = static_cast<std::uint64_t>(counters.accepted);
  seen.stale = static_cast<std::uint64_t>(counters.stale);
  seen.invalid = static_cast<std::uint64_t>(counters.invalid);

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
  const double limit = cluster.config().run.seconds;
  if (limit > 0) seen.seconds_left = std::min(seen.seconds_left, std::max(0.0, limit - seconds));
  progress_ = seen;
}

Status RunObserver::AppendTrainingRow(Cluster& cluster, RunLog& log) {
  if (progress_.frames == row_frames_) return OkStatus();
  row_frames_ = progress_.frames;
  const ShardCounters counters = cluster.store().shard(0).counters();
  const double staleness = counters.accepted > 0 ? static_cast<double>(counters.staleness_sum) /
                                                       static_cast<double>(counters.accepted)
                                                 : 0.0;
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
      {"staleness_mean", staleness},
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
