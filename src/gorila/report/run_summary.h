// What a run's directory says of it, for reports that compare runs.
#ifndef GORILA_REPORT_RUN_SUMMARY_H_
#define GORILA_REPORT_RUN_SUMMARY_H_

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/run_log.h"
#include "gorila/report/run_report.h"

namespace gorila {

// How many episodes a point of a training curve is the mean of.
inline constexpr std::uint64_t kSmoothedEpisodes = 100;

struct RunSummary {
  std::string label;
  std::filesystem::path directory;
  Config config;
  std::vector<RunLogRow> rows;                         // of metrics.jsonl
  std::optional<EvaluationRecord> evaluation;          // of a finished run
  std::string command, version, machine;               // of a finished run, else empty
  std::optional<double> seconds, cpu_seconds, joules;  // of training, where the log has them
  std::string film;                                    // episode.gif; empty = none

  // `name` in the last training row that has it.
  std::optional<double> Last(std::string_view name) const;
};

// What a run is called when nobody gave it a label: its folder's name.
std::string DefaultLabel(const std::filesystem::path& directory);

// "LABEL=DIR", or "DIR", which has its default label.
LabelledRun ParseLabelledRun(const std::string& text);

// Blocks on the disk. NotFound, InvalidArgument or DataLoss, with the path, for a folder that is no
// run's or is damaged; a run that has not finished is none of that.
StatusOr<RunSummary> ReadRun(const LabelledRun& run);

// The training return (or `y`) over `x`, numbers of the log's rows, each point the mean of the last
// kSmoothedEpisodes episodes. Empty when rows lack them.
std::vector<CurveSample> TrainingCurve(const std::vector<RunLogRow>& rows, std::string_view x,
                                       std::string_view y = "return_mean");

// Mean over runs of what each curve is at `x`, interpolated, and half of its 95 % confidence
// interval (NaN for one run). NaN when a curve does not reach from below `x` to it.
struct MeanAtPoint {
  double mean = 0;
  double half_interval = 0;
};
MeanAtPoint MeanAt(std::span<const std::vector<CurveSample>> curves, double x);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_SUMMARY_H_
