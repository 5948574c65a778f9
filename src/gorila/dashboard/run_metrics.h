// A run's state as Prometheus metrics.
#ifndef GORILA_DASHBOARD_RUN_METRICS_H_
#define GORILA_DASHBOARD_RUN_METRICS_H_

#include <span>
#include <string>

#include "gorila/metrics/progress.h"
#include "gorila/metrics/run_log.h"

namespace gorila {

struct RunMetrics {
  std::string label;
  std::string environment;
  ProgressSnapshot progress;
};

// The answer to a scrape; every sample has the label run. Values that a run does not have are left
// out. Pure.
std::string RenderRunMetrics(std::span<const RunMetrics> runs);

// What a training row of metrics.jsonl says of the run's state then.
ProgressSnapshot ProgressOfRow(const RunLogRow& row);

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RUN_METRICS_H_
