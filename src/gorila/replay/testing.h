// For tests of replay: random episodes, and what replay must make of them, written down without any
// of its data structures.
#ifndef GORILA_REPLAY_TESTING_H_
#define GORILA_REPLAY_TESTING_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/replay/local_replay.h"

namespace gorila::testing_replay {

// Which row of which stream; 8 bytes that serve as its frame, so that a frame says where it is
// from.
struct FrameName {
  std::int32_t stream = 0;
  std::int32_t number = 0;  // index in the stream + 1, so that no frame is all zero

  auto operator<=>(const FrameName&) const = default;
};

inline ObservationSpec NamedFrames(int stack) {
  return {.channels = 1, .height = 1, .width = sizeof(FrameName), .stack = stack};
}

// One row with the frame it owns.
struct NamedRow {
  FrameName name = {};
  TimeStep time_step = {};
  int action = 0;
  RowValues values = {};
  float log_probability = ReplayRow().log_probability;
  int game = 0;

  ReplayRow row() const {
    return {.frame = std::as_bytes(std::span(&name, 1)),
            .time_step = time_step,
            .action = action,
            .values = values,
            .game = game,
            .log_probability = log_probability};
  }
};

// A transition with its frames by name; a zero name is a frame before the episode's first.
struct Transition {
  std::vector<FrameName> s_tm1;
  int a_tm1 = 0;
  int a_t = 0;
  double r_t = 0;
  double discount_t = 0;
  std::vector<FrameName> s_t;
};

// Episodes of random lengths for several streams: some of two rows, some longer than the ring;
// terminal or cut off; rewards from -2 to 2.
class RandomEpisodes {
 public:
  RandomEpisodes(int streams, std::uint64_t seed)
      : random_(seed), next_(static_cast<std::size_t>(streams)) {}

  // The next row of a random stream.
  NamedRow Next() {
    const auto stream = random_.Below(next_.size());
    Progress& at = next_[stream];
    NamedRow row{.name = {static_cast<std::int32_t>(stream), ++at.number}};
    row.action = random_.Integer(0, 6);
    if (at.left == 0) {
      at.left = random_.Integer(0, 8) == 0 ? random_.Integer(30, 60) : random_.Integer(1, 12);
      row.time_step = {.step_type = StepType::kFirst, .reward = 0, .discount = 1};
      return row;
    }
    --at.left;
    row.time_step.step_type = at.left == 0 ? StepType::kLast : StepType::kMid;
    row.time_step.reward = static_cast<float>(4 * random_.Uniform() - 2);
    row.time_step.discount = at.left == 0 && random_.Integer(0, 2) == 0 ? 0 : 1;
    return row;
  }

 private:
  struct Progress {
    std::int32_t number = 0;
    int left = 0;  // steps of the present episode
  };

  RandomStream random_;
  std::vector<Progress> next_;
};

// Frames as games have them: a picture of noise, which compresses badly alone, with something that
// moves.
class Pictures {
 public:
  static constexpr std::size_t kBytes = 800;

  explicit Pictures(std::uint64_t seed) : random_(seed), picture_(kBytes) {
    for (std::byte& value : picture_) value = static_cast<std::byte>(random_.Integer(0, 256));
  }

  static ObservationSpec Spec(int stack) {
    return {.channels = 1, .height = 20, .width = 40, .stack = stack};
  }

  std::vector<std::byte> Next() {
    std::vector<std::byte> frame = picture_;
    for (int spot = random_.Integer(1, 4); spot > 0; --spot) {
      frame[random_.Below(kBytes)] = static_cast<std::byte>(random_.Integer(0, 256));
    }
    return frame;
  }

 private:
  RandomStream random_;
  std::vector<std::byte> picture_;
};

// Every row ever inserted, and which transitions may be drawn from them by the definition.
class ReplayModel {
 public:
  ReplayModel(const LocalReplayOptions& options, int stack, int streams)
      : transition_(options.transition),
        stack_(stack),
        rows_per_stream_(options.capacity / streams),
        streams_(static_cast<std::size_t>(streams)) {}

  void Insert(const NamedRow& row) {
    streams_[static_cast<std::size_t>(row.name.stream)].push_back(row);
  }

