// For tests of replay shards: rows that say where they are from, and their way into a shard.
#ifndef GORILA_REPLAY_SHARD_TESTING_H_
#define GORILA_REPLAY_SHARD_TESTING_H_

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "gorila/replay/replay_shard.h"
#include "gorila/replay/testing.h"

namespace gorila::testing_replay {

inline ReplayEndpoint::Deadline Now() { return std::chrono::steady_clock::now(); }
// Long enough for anything that does end.
inline ReplayEndpoint::Deadline Later() { return Now() + std::chrono::minutes(2); }

inline ReplayShardOptions ShardOptions(std::int64_t capacity, int n_step = 1, int stack = 1) {
  return {.replay = {.capacity = capacity,
                     .transition = {.n_step = n_step, .discount = 0.9},
                     .rate = {.updates_per_step = 1e9, .min_size = 0, .insert_lead = 0}},
          .observation = NamedFrames(stack),
          .num_actions = 100};
}

inline std::unique_ptr<ReplayShard> MakeShard(const ReplayShardOptions& options,
                                              std::uint64_t seed = 1) {
  return ReplayShard::Make(options, RandomStream(seed)).value();
}

// Consecutive rows with what a RowRun refers to. NamedRow::name::number is the row's number in its
// stream + 1.
class OwnedRun {
 public:
  OwnedRun(const StreamName& stream, const std::vector<NamedRow>& rows)
      : stream_(stream), game_(rows.front().game), first_(rows.front().name.number - 1) {
    for (const NamedRow& row : rows) {
      time_steps_.push_back(row.time_step);
      actions_.push_back(row.action);
      values_.push_back(row.values);
      log_probabilities_.push_back(row.log_probability);
      with_log_probabilities_ |= !std::isnan(row.log_probability);
      const auto frame = row.row().frame;
      frames_.insert(frames_.end(), frame.begin(), frame.end());
    }
  }

  RowRun run() const {
    return {
        .stream = stream_,
        .game = game_,
        .first = first_,
        .time_steps = time_steps_,
        .actions = actions_,
        .frames = frames_,
        .values = with_values_ ? std::span<const RowValues>(values_) : std::span<const RowValues>(),
        .log_probabilities = with_log_probabilities_ ? std::span<const float>(log_probabilities_)
                                                     : std::span<const float>()};
  }

  StreamName stream_;
  int game_;
  std::int64_t first_;
  std::vector<TimeStep> time_steps_;
  std::vector<std::int32_t> actions_;
  std::vector<std::byte> frames_;
  std::vector<RowValues> values_;
  std::vector<float> log_probabilities_;
  bool with_values_ = false;
  bool with_log_probabilities_ = false;  // set when a row has one
};

inline StatusOr<InsertReply> InsertRows(ReplayEndpoint& shard, const StreamName& stream,
                                        const std::vector<NamedRow>& rows,
                                        InsertLimit limit = InsertLimit::kKept) {
  const OwnedRun owned(stream, rows);
  const RowRun run = owned.run();
  return shard.Insert({&run, 1}, Later(), limit);
}

// An episode of `steps` decisions whose first row is number `first` of stream `name`.
inline std::vector<NamedRow> Episode(int steps, std::int32_t first = 0, std::int32_t name = 0,
                                     int game = 0) {
  std::vector<NamedRow> rows;
  for (int k = 0; k <= steps; ++k) {
    NamedRow row{.name = {name, first + k + 1},
                 .time_step = {StepType::kMid, 1, 1},
                 .action = k,
                 .game = game};
    if (k == 0) row.time_step = {};
    if (k == steps) row.time_step = {StepType::kLast, 1, 0};
    rows.push_back(row);
  }
  return rows;
}

// What a shard's snapshots keep.
class ShardSnapshot {
 public:
  void Save(ReplayShard& shard, std::int64_t max_bytes) {
    for (bool more = true; more;) {
      StateWriter rows;
      const ReplayShard::SavedRows saved = shard.SaveNewRows(max_bytes, rows);
      if (saved.rows > 0) segments_.push_back({rows.Take(), saved.last_serial});
      more = saved.more;
    }
    StateWriter state;
    const std::int64_t oldest = shard.SaveState(state);
    state_ = state.Take();
    std::erase_if(segments_, [&](const auto& segment) { return segment.second < oldest; });
  }

  Status Restore(ReplayShard& shard) const {
    StateReader state(state_);
    GORILA_RETURN_IF_ERROR(shard.RestoreState(state));
    for (const auto& [bytes, serial] : segments_) {
      StateReader rows(bytes);
      GORILA_RETURN_IF_ERROR(shard.RestoreRows(rows));
    }
    return shard.FinishRestore();
  }

  std::string state_;
  std::vector<std::pair<std::string, std::int64_t>> segments_;
};

}  // namespace gorila::testing_replay

#endif  // GORILA_REPLAY_SHARD_TESTING_H_
