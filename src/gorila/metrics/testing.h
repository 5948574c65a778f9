// For tests that look at what was logged.
#ifndef GORILA_METRICS_TESTING_H_
#define GORILA_METRICS_TESTING_H_

#include <filesystem>
#include <vector>

#include "gorila/metrics/run_log.h"

namespace gorila {

// Every record; the program itself never holds all records of a log.
inline StatusOr<std::vector<RunLogRecord>> ReadRunLog(const std::filesystem::path& path) {
  std::vector<RunLogRecord> records;
  GORILA_RETURN_IF_ERROR(ForEachRunLogRecord(
      path, [&records](const RunLogRecord& record) { records.push_back(record); }));
  return records;
}

}  // namespace gorila

#endif  // GORILA_METRICS_TESTING_H_
