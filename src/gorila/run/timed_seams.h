// The replay and parameter-server seams with a clock around them, so that actor and learner need
// not know that they are timed.
#ifndef GORILA_RUN_TIMED_SEAMS_H_
#define GORILA_RUN_TIMED_SEAMS_H_

#include <cstdint>
#include <span>

#include "gorila/metrics/work_clock.h"
#include "gorila/parameter_server/parameter_store.h"
#include "gorila/replay/replay.h"

namespace gorila {

// For the one thread of `clock`; both must outlive it.
class TimedReplay final : public Replay {
 public:
  TimedReplay(Replay& replay, WorkClock& clock) : replay_(replay), clock_(clock) {}

  Status Insert(int stream, const ReplayRow& row) override {
    const WorkScope scope(clock_, Work::kReplay);
    return replay_.Insert(stream, row);
  }
  bool CanSample() const override { return replay_.CanSample(); }
  Status Sample(int size, TransitionBatch& batch) override {
    const WorkScope scope(clock_, Work::kReplay);
    return replay_.Sample(size, batch);
  }
  Status UpdatePriorities(const TransitionBatch& sampled,
                          std::span<const float> td_errors) override {
    const WorkScope scope(clock_, Work::kReplay);
    return replay_.UpdatePriorities(sampled, td_errors);
  }
  ReplaySize Size() const override { return replay_.Size(); }

 private:
  Replay& replay_;
  WorkClock& clock_;
};

// For one thread too, so not thread-safe as other stores are.
class TimedParameterStore final : public ParameterStore {
 public:
  TimedParameterStore(ParameterStore& store, WorkClock& clock) : store_(store), clock_(clock) {}

  std::size_t size() const override { return store_.size(); }
  int num_shards() const override { return store_.num_shards(); }
  StatusOr<bool> Pull(std::span<float> values, ShardVersions& versions) override {
    const WorkScope scope(clock_, Work::kParameterServer);
    return store_.Pull(values, versions);
  }
  StatusOr<bool> PullTarget(std::span<float> values, ShardVersions& versions) override {
    const WorkScope scope(clock_, Work::kParameterServer);
    return store_.PullTarget(values, versions);
  }
  bool Lends(ParameterSet set) const override { return store_.Lends(set); }
  StatusOr<bool> Borrow(ParameterSet set, Newness newness, SharedParameters& values,
                        ShardVersions& versions) override {
    const WorkScope scope(clock_, Work::kParameterServer);
    return store_.Borrow(set, newness, values, versions);
  }
  std::span<float> LendGradient() override { return store_.LendGradient(); }
  StatusOr<PushOutcome> Push(std::span<const float> gradient,
                             const ShardVersions& versions) override {
    const WorkScope scope(clock_, Work::kParameterServer);
    return store_.Push(gradient, versions);
  }
  void AddUpElsewhere(int summed, bool last) override { store_.AddUpElsewhere(summed, last); }
  std::vector<float> WholeSum(std::span<const float> own, int summed) override {
    return store_.WholeSum(own, summed);
  }
  Status RestoreWholeSum(std::span<const float> whole, int summed, std::span<float> own) override {
    return store_.RestoreWholeSum(whole, summed, own);
  }
  StatusOr<PushOutcome> PushFinite(std::span<const float> gradient,
                                   const ShardVersions& versions) override {
    const WorkScope scope(clock_, Work::kParameterServer);
    return store_.PushFinite(gradient, versions);
  }
  std::int64_t UpdateCount() const override { return store_.UpdateCount(); }

 private:
  ParameterStore& store_;
  WorkClock& clock_;
};

}  // namespace gorila

#endif  // GORILA_RUN_TIMED_SEAMS_H_
