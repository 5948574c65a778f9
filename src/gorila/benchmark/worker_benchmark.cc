// What hosting an environment in a worker process adds to its steps.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/env/registry.h"
#include "gorila/env/worker/worker_setup.h"

namespace gorila {
namespace {

// Of python/worker/gorila_benchmark_env.py.
constexpr const char* kName = "python:gorila_benchmark_env:make";
constexpr const char* kFile = "share/gorila/gorila_benchmark_env.py";
constexpr int kStepDirectly = 2;  // the action that steps in Python
constexpr double kDirectSteps = 992;

// So many of them in one worker.
class Poles {
 public:
  static StatusOr<std::unique_ptr<Poles>> Make(int count, const EnvironmentOptions& options) {
    EnvironmentOptions chosen = options;
    chosen.external.per_worker = count;
    GORILA_ASSIGN_OR_RETURN(const auto factory, MakeEnvironmentFactory(kName, chosen));
    auto poles = std::make_unique<Poles>();
    for (int i = 0; i < count; ++i) {
      const auto seed = static_cast<std::uint64_t>(i);
      GORILA_ASSIGN_OR_RETURN(auto pole, factory->Make(MakeRandomDraws(RandomStream(seed))));
      GORILA_RETURN_IF_ERROR(pole->Reset(poles->frame_).status());
      poles->poles_.push_back(std::move(pole));
    }
    return poles;
  }

  // One step of each, in a round trip.
  void Step() {
    for (std::size_t i = 0; i < poles_.size(); ++i) {
      actions_[i] = random_.Integer(0, kStepDirectly);
      poles_[i]->Submit(actions_[i]);
    }
    for (std::size_t i = 0; i < poles_.size(); ++i) Finish(i, actions_[i]);
  }

  // kDirectSteps of them together, in a loop of their interpreter.
  void StepDirectly() { Finish(0, kStepDirectly); }

  const Status& status() const { return status_; }  // the first error

 private:
  static constexpr std::size_t kMost = 32;

  void Finish(std::size_t pole, int action) {
    StatusOr<TimeStep> step = poles_[pole]->Step(action, frame_);
    if (step.ok() && step->last()) step = poles_[pole]->Reset(frame_);
    if (!step.ok()) status_.Update(step.status());
  }

  std::vector<std::unique_ptr<Environment>> poles_;
  std::array<int, kMost> actions_{};
  std::array<std::byte, 4 * sizeof(float)> frame_{};
  RandomStream random_{1};
  Status status_;
};

// With an interpreter that has numpy: the user's, else the distribution's.
StatusOr<EnvironmentOptions> FindPython() {
  GORILA_ASSIGN_OR_RETURN(const auto file, FindInstalledFile(kFile));
  EnvironmentOptions options;
  options.external.python_path = file.parent_path().string();
  const Status usual = DescribeEnvironment(kName, options).status();
  if (usual.ok()) return options;
  options.external.python = "/usr/bin/python3";
  if (DescribeEnvironment(kName, options).ok()) return options;
  return usual;
}

StatusOr<BenchmarkResult> MeasureWorker(int count, const EnvironmentOptions& environment,
                                        const BenchmarkOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const auto poles, Poles::Make(count, environment));
  const TimedWork direct{.call = [&] { poles->StepDirectly(); }, .amount = kDirectSteps};
  BenchmarkResult result = Measure(
      {.name = fmt::format("env/worker/{}", count), .unit = "steps/s"}, options.seconds,
      WallSeconds, {.call = [&] { poles->Step(); }, .amount = static_cast<double>(count)}, &direct);
  GORILA_RETURN_IF_ERROR(poles->status());
  const double added = result.ratio.has_value() ? (1 / *result.ratio - 1) / *result.limit : 0;
  result.limit_name = fmt::format("a loop in Python; {:+.2f} us a step", 1e6 * added);
  return result;
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> MeasureWorkers(const BenchmarkOptions& options) {
  const StatusOr<EnvironmentOptions> environment = FindPython();
  if (!environment.ok()) {
    fmt::print(stderr, "env/worker is left out: {}\n", std::string(environment.status().message()));
    return std::vector<BenchmarkResult>();
  }
  std::vector<BenchmarkResult> results;
  for (const int count : {1, 8, 32}) {
    GORILA_ASSIGN_OR_RETURN(BenchmarkResult result, MeasureWorker(count, *environment, options));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace gorila
