#include "gorila/run/logged_progress.h"

#include <algorithm>
#include <optional>

#include "gorila/metrics/run_log_tail.h"

namespace gorila {
namespace {

std::int64_t CountIn(const RunLogRecord& record, std::string_view name, double otherwise) {
  return static_cast<std::int64_t>(record.Number(name).value_or(otherwise));
}

// Adds a record that is older than all before it. False when still older ones say nothing new.
bool AddOlder(const RunLogRecord& record, LoggedProgress& logged) {
  const auto kind = record.Text("kind");
  const auto keep = [&record](std::string_view name, double& value) {
    if (value == 0) value = record.Number(name).value_or(0);
  };
  keep("seconds", logged.seconds);
  keep("cpu_seconds", logged.cpu_seconds);
  logged.frames = std::max(logged.frames, CountIn(record, "frames", 0));
  if (kind == "skipped_evaluation") {
    logged.skipped_evaluations += CountIn(record, "count", 1);
  } else if (kind == "evaluation") {
    if (logged.evaluations == 0) logged.evaluated_frames = CountIn(record, "frames", -1);
    ++logged.evaluations;
  }
  if (kind != "training" || !record.Number("evaluations").has_value()) return true;
  if (logged.evaluations == 0) logged.evaluated_frames = CountIn(record, "evaluated_frames", -1);
  logged.evaluations += CountIn(record, "evaluations", 0);
  logged.skipped_evaluations += CountIn(record, "skipped_evaluations", 0);
  return false;
}

}  // namespace

StatusOr<LoggedProgress> ReadLoggedProgress(const std::filesystem::path& log) {
  LoggedProgress logged;
  StatusOr<RunLogTail> tail = RunLogTail::Open(log);
  if (absl::IsNotFound(tail.status())) return logged;
  GORILA_RETURN_IF_ERROR(tail.status());
  while (true) {
    GORILA_ASSIGN_OR_RETURN(const std::optional<RunLogRecord> record, tail->Previous());
    if (!record.has_value()) break;
    logged.any = true;
    if (!AddOlder(*record, logged)) break;
  }
  logged.bytes_read = tail->bytes_read();
  return logged;
}

}  // namespace gorila
