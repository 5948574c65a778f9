#include "gorila/report/run_history.h"

#include <cmath>

namespace gorila {
namespace {

// A record of any version has under a hundred; what is beyond is another program's log.
constexpr std::size_t kMostNames = 1000;

// Of the networks that are evaluated, only a later one than before counts. `scores`: the record
// itself or one of its games.
void AddScores(const RunLogRecord& record, const RunLogRecord& scores,
               EvenlyThinned<CurvePoint>& evaluations) {
  const double frames = record.Number("frames").value_or(0);
  if (!evaluations.empty() && frames <= evaluations.last().x) return;
  const double mean = scores.Number("return_mean").value_or(0);
  const double error = scores.Number("standard_error").value_or(0);
  evaluations.Add({.x = frames, .mean = mean, .low = mean - error, .high = mean + error});
}

}  // namespace

void HistoryCurve::Add(const RunLogRecord& training_record, const RunLogRecord& figures) {
  const double episodes = figures.Number("return_episodes").value_or(0);
  const std::optional<double> x = training_record.Number(x_);
  const std::optional<double> y = figures.Number(y_);
  if (!(episodes > 0) || !x.has_value() || !y.has_value()) return;
  const std::optional<CurveSample> sample =
      smoother_.Add({.x = *x, .mean_return = *y, .episodes = static_cast<std::uint64_t>(episodes)});
  if (!sample.has_value()) return;
  if (samples_.empty()) first_ = sample->y;
  last_ = sample->y;
  highest_ = std::fmax(highest_, sample->y);  // fmax passes over NaN
  samples_.Add(*sample);
}

void RunHistory::Add(const RunLogRecord& record) {
  const auto kind = record.Text("kind");
  if (const auto text = record.Text("bottleneck"); text.has_value()) bottleneck_ = *text;
  if (kind == "evaluation" || kind == "final_evaluation") AddEvaluation(record);
  if (kind != "training") return;
  for (const auto& [name, number] : record.numbers()) {
    const auto found = last_.find(name);
    if (found != last_.end()) {
      found->second = number;
    } else if (last_.size() < kMostNames) {
      last_.emplace(name, number);
    }
  }
  return_over_frames_.Add(record, record);
  return_over_seconds_.Add(record, record);
  return_over_updates_.Add(record, record);
  epsilon_over_frames_.Add(record, record);
  AddFigures(record);
  AddGames(record);
}

void RunHistory::AddFigures(const RunLogRecord& training_record) {
  const std::optional<double> frames = training_record.Number("frames");
  if (!frames.has_value()) return;
  for (const std::string_view name : kTrainingFigures) {
    const std::optional<double> value = training_record.Number(name);
    if (!value.has_value()) continue;
    figures_.try_emplace(name, kMostFigurePoints).first->second.Add(*frames, *value);
  }
}

std::vector<CurvePoint> RunHistory::figure(std::string_view name) const {
  const auto found = figures_.find(name);
  return found == figures_.end() ? std::vector<CurvePoint>() : found->second.points();
}

void RunHistory::AddGames(const RunLogRecord& training_record) {
  const RunLogRecord* const games = training_record.Object("games");
  if (games == nullptr) return;
  for (const auto& [name, figures] : games->objects()) {
    GameHistory* const game = FindOrAddGame(name);
    if (game == nullptr) continue;
    game->return_over_frames.Add(training_record, figures);
    game->return_over_seconds.Add(training_record, figures);
    game->return_over_updates.Add(training_record, figures);
    game->frames = figures.Number("frames").value_or(0);
    game->episodes = figures.Number("episodes").value_or(0);
  }
}

void RunHistory::AddEvaluation(const RunLogRecord& record) {
  AddScores(record, record, evaluations_);
  const RunLogRecord* const games = record.Object("games");
  if (games == nullptr) return;
  for (const auto& [name, scores] : games->objects()) {
    GameHistory* const game = FindOrAddGame(name);
    if (game != nullptr) AddScores(record, scores, game->evaluations);
  }
}

GameHistory* RunHistory::FindOrAddGame(const std::string& name) {
  const auto found = games_.find(name);
  if (found != games_.end()) return &found->second;
  return games_.size() < kMostNames ? &games_[name] : nullptr;
}

const GameHistory* RunHistory::game(std::string_view name) const {
  const auto found = games_.find(name);
  return found == games_.end() ? nullptr : &found->second;
}

std::optional<double> RunHistory::Last(std::string_view name) const {
  const auto found = last_.find(name);
  return found == last_.end() ? std::nullopt : std::optional<double>(found->second);
}

Status ReadRunHistory(const std::filesystem::path& log, RunHistory& history) {
  return ForEachRunLogRecord(log, [&history](const RunLogRecord& record) { history.Add(record); });
}

}  // namespace gorila
