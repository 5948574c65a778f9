#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/energy.h"
#include "gorila/benchmark/limits.h"
#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/config/presets.h"
#include "gorila/run/cluster.h"

namespace gorila {
namespace {

constexpr double kMostOvertime = 60;  // seconds

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

// Blocks for `seconds` at least, and until there were `updates` more.
Status WaitForUpdates(Cluster& cluster, std::int64_t updates, double seconds) {
  const double start = WallSeconds();
  const std::int64_t before = cluster.store().UpdateCount();
  while (true) {
    GORILA_RETURN_IF_ERROR(cluster.failure());
    const double spent = WallSeconds() - start;
    const std::int64_t done = cluster.store().UpdateCount() - before;
    if (done >= updates && spent >= seconds) return OkStatus();
    if (spent > seconds + kMostOvertime) {
      return Unavailable("the bundles made {} of {} updates in {:.0f} s", done, updates, spent);
    }
    const double wait = std::clamp(seconds - spent, 0.001, 0.05);
    cluster.Wait(std::chrono::steady_clock::now() +
                 std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                     std::chrono::duration<double>(wait)));
  }
}

StatusOr<Rates> RunBundles(int bundles, double seconds) {
  GORILA_ASSIGN_OR_RETURN(const Config config, ScalingConfig(bundles));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Cluster> cluster, Cluster::Make(config));
  cluster->Start();
  constexpr std::int64_t kEnough = 100;  // updates of each bundle, to be warm and to be measured
  GORILA_RETURN_IF_ERROR(WaitForUpdates(*cluster, kEnough * bundles, 0));
  EnergyMeter energy = EnergyMeter::Open();
  const double start = WallSeconds();
  const double joules_before = energy.Joules();
  const std::int64_t updates = cluster->store().UpdateCount();
  const std::int64_t frames = cluster->clock().frames();
  GORILA_RETURN_IF_ERROR(WaitForUpdates(*cluster, kEnough * bundles, seconds));
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

// What the cores themselves give: `threads` SGEMMs at once, in turns with one. Cores that share a
// unit, a cache or a clock do not give `threads` times one.
BenchmarkResult MeasureSgemms(const std::string& name, int threads, double seconds) {
  std::vector<std::unique_ptr<SgemmLimit>> sgemms;
  std::vector<std::function<void()>> works;
  for (int i = 0; i < threads; ++i) {
    sgemms.push_back(std::make_unique<SgemmLimit>());
    works.emplace_back([work = sgemms.back().get()] { work->Call(); });
  }
  const std::function<void()> first = works.front();
  const long calls = CallsInATenth(first);
  const double gigaflops = SgemmLimit::flops() * 1e-9;  // of a call
  const TimedWork one = InThreads({first}, calls, gigaflops * threads);
  return Measure({.name = name, .unit = "GFLOP/s", .limit_name = "one SGEMM x n"}, seconds,
                 WallSeconds, InThreads(std::move(works), calls, gigaflops), &one);
}

// 1, 2, 4, ... bundles of the default preset; the limit is the rate of one, times their number.
// SGEMM's own ratio to that limit says how much of a loss is the machine's.
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
    if (bundles > 1) {
      results.push_back(MeasureSgemms(name + "/sgemm", bundles, options.seconds));
    }
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
