#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gorila/benchmark/limits.h"
#include "gorila/benchmark/rows.h"
#include "gorila/benchmark/workload.h"

namespace gorila {
namespace {

constexpr std::int64_t kRows = 20000;  // 141 MB of 84 x 84 frames: beyond any cache

// Of the pixel games, the one whose frames compress worst.
constexpr std::string_view kReplayGame = "pixel/space_invaders";
constexpr std::int64_t kGameRows = 8000;
constexpr double kGibibyte = 1024.0 * 1024 * 1024;

BenchmarkResult MeasureSampling(std::string name, LocalReplay& replay, std::size_t stacked_bytes,
                                const BenchmarkOptions& options) {
  TransitionBatch batch;
  const auto sample = [&] {
    const Status status = replay.Sample(kBenchmarkBatch, batch);
    GORILA_CHECK(status.ok(), "{}", status.ToString());
  };
  CopyLimit copy(2 * kBenchmarkBatch * stacked_bytes);
  const TimedWork limit{.call = [&] { copy.Call(); }, .amount = kBenchmarkBatch};
  return Measure({.name = std::move(name), .unit = "transitions/s", .limit_name = "memcpy"},
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

// How many frames of the game a GiB holds, all that belongs to a row included; and sampling them.
Status MeasureReplay(std::string_view name, FrameCompression compression,
                     const BenchmarkOptions& options, std::vector<BenchmarkResult>& results) {
  GORILA_ASSIGN_OR_RETURN(const auto replay,
                          MakeGameReplay(kReplayGame, kGameRows, {.compression = compression}));
  const ObservationSpec observation = PublishedEnvironment("nature_dqn").observation;
  const auto bookkeeping = static_cast<std::int64_t>(compression == FrameCompression::kNone
                                                         ? StreamStore::BytesPerRow(observation) -
                                                               observation.frame_bytes()
                                                         : StreamStore::PackedBytesPerRow());
  const ReplaySize size = replay->Size();
  GORILA_CHECK(size.rows == kGameRows, "{} rows", size.rows);
  const double row_bytes =
      static_cast<double>(replay->FrameBytes()) / kGameRows + static_cast<double>(bookkeeping);
  results.push_back({.name = fmt::format("replay/held/{}", name),
                     .value = kGibibyte / row_bytes,
                     .unit = "frames/GiB"});
  results.push_back(MeasureSampling(fmt::format("replay/sample/{}", name), *replay,
                                    observation.stacked_bytes(), options));
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> RunReplayBenchmark(const BenchmarkOptions& options) {
  const ObservationSpec observation = PublishedEnvironment("nature_dqn").observation;
  std::vector<BenchmarkResult> results;
  {
    GORILA_ASSIGN_OR_RETURN(const auto replay, MakeFullReplay(observation, kRows));
    results.push_back(
        MeasureSampling("replay/sample/84x84x4", *replay, observation.stacked_bytes(), options));
    results.push_back(MeasureInserting(*replay, observation.frame_bytes(), options));
  }
  GORILA_RETURN_IF_ERROR(MeasureReplay("pixel/none", FrameCompression::kNone, options, results));
  GORILA_RETURN_IF_ERROR(MeasureReplay("pixel/zstd", FrameCompression::kZstd, options, results));
  return results;
}

}  // namespace gorila
