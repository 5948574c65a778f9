#include "gorila/benchmark/measurement.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/status.h"
#include "gorila/base/thread.h"

namespace gorila {
namespace {

constexpr int kSlices = 10;

// Calls needed for a slice of `seconds`, at least one.
long CallsFor(double seconds, const BenchmarkClock& clock, const TimedWork& work) {
  work.call();
  long calls = 1;
  while (true) {
    const double start = clock();
    for (long i = 0; i < calls; ++i) work.call();
    const double spent = clock() - start;
    if (spent >= seconds / 4) {
      return std::max(1L, std::lround(static_cast<double>(calls) * seconds / spent));
    }
    calls *= 2;
  }
}

double RateOf(long calls, const BenchmarkClock& clock, const TimedWork& work) {
  const double start = clock();
  for (long i = 0; i < calls; ++i) work.call();
  return static_cast<double>(calls) * work.amount / std::max(clock() - start, 1e-9);
}

}  // namespace

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double ThreadSeconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double Percentile(std::vector<double> values, double fraction) {
  GORILA_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  const double place = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double part = place - static_cast<double>(below);
  return values[below] + part * (values[above] - values[below]);
}

BenchmarkResult Measure(BenchmarkResult result, double seconds, const BenchmarkClock& clock,
                        const TimedWork& work, const TimedWork* limit) {
  const double slice = seconds / kSlices;
  const long calls = CallsFor(slice, clock, work);
  const long limit_calls = limit != nullptr ? CallsFor(slice, clock, *limit) : 0;
  std::vector<double> rates;
  std::vector<double> limits;
  std::vector<double> ratios;
  for (int i = 0; i < kSlices; ++i) {
    rates.push_back(RateOf(calls, clock, work));
    if (limit == nullptr) continue;
    limits.push_back(RateOf(limit_calls, clock, *limit));
    ratios.push_back(rates.back() / limits.back());
  }
  result.value = Percentile(rates, 0.5);
  result.spread = (Percentile(rates, 0.9) - Percentile(rates, 0.1)) / result.value;
  if (limit != nullptr) {
    result.limit = Percentile(limits, 0.5);
    result.ratio = Percentile(ratios, 0.5);
  }
  return result;
}

TimedWork InThreads(std::vector<std::function<void()>> works, long calls, double amount) {
  const double total = amount * static_cast<double>(calls) * static_cast<double>(works.size());
  const auto run = [works = std::move(works), calls] {
    std::vector<Thread> threads;
    for (const std::function<void()>& work : works) {
      threads.push_back(StartThreadOrEnd("benchmark", [&work, calls] {
        FlushDenormalsInThisThread();
        for (long i = 0; i < calls; ++i) work();
      }));
    }
    for (Thread& thread : threads) thread.join();
  };
  return {.call = run, .amount = total};
}

long CallsInATenth(const std::function<void()>& work) {
  work();
  const double start = WallSeconds();
  work();
  return std::max(1L, static_cast<long>(0.1 / std::max(WallSeconds() - start, 1e-6)));
}

}  // namespace gorila
