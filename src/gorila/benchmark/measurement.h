// Rates of repeated work, measured in turns with the limit they are compared to.
#ifndef GORILA_BENCHMARK_MEASUREMENT_H_
#define GORILA_BENCHMARK_MEASUREMENT_H_

#include <functional>
#include <string>
#include <vector>

#include "gorila/benchmark/benchmark.h"

namespace gorila {

// What a clock says, in seconds from an arbitrary start.
using BenchmarkClock = std::function<double()>;
double WallSeconds();
// Seconds that the calling thread has computed: what others do on the machine hardly counts.
double ThreadSeconds();

// Work whose one call does `amount` of the unit that is measured.
struct TimedWork {
  std::function<void()> call;
  double amount = 1;  // above 0
};

// Measures `work` for about `seconds`, in ten slices; with `limit`, a slice of the one and a slice
// of the other in turns, so that a machine that changes its speed changes both. `result` has its
// name, unit and limit_name already. Calls both once before, to warm up.
BenchmarkResult Measure(BenchmarkResult result, double seconds, const BenchmarkClock& clock,
                        const TimedWork& work, const TimedWork* limit = nullptr);

// Each call of the result runs `calls` calls of every work, of `amount` each, in a thread of its
// own.
TimedWork InThreads(std::vector<std::function<void()>> works, long calls, double amount);

// Enough calls of `work` that starting threads does not count.
long CallsInATenth(const std::function<void()>& work);

// A sorted copy's value at `fraction` (0..1), interpolated. `values` must not be empty.
double Percentile(std::vector<double> values, double fraction);

}  // namespace gorila

#endif  // GORILA_BENCHMARK_MEASUREMENT_H_
