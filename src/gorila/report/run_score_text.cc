#include "gorila/report/run_score_text.h"

#include <cmath>

namespace gorila {
namespace {

// Standard errors that chance seldom exceeds.
constexpr double kErrors = 3;

// How much more often than the scored agent training may act at random and still be compared with
// it: beyond, what the network is able to do hardly shows in training.
constexpr double kMoreRandom = 0.25;

// Whether `high` is above `low` by more than chance explains, and by more than `part` of what
// `high` gained on where training began. False when something is unknown.
bool FarAbove(double high, double low, double error, double part, double first) {
  const double gain = std::isfinite(first) ? high - first : std::abs(high);
  return high - low > kErrors * error && high - low > part * gain;
}

}  // namespace

std::string DescribeNetwork(const ScoreContext& context) {
  if (context.evaluations == 0) return "last";
  return fmt::format("best of {} evaluation{}", context.evaluations,
                     context.evaluations == 1 ? "" : "s");
}

std::string DescribeMean(const ReturnSummary& summary) {
  const std::string error =
      summary.count > 1 ? fmt::format(" +- {:.2f}", summary.standard_error) : "";
  return fmt::format("{:.2f}{}", summary.mean, error);
}

std::vector<std::string> ScoreWarnings(const EvaluationResult& score, const ScoreContext& context) {
  std::vector<std::string> warnings;
  if (!context.problem.empty()) warnings.push_back(context.problem);
  const double mean = score.summary.mean;
  const double error = score.summary.standard_error;
  const double first = context.first_training_return;
  const double highest = context.highest_training_return;
  const double training = context.training_return;
  bool last_agrees = false;
  if (context.last.has_value()) {
    const ReturnSummary& last = context.last->summary;
    const double errors = std::hypot(error, last.standard_error);
    last_agrees = !FarAbove(mean, last.mean, errors, 0.5, first);
    if (!last_agrees) {
      warnings.emplace_back("the last network scores far less: the best may be luck");
    } else if (last.mean - mean > kErrors * errors) {
      warnings.emplace_back("the last network scores more than the best of the evaluations");
    }
  }
  // Training explores, so alone it says little against two networks that agree, and nothing while
  // most of its actions are random. An epsilon that nobody recorded is taken for a low one.
  const bool comparable = !(context.training_epsilon - score.epsilon > kMoreRandom);
  if (context.evaluations > 1 && !last_agrees && comparable &&
      FarAbove(mean, highest, error, 0.9, first)) {
    warnings.push_back(
        fmt::format("training never returned above {:.2f}: the score may be luck", highest));
  }
  if (FarAbove(training, mean, error, 0.5, first)) {
    warnings.push_back(fmt::format("training returned {:.2f}: the score is far below", training));
  }
  return warnings;
}

}  // namespace gorila
