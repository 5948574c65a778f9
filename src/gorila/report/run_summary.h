// What a run's directory says of it, for reports that compare runs.
#ifndef GORILA_REPORT_RUN_SUMMARY_H_
#define GORILA_REPORT_RUN_SUMMARY_H_

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/run_labels.h"
#include "gorila/metrics/curve_aggregation.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/run_history.h"
#include "gorila/run/run_starts.h"

namespace gorila {

// A run among those that are compared.
struct LabelledRun {
  std::string label;
  std::filesystem::path directory;
};

enum class CurveAxis { kFrames, kUpdates, kSeconds };
inline constexpr std::array kAllCurveAxes = {CurveAxis::kFrames, CurveAxis::kUpdates,
                                             CurveAxis::kSeconds};
std::string_view AxisName(CurveAxis axis);  // "frames", "updates", "seconds"

struct RunSummary {
  std::string label;
  std::filesystem::path directory;
  RunLabels labels;
  Config config;
  RunHistory history;                                  // of metrics.jsonl
  RunStarts starts;                                    // of starts.jsonl
  std::optional<EvaluationRecord> evaluation;          // of a finished run
  std::string command, version, machine;               // of a finished run, else empty
  std::optional<double> seconds, cpu_seconds, joules;  // of training, where the log has them
  std::string film;                                    // episode.gif; empty = none
};

// The folder's name.
std::string FolderLabel(const std::filesystem::path& directory);

// What a run is called where no other label is given: the name that it has (run_labels.h), or its
// folder's, also while labels.toml cannot be read. Blocks on the disk.
std::string DefaultLabel(const std::filesystem::path& directory);

// "LABEL=DIR", or "DIR", which has its default label.
LabelledRun ParseLabelledRun(const std::string& text);

// Blocks on the disk. NotFound, InvalidArgument or DataLoss, with the path, for a folder that is no
// run's or is damaged; a run that has not finished is none of that.
StatusOr<RunSummary> ReadRun(const LabelledRun& run);
// The same with a log that was read already.
StatusOr<RunSummary> ReadRun(const LabelledRun& run, RunHistory history);

// The training return over the axis, of the run's `game` (an index); x is that of all
// games together. Empty when the log lacks them.
std::vector<CurveSample> TrainingCurve(const RunSummary& run, CurveAxis axis, int game = 0);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_SUMMARY_H_
