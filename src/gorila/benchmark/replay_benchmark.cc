#include <memory>
#include <vector>

#include "gorila/benchmark/limits.h"
#include "gorila/benchmark/rows.h"
#include "gorila/benchmark/workload.h"

namespace gorila {
namespace {

constexpr std::int64_t kRows = 20000;  // 141 MB of 84 x 84 frames: beyond any cache

BenchmarkResult MeasureSampling(LocalReplay& replay, std::size_t stacked_bytes,
                                const BenchmarkOptions& options) {
  TransitionBatch batch;
  const auto sample = [&] {
    const Status status = replay.Sample(kBenchmarkBatch, batch);
    GORILA_CHECK(status.ok(), "{}", status.ToString());
  };
  CopyLimit copy(2 * kBenchmarkBatch * stacked_bytes);
  const TimedWork limit{.call = [&] { copy.Call(); }, .amount = kBenchmarkBatch};
  return Measure({.name = "replay/sample/84x84x4", .unit = "transitions/s", .limit_name = "memcpy"},
                 options.seconds, ThreadSeconds, {.call = sample, .amount = kBenchmarkBatch},
                 &limit);
}

BenchmarkResult MeasureInserting(LocalReplay& replay, std::size_t frame_bytes,
                                 const BenchmarkOptions& options) {
  const std::vector<std::byte> frame(frame_bytes, std::byte{1});
  bool first = false;  // the full replay stands in mid-episode
  const auto insert = [&] {
    const TimeStep step{.step_type = first ? StepType::kFirst : StepType::kMid};
    first = false;
    const Status status = replay.Insert(0, {.frame = frame, .time_step = step, .action = 1});
    GORILA_CHECK(status.ok(), "{}", status.ToString());
  };
  // Into memory that is not in a cache, as frames are.
  CopyLimit copy(static_cast<std::size_t>(kRows) / 4 * frame_bytes);
  const TimedWork limit{.call = [&] { copy.Call(); }, .amount = static_cast<double>(kRows) / 4};
  return Measure({.name = "replay/insert/84x84", .unit = "frames/s", .limit_name = "memcpy"},
                 options.seconds, ThreadSeconds, {.call = insert}, &limit);
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> RunReplayBenchmark(const BenchmarkOptions& options) {
  const ObservationSpec observation = PublishedEnvironment("nature_dqn").observation;
  GORILA_ASSIGN_OR_RETURN(const auto replay, MakeFullReplay(observation, kRows));
  return std::vector{MeasureSampling(*replay, observation.stacked_bytes(), options),
                     MeasureInserting(*replay, observation.frame_bytes(), options)};
}

}  // namespace gorila
