// This process in Prometheus' words, the same on every page of metrics.
#ifndef GORILA_METRICS_PROCESS_METRICS_H_
#define GORILA_METRICS_PROCESS_METRICS_H_

#include "gorila/metrics/prometheus_text.h"

namespace gorila {

// Adds process_cpu_seconds_total and process_resident_memory_bytes, without labels.
void AddProcessMetrics(PrometheusText& text);

}  // namespace gorila

#endif  // GORILA_METRICS_PROCESS_METRICS_H_
