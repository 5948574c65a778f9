#include <chrono>
#include <limits>
#include <memory>
#include <thread>

#include "gorila/base/energy.h"
#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/runtime/cluster.h"
#include "gorila/runtime/presets.h"

namespace gorila {
namespace {

constexpr auto kMostToStart = std::chrono::seconds(60);

struct Rates {
  double updates = 0;  // a second
  double frames = 0;
  double joules = 0;  // an update; 0 where the machine does not say
  std::size_t parameters = 0;
};

// The default preset, learning from the first frames on and without end.
StatusOr<Config> ScalingConfig(int bundles) {
  GORILA_ASSIGN_OR_RETURN(Config config, LoadPreset(kDefaultPreset));
  config.run.frames = std::numeric_limits<std::int64_t>::max();
  config.run.bundles = bundles;
  config.replay.options.capacity = 50000;
  config.replay.options.rate.min_size = 1000;
  config.actor.options.exploration.epsilon_ticks = 0;
  config.parameter_server.options.optimizer.learning_rate_end = -1;
  return config;
}

// Blocks until every bundle has sent gradients.
Status WaitForLearning(Cluster& cluster) {
  const auto deadline = std::chrono::steady_clock::now() + kMostToStart;
  const std::int64_t enough = 100 * static_cast<std::int64_t>(cluster.bundles().size());
  while (cluster.store().UpdateCount() < enough) {
    GORILA_RETURN_IF_ERROR(cluster.failure());
    if (std::chrono::steady_clock::now() > deadline) {
      return Unavailable("the bundles made {} of {} updates within a minute",
                         cluster.store().UpdateCount(), enough);
    }
    if (cluster.Wait(std::chrono::steady_clock::now() + std::chrono::milliseconds(50))) break;
  }
  return cluster.failure();
}

StatusOr<Rates> RunBundles(int bundles, double seconds) {
  GORILA_ASSIGN_OR_RETURN(const Config config, ScalingConfig(bundles));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Make(config));
  cluster->Start();
  GORILA_RETURN_IF_ERROR(WaitForLearning(*cluster));
  EnergyMeter energy = EnergyMeter::Open();
  const double start = WallSeconds();
  const double joules_before = energy.Joules();
  const std::int64_t updates = cluster->store().UpdateCount();
  const std::int64_t frames = cluster->clock().frames();
  cluster->Wait(std::chrono::steady_clock::now() +
                std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                    std::chrono::duration<double>(seconds)));
  const double spent = WallSeconds() - start;
  const auto done = static_cast<double>(cluster->store().UpdateCount() - updates);
  Rates rates{.updates = done / spent,
              .frames = static_cast<double>(cluster->clock().frames() - frames) / spent,
              .joules = (energy.Joules() - joules_before) / done,
              .parameters = cluster->store().size()};
  cluster->Stop();
  GORILA_RETURN_IF_ERROR(cluster->failure());
  return rates;
}

}  // namespace

// 1, 2, 4, ... bundles of the default preset; the limit is the rate of one, times their number.
StatusOr<std::vector<BenchmarkResult>> RunScalingBenchmark(const BenchmarkOptions& options) {
  std::vector<BenchmarkResult> results;
  double alone = 0;
  for (int bundles = 1; bundles <= options.cores; bundles *= 2) {
    GORILA_ASSIGN_OR_RETURN(const Rates rates, RunBundles(bundles, 3 * options.seconds));
    if (bundles == 1) alone = rates.updates;
    const std::string name = fmt::format("scaling/{}", bundles);
    const double limit = alone * bundles;
    results.push_back({.name = name + "/updates",
                       .value = rates.updates,
                       .unit = "updates/s",
                       .limit = limit,
                       .limit_name = "one bundle x n",
                       .ratio = rates.updates / limit});
    results.push_back({.name = name + "/frames", .value = rates.frames, .unit = "frames/s"});
    // Within a process these are copies: the gradient there, the parameters back.
    results.push_back({.name = name + "/bytes",
                       .value = 2.0 * sizeof(float) * static_cast<double>(rates.parameters),
                       .unit = "bytes/update"});
    if (rates.joules > 0) {
      results.push_back({.name = name + "/energy", .value = rates.joules, .unit = "J/update"});
    }
  }
  return results;
}

}  // namespace gorila
