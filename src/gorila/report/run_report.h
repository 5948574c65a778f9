// What a finished run leaves for its reader in its directory:
//
//   curve.png, curve.svg     training return over frames, and the evaluations
//   report.md, report.json   what was run, how fast, how good
//   evaluation.json          the final evaluation with the return of every episode; its presence
//                            means that the run is finished
//   report.html              all of it as one page; made of the others, so written last
#ifndef GORILA_REPORT_RUN_REPORT_H_
#define GORILA_REPORT_RUN_REPORT_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/run_score_text.h"
#include "gorila/run/trainer.h"

namespace gorila {

// An evaluation and what it takes to repeat it.
struct EvaluationRecord {
  std::string environment;  // as in the registry
  std::uint64_t seed = 0;
  std::optional<std::int64_t> frames;  // of training, when the network was taken; where known
  EvaluationResult result;
  std::optional<ScoreContext> context =
      {};  // of a run's final evaluation, by a version that knew it
};

// The record of one of several games by its place; of one game the record itself.
EvaluationRecord RecordOfGame(const EvaluationRecord& record, int game);

// A JSON object, ended by a line end; numbers that are not finite are null.
std::string EncodeEvaluation(const EvaluationRecord& record);

// What EncodeEvaluation wrote; the summary is computed from the returns. DataLoss for anything
// else.
StatusOr<EvaluationRecord> DecodeEvaluation(const std::string& text);

// DecodeEvaluation of a file, which is named in errors. NotFound when there is none.
StatusOr<EvaluationRecord> ReadEvaluation(const std::filesystem::path& path);

// "14.60 +- 0.80 (protocol greedy, 100 episodes)".
std::string DescribeScore(const EvaluationResult& result);
// Of several games a line each: "minatar/breakout  14.60 +- 0.80   minimum 2.00, ...".
std::vector<std::string> DescribeGames(const EvaluationResult& result);
// "minimum 2.00, median 13.00, maximum 40.00".
std::string DescribeRange(const EvaluationResult& result);

// Who made the run, for the report.
struct RunReportSource {
  std::string command;  // as it was typed
  std::string version;
  std::string machine;  // in one line
};

// A run among those that are compared.
struct LabelledRun {
  std::string label;
  std::filesystem::path directory;
};

enum class CurveAxis { kFrames, kUpdates, kSeconds };
inline constexpr std::array kAllCurveAxes = {CurveAxis::kFrames, CurveAxis::kUpdates,
                                             CurveAxis::kSeconds};
std::string_view AxisName(CurveAxis axis);  // "frames", "updates", "seconds"

// Writes all the files above for a finished run. Each is written aside and renamed. Blocks on the
// disk. After an error, also in reading the log, the other files are written all the same, from
// what could be read.
Status WriteRunReport(const std::filesystem::path& directory, const Config& config,
                      const TrainingOutcome& outcome, const RunReportSource& source);

// The final evaluation. NotFound when the run is not finished, DataLoss when the file is damaged.
StatusOr<EvaluationRecord> ReadFinalEvaluation(const std::filesystem::path& directory);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_REPORT_H_
