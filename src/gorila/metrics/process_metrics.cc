#include "gorila/metrics/process_metrics.h"

#include "gorila/base/resource_usage.h"

namespace gorila {

void AddProcessMetrics(PrometheusText& text) {
  text.Begin("process_cpu_seconds_total", PrometheusText::Type::kCounter,
             "User and system time of all threads of this process.");
  text.Add({}, CpuSeconds());
  text.Begin("process_resident_memory_bytes", PrometheusText::Type::kGauge,
             "Memory of this process that is in RAM.");
  text.Add({}, static_cast<double>(ResidentBytes()));
}

}  // namespace gorila
