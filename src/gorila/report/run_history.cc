#include "gorila/report/run_history.h"

#include <cmath>

namespace gorila {
namespace {

// A row of any version has under a hundred; what is beyond is another program's log.
constexpr std::size_t kMostNames = 1000;

}  // namespace

void HistoryCurve::Add(const RunLogRow& training_row) {
  const double episodes = training_row.Number("return_episodes").value_or(0);
  const std::optional<double> x = training_row.Number(x_);
  const std::optional<double> y = training_row.Number(y_);
  if (!(episodes > 0) || !x.has_value() || !y.has_value()) return;
  const std::optional<CurveSample> sample =
      smoother_.Add({.x = *x, .mean_return = *y, .episodes = static_cast<std::uint64_t>(episodes)});
  if (!sample.has_value()) return;
  if (samples_.empty()) first_ = sample->y;
  last_ = sample->y;
  highest_ = std::fmax(highest_, sample->y);  // fmax passes over NaN
  samples_.Add(*sample);
}

void RunHistory::Add(const RunLogRow& row) {
  const auto kind = row.Text("kind");
  if (const auto text = row.Text("bottleneck"); text.has_value()) bottleneck_ = *text;
  if (kind == "evaluation" || kind == "final_evaluation") AddEvaluation(row);
  if (kind != "training") return;
  for (const auto& [name, number] : row.numbers()) {
    const auto found = last_.find(name);
    if (found != last_.end()) {
      found->second = number;
    } else if (last_.size() < kMostNames) {
      last_.emplace(name, number);
    }
  }
  return_over_frames_.Add(row);
  return_over_seconds_.Add(row);
  epsilon_over_frames_.Add(row);
}

void RunHistory::AddEvaluation(const RunLogRow& row) {
  const double frames = row.Number("frames").value_or(0);
  if (!evaluations_.empty() && frames <= evaluations_.last().x) return;
  const double mean = row.Number("return_mean").value_or(0);
  const double error = row.Number("standard_error").value_or(0);
  evaluations_.Add({.x = frames, .mean = mean, .low = mean - error, .high = mean + error});
}

std::optional<double> RunHistory::Last(std::string_view name) const {
  const auto found = last_.find(name);
  return found == last_.end() ? std::nullopt : std::optional<double>(found->second);
}

Status ReadRunHistory(const std::filesystem::path& log, RunHistory& history) {
  return ForEachRunLogRow(log, [&history](const RunLogRow& row) { history.Add(row); });
}

}  // namespace gorila
