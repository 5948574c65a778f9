// The state of a run that trains here, as the page reads it.
#ifndef GORILA_DASHBOARD_PROGRESS_JSON_H_
#define GORILA_DASHBOARD_PROGRESS_JSON_H_

#include <string>

#include "gorila/metrics/progress.h"

namespace gorila {

// One line.
std::string SnapshotJson(const ProgressSnapshot& snapshot);

}  // namespace gorila

#endif  // GORILA_DASHBOARD_PROGRESS_JSON_H_
