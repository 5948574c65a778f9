// evaluation.json: an evaluation with the return of every episode and what it takes to repeat it.
#ifndef GORILA_REPORT_EVALUATION_RECORD_H_
#define GORILA_REPORT_EVALUATION_RECORD_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/report/run_score_text.h"

namespace gorila {

// In the folder of a finished run.
inline constexpr const char* kEvaluationFile = "evaluation.json";

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

// The final evaluation. NotFound when the run is not finished, DataLoss when the file is damaged.
StatusOr<EvaluationRecord> ReadFinalEvaluation(const std::filesystem::path& directory);

}  // namespace gorila

#endif  // GORILA_REPORT_EVALUATION_RECORD_H_