  // By the name of the frame they start at.
  std::map<FrameName, Transition> Transitions() const {
    std::map<FrameName, Transition> transitions;
    for (const Rows& rows : streams_) {
      const auto count = static_cast<std::int64_t>(rows.size());
      for (std::int64_t i = std::max<std::int64_t>(0, count - rows_per_stream_); i < count; ++i) {
        if (const auto transition = At(rows, i)) transitions[Row(rows, i).name] = *transition;
      }
    }
    return transitions;
  }

 private:
  using Rows = std::vector<NamedRow>;

  static const NamedRow& Row(const Rows& rows, std::int64_t i) {
    return rows[static_cast<std::size_t>(i)];
  }

  // The index of the first or last row of the episode that row `i` belongs to.
  static std::int64_t EpisodeBegin(const Rows& rows, std::int64_t i) {
    while (Row(rows, i).time_step.step_type != StepType::kFirst) --i;
    return i;
  }
  static std::optional<std::int64_t> EpisodeEnd(const Rows& rows, std::int64_t i) {
    for (; i < static_cast<std::int64_t>(rows.size()); ++i) {
      if (Row(rows, i).time_step.last()) return i;
    }
    return std::nullopt;
  }

  std::vector<FrameName> Stack(const Rows& rows, std::int64_t i) const {
    std::vector<FrameName> stack(static_cast<std::size_t>(stack_));
    const std::int64_t begin = EpisodeBegin(rows, i);
    for (std::int64_t back = 0; back < stack_ && i - back >= begin; ++back) {
      stack[static_cast<std::size_t>(stack_ - 1 - back)] = Row(rows, i - back).name;
    }
    return stack;
  }

  std::optional<Transition> At(const Rows& rows, std::int64_t start) const {
    const auto count = static_cast<std::int64_t>(rows.size());
    const std::int64_t oldest_alive = count - rows_per_stream_;
    const std::int64_t oldest_frame = std::max(EpisodeBegin(rows, start), start - stack_ + 1);
    const std::optional<std::int64_t> episode_end = EpisodeEnd(rows, start);
    std::int64_t end = start + transition_.n_step;
    if (episode_end.has_value()) end = std::min(end, *episode_end);
    if (oldest_frame < oldest_alive || end == start || end >= count) return std::nullopt;

    Transition transition;
    transition.s_tm1 = Stack(rows, start);
    transition.a_tm1 = Row(rows, start).action;
    transition.a_t = Row(rows, end).time_step.last() ? kNoAction : Row(rows, end).action;
    transition.s_t = Stack(rows, end);
    for (std::int64_t t = end; t > start; --t) {  // the return, backwards
      double reward = Row(rows, t).time_step.reward;
      const double clip = transition_.reward_clip;
      if (clip > 0) reward = std::min(std::max(reward, -clip), clip);
      transition.r_t = reward + transition_.discount * transition.r_t;
    }
    const bool terminal = Row(rows, end).time_step.discount == 0;
    transition.discount_t =
        terminal ? 0 : std::pow(transition_.discount, static_cast<double>(end - start));
    return transition;
  }

  const TransitionOptions transition_;
  const int stack_;
  const std::int64_t rows_per_stream_;
  std::vector<Rows> streams_;
};

// Transition `i` of a batch.
inline Transition FromBatch(const TransitionBatch& batch, std::size_t i, int stack) {
  Transition transition;
  transition.s_tm1.resize(static_cast<std::size_t>(stack));
  transition.s_t.resize(static_cast<std::size_t>(stack));
  const std::size_t bytes = transition.s_tm1.size() * sizeof(FrameName);
  std::memcpy(transition.s_tm1.data(), &batch.s_tm1[i * bytes], bytes);
  std::memcpy(transition.s_t.data(), &batch.s_t[i * bytes], bytes);
  transition.a_tm1 = batch.a_tm1[i];
  transition.a_t = batch.a_t[i];
  transition.r_t = static_cast<double>(batch.r_t[i]);
  transition.discount_t = static_cast<double>(batch.discount_t[i]);
  return transition;
}

}  // namespace gorila::testing_replay

#endif  // GORILA_REPLAY_TESTING_H_
