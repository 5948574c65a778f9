// What a run's score is to be read with: the best of many evaluations can be luck.
#ifndef GORILA_REPORT_RUN_SCORE_TEXT_H_
#define GORILA_REPORT_RUN_SCORE_TEXT_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "gorila/evaluation/evaluator.h"

namespace gorila {

struct ScoreContext {
  std::int64_t evaluations = 0;  // that the scored network is the best of; 0 = it is the last one
  std::int64_t skipped = 0;      // evaluations that training did not wait for
  std::optional<EvaluationResult> last;  // of the last network, where another one is scored
  std::int64_t last_frames = 0;
  // Means over 100 training episodes: the first, the highest and the last. NaN = none.
  double first_training_return = std::numeric_limits<double>::quiet_NaN();
  double highest_training_return = std::numeric_limits<double>::quiet_NaN();
  double training_return = std::numeric_limits<double>::quiet_NaN();
  // Mean probability of a random action over the episodes of training_return; NaN = unknown.
  double training_epsilon = std::numeric_limits<double>::quiet_NaN();
  std::string problem;  // of the whole run, TrainingOutcome::problem
};

// "best of 24 evaluations" or "last".
std::string DescribeNetwork(const ScoreContext& context);

// "14.60 +- 0.80"; without the error where one episode was played.
std::string DescribeMean(const ReturnSummary& summary);

// Where the score, the last network and the training contradict each other, a sentence each, and
// the run's problem. Empty for a score that can be believed.
std::vector<std::string> ScoreWarnings(const EvaluationResult& score, const ScoreContext& context);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_SCORE_TEXT_H_
