#include <memory>
#include <vector>

#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

StatusOr<BenchmarkResult> MeasureGame(const EnvironmentRow& row, const BenchmarkOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const auto game,
                          MakeEnvironment(row.name, {}, MakeRandomDraws(RandomStream(1))));
  std::vector<std::byte> frame(game->spec().observation.frame_bytes());
  RandomStream random(2);
  bool over = true;
  const auto step = [&] {
    const TimeStep now = over ? game->Reset(frame)
                              : game->Step(random.Integer(0, game->spec().num_actions()), frame);
    over = now.last();
  };
  return Measure({.name = fmt::format("env/{}", row.name), .unit = "frames/s"}, options.seconds,
                 ThreadSeconds, {.call = step});
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> RunEnvironmentBenchmark(const BenchmarkOptions& options) {
  std::vector<BenchmarkResult> results;
  for (const EnvironmentRow& row : EnvironmentTable()) {
    GORILA_ASSIGN_OR_RETURN(BenchmarkResult result, MeasureGame(row, options));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace gorila
