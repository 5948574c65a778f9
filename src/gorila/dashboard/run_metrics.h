// A run's state as Prometheus metrics.
#ifndef GORILA_DASHBOARD_RUN_METRICS_H_
#define GORILA_DASHBOARD_RUN_METRICS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gorila/metrics/progress.h"
#include "gorila/metrics/prometheus_text.h"
#include "gorila/metrics/run_log.h"

namespace gorila {

struct RunMetrics {
  std::string label;
  std::string environment;
  ProgressSnapshot progress;
};

// Adds all families; every sample has the label run. Values that a run does not have are left out.
void AddRunMetrics(std::span<const RunMetrics> runs, PrometheusText& text);

// The family of what AddStalenessHistogram adds, by the buckets of shard.h: 0, 1, 2 to 3, 4 to 7,
// ...; the last one has no end and goes with +Inf.
void BeginStaleness(std::string_view name, PrometheusText& text);
void AddStalenessHistogram(const PrometheusLabels& labels, std::span<const std::uint64_t> counts,
                           PrometheusText& text);

// What a training record of metrics.jsonl says of the run's state then.
ProgressSnapshot ProgressOfRecord(const RunLogRecord& record);

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RUN_METRICS_H_
