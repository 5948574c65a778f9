// Network computations in the shapes of acting and learning, on one thread. Each reports its rate
// (GFLOP/s), the rate of a large SGEMM measured beside it, and the ratio of the two.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "gorila/base/denormals.h"
#include "gorila/base/random.h"
#include "gorila/network/gemm/sgemm.h"
#include "gorila/network/network_shape.h"
#include "gorila/network/q_network.h"
#include "gorila/network/single_thread.h"

namespace gorila {
namespace {

// Seconds that the calling thread has computed: a machine shared with others does not count.
double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// The best of a few: the machine's rate, not what else it was doing. FLOP/s.
double SgemmRate() {
  constexpr std::size_t kSide = 1024;
  constexpr int kRepeats = 5;
  const SingleThreadScope single_thread;
  const std::vector<float> a(kSide * kSide, 0.5F);
  const std::vector<float> b = a;
  std::vector<float> c(kSide * kSide);
  double best = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const double start = ThreadSeconds();
    Sgemm(Transpose::kNo, Transpose::kNo, kSide, kSide, kSide, {a.data(), kSide}, {b.data(), kSide},
          {c.data(), kSide});
    const double seconds = ThreadSeconds() - start;
    best = std::max(best, 2.0 * kSide * kSide * kSide / seconds);
  }
  return best;
}

NetworkSpec SpecOf(std::string_view preset) {
  EnvironmentSpec environment = {.name = "breakout",
                                 .observation = {.channels = 4, .height = 10, .width = 10},
                                 .action_names = std::vector<std::string>(6)};
  if (preset == "nature_dqn") {
    environment.observation = {.height = 84, .width = 84, .scale = 1 / 255.0F, .stack = 4};
    environment.action_names.resize(18);
  }
  return MakeNetworkSpec(preset, environment).value();
}

// Online and target network with everything they read and write.
struct Workload {
  Workload(std::string_view backend, std::string_view preset, int batch_size)
      : spec(SpecOf(preset)), batch(batch_size) {
    FlushDenormalsInThisThread();
    online = MakeQNetwork(backend, spec, batch).value();
    target = MakeQNetwork(backend, spec, batch).value();
    RandomStream random(1);
    parameters = InitialParameters(online->layout(), random);
    target_parameters = InitialParameters(online->layout(), random);
    observations.resize(spec.input.stacked_bytes() * static_cast<std::size_t>(batch));
    const int levels = preset == "nature_dqn" ? 256 : 2;
    for (std::byte& value : observations) value = static_cast<std::byte>(random.Integer(0, levels));
    q.resize(static_cast<std::size_t>(batch * spec.num_actions));
    dq.assign(q.size(), 0.01F);
    gradient.resize(parameters.size());
    online->SetParameters(parameters);
    target->SetParameters(target_parameters);
  }

  NetworkSpec spec;
  int batch;
  std::unique_ptr<QNetwork> online;
  std::unique_ptr<QNetwork> target;
  std::vector<float> parameters;
  std::vector<float> target_parameters;
  std::vector<std::byte> observations;
  std::vector<float> q;
  std::vector<float> dq;
  std::vector<float> gradient;
};

// Times `work` itself too: the rates that the library reports cannot be divided by another.
template <typename Work>
void Measure(benchmark::State& state, double flops, const Work& work) {
  const double sgemm = SgemmRate();
  const double start = ThreadSeconds();
  for (auto _ : state) work();
  const double seconds = ThreadSeconds() - start;
  const double rate = flops * static_cast<double>(state.iterations()) / seconds;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["SGEMM_GFLOP/s"] = sgemm * 1e-9;
  state.counters["of_SGEMM"] = rate / sgemm;
}

// Acting: q-values of one batch.
void Predict(benchmark::State& state, const char* backend, const char* preset) {
  Workload work(backend, preset, static_cast<int>(state.range(0)));
  Measure(state, MakeNetworkShape(work.spec).forward_flops() * work.batch,
          [&] { work.online->Predict(work.observations, work.batch, work.q); });
}

// One DQN update: parameters arrive, the target network values the next states, and the online
// network its own; double DQN asks the online network about the next states too.
void LearnerStep(benchmark::State& state, const char* backend, const char* preset,
                 bool double_dqn) {
  Workload work(backend, preset, static_cast<int>(state.range(0)));
  const NetworkShape shape = MakeNetworkShape(work.spec);
  const double flops = (double_dqn ? 3 : 2) * shape.forward_flops() + shape.backward_flops();
  Measure(state, flops * work.batch, [&] {
    work.online->SetParameters(work.parameters);
    work.target->Predict(work.observations, work.batch, work.q);
    if (double_dqn) work.online->Predict(work.observations, work.batch, work.q);
    work.online->Forward(work.observations, work.batch, work.q);
    work.online->Backward(work.dq, work.gradient);
  });
}

void RegisterAll() {
  for (const QNetworkBackend& backend : QNetworkBackends()) {
    if (backend.name == "reference") continue;  // not made to be fast
    for (const char* preset : {"minatar_dqn", "nature_dqn"}) {
      const char* name = backend.name.data();
      const auto label = [&](const char* what) {
        return fmt::format("{}/{}/{}", what, preset, name);
      };
      benchmark::RegisterBenchmark(label("Predict").c_str(), Predict, name, preset)
          ->Arg(1)
          ->Arg(8)
          ->Arg(32)
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark(label("DqnStep").c_str(), LearnerStep, name, preset, false)
          ->Arg(32)
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark(label("DoubleDqnStep").c_str(), LearnerStep, name, preset, true)
          ->Arg(32)
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace
}  // namespace gorila

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  gorila::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
