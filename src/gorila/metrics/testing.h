// For tests that look at what was logged.
#ifndef GORILA_METRICS_TESTING_H_
#define GORILA_METRICS_TESTING_H_

#include <filesystem>
#include <vector>

#include "gorila/metrics/run_log.h"

namespace gorila {

// Every row; the program itself never holds all rows of a log.
inline StatusOr<std::vector<RunLogRow>> ReadRunLog(const std::filesystem::path& path) {
  std::vector<RunLogRow> rows;
  GORILA_RETURN_IF_ERROR(
      ForEachRunLogRow(path, [&rows](const RunLogRow& row) { rows.push_back(row); }));
  return rows;
}

}  // namespace gorila

#endif  // GORILA_METRICS_TESTING_H_
