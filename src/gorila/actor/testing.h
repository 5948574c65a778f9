// For tests of the actor: an environment, a network, a store and a replay of which everything is
// known.
#ifndef GORILA_ACTOR_TESTING_H_
#define GORILA_ACTOR_TESTING_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gorila/env/environment.h"
#include "gorila/network/q_network.h"
#include "gorila/parameter_server/parameter_store.h"
#include "gorila/replay/replay.h"

namespace gorila::testing_actor {

inline constexpr int kStack = 2;
inline constexpr int kActions = 3;

// The frame says which episode (from 1) and which step of it (from 0).
inline ObservationSpec Frames() { return {.width = 2, .stack = kStack}; }

// Episodes of the given lengths, again and again; every second one is cut off instead of terminal.
// The reward is 10 * step + action.
class ScriptedEnvironment final : public Environment {
 public:
  // `game`: of so many that share the network.
  explicit ScriptedEnvironment(std::vector<int> lengths, int game = 0, int games = 1)
      : lengths_(std::move(lengths)) {
    spec_.game = game;
    if (games > 1) spec_.game_actions.assign(static_cast<std::size_t>(games), {1, 1, 1});
    spec_.observation = Frames();
    spec_.action_names = {"a", "b", "c"};
  }

  const EnvironmentSpec& spec() const override { return spec_; }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override {
    ++at_.episode;
    at_.step = 0;
    Observe(observation);
    return TimeStep{};
  }
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override {
    ++at_.step;
    Observe(observation);
    const int length = lengths_[static_cast<std::size_t>(at_.episode - 1) % lengths_.size()];
    TimeStep step{.step_type = StepType::kMid,
                  .reward = static_cast<float>(10 * at_.step + action),
                  .discount = 1};
    if (at_.step == length) {
      step.step_type = StepType::kLast;
      step.discount = at_.episode % 2 == 0 ? 1 : 0;
    }
    return step;
  }
  Status Render(RgbImage&) override { return OkStatus(); }
  void SaveState(StateWriter& writer) const override { writer.Write(at_); }
  Status RestoreState(StateReader& reader) override { return reader.Read(at_); }

 private:
  struct Position {
    std::int32_t episode = 0;
    std::int32_t step = 0;
  };

  void Observe(std::span<std::byte> observation) const {
    observation[0] = static_cast<std::byte>(at_.episode);
    observation[1] = static_cast<std::byte>(at_.step);
  }

  const std::vector<int> lengths_;
  EnvironmentSpec spec_;
  Position at_;
};

// The action that ScriptedNetwork values most.
inline int BestAction(int episode, int step) { return (episode + 2 * step) % kActions; }

// Values BestAction() of the newest frame at -1 and the others lower.
class ScriptedNetwork final : public QNetwork {
 public:
  ScriptedNetwork() : layout_(MakeParameterLayout(spec_)) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }
  void SetParameters(std::span<const float>) override {}
  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    batches_.push_back(batch);
    observations_.assign(observations.begin(), observations.end());
    std::fill(q.begin(), q.end(), -5.0F);
    for (int i = 0; i < batch; ++i) {
      const auto newest = observations.subspan(static_cast<std::size_t>(i * 2 * kStack + 2), 2);
      const int best = BestAction(static_cast<int>(newest[0]), static_cast<int>(newest[1]));
      q[static_cast<std::size_t>(i * kActions + best)] = -1;
    }
  }
  void Forward(std::span<const std::byte>, int, std::span<float>) override {}
  void Backward(std::span<const float>, std::span<float>) override {}

  // The batch of each Predict, and what the last one was given.
  const std::vector<int>& batches() const { return batches_; }
  const std::vector<std::byte>& observations() const { return observations_; }

 private:
  const NetworkSpec spec_{
      .input = Frames(), .convolutions = {}, .hidden = {}, .num_actions = kActions};
  const ParameterLayout layout_;
  std::vector<int> batches_;
  std::vector<std::byte> observations_;
};

// Counts pulls; every one brings something new.
class CountingStore final : public ParameterStore {
 public:
  std::size_t size() const override { return ScriptedNetwork().layout().size; }
  int num_shards() const override { return 1; }
  StatusOr<bool> Pull(std::span<float>, ShardVersions& versions) override {
    if (!failure.ok()) return failure;
    versions[0] = ++pulls;
    return true;
  }
  StatusOr<bool> PullTarget(std::span<float>, ShardVersions&) override { return false; }
  StatusOr<PushOutcome> Push(std::span<const float>, const ShardVersions&) override {
    return PushOutcome{};
  }
  std::int64_t UpdateCount() const override { return 0; }

  int pulls = 0;
  Status failure;  // what Pull returns
};

// One row as it was inserted.
struct InsertedRow {
  int episode = 0;
  int step = 0;
  StepType step_type = StepType::kFirst;
  float reward = 0;
  float discount = 1;
  int action = 0;

  bool operator==(const InsertedRow&) const = default;
};

class RecordingReplay final : public Replay {
 public:
  explicit RecordingReplay(std::size_t streams) : rows(streams) {}

  Status Insert(int stream, const ReplayRow& row) override {
    if (!failure.ok()) return failure;
    order.push_back(stream);
    rows[static_cast<std::size_t>(stream)].push_back({.episode = static_cast<int>(row.frame[0]),
                                                      .step = static_cast<int>(row.frame[1]),
                                                      .step_type = row.time_step.step_type,
                                                      .reward = row.time_step.reward,
                                                      .discount = row.time_step.discount,
                                                      .action = row.action});
    games.push_back(row.game);
    values.push_back(row.values);
    log_probabilities.push_back(row.log_probability);
    return OkStatus();
  }
  bool CanSample() const override { return false; }
  Status Sample(int, TransitionBatch&) override { return absl::FailedPreconditionError("empty"); }
  Status UpdatePriorities(const TransitionBatch&, std::span<const float>) override {
    return OkStatus();
  }
  ReplaySize Size() const override { return {}; }

  std::vector<std::vector<InsertedRow>> rows;  // of each stream
  std::vector<int> games;                      // of every row, in the order of the inserts
  std::vector<RowValues> values;               // of every row, in the order of the inserts
  std::vector<float> log_probabilities;        // the same
  std::vector<int> order;                      // the streams in the order of the inserts
  Status failure;                              // what Insert returns
};

}  // namespace gorila::testing_actor

#endif  // GORILA_ACTOR_TESTING_H_
