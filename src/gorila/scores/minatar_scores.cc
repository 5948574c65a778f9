#include "gorila/scores/minatar_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "gorila/base/csv.h"

namespace gorila {
namespace {

constexpr std::string_view kMinAtarHeader =
    "game,agent,frames,actions,step_limit,measure,score,runs,epsilon,obtained,oxygen_fix,source,"
    "note";
constexpr std::size_t kMinAtarColumns = 13;
constexpr int kFreewayLimit = 2500;

// Cells of one line, read one after the other; the first that is wrong is remembered.
class LineReader {
 public:
  LineReader(std::string_view line, std::vector<std::string_view> cells)
      : line_(line), cells_(std::move(cells)) {}

  std::string Text() { return std::string(Next()); }
  std::string NotEmpty() {
    const std::string_view cell = Next();
    if (cell.empty()) Complain(cell, "is empty");
    return std::string(cell);
  }
  double Number() {
    const std::string_view cell = Next();
    const std::optional<double> number = ParseNumber(cell);
    if (!number.has_value()) Complain(cell, "is not a number");
    return number.value_or(0);
  }
  std::int64_t Count(double lowest) {
    const double number = Number();
    const auto count = static_cast<std::int64_t>(number);
    if (number < lowest || static_cast<double>(count) != number) {
      Complain(cells_[next_ - 1], "is not a count");
    }
    return count;
  }
  std::optional<double> NumberOrNothing() {
    if (!cells_[next_].empty()) return Number();
    Next();
    return std::nullopt;
  }
  // Whether the cell is `yes`; otherwise it must be `no`.
  bool Choice(std::string_view yes, std::string_view no) {
    const std::string_view cell = Next();
    if (cell != yes && cell != no) Complain(cell, fmt::format("is not '{}' or '{}'", yes, no));
    return cell == yes;
  }

  const Status& status() const { return status_; }

 private:
  std::string_view Next() { return cells_[next_++]; }
  void Complain(std::string_view cell, std::string_view what) {
    if (status_.ok()) status_ = DataLoss("line '{}': '{}' {}", line_, cell, what);
  }

  std::string_view line_;
  std::vector<std::string_view> cells_;
  std::size_t next_ = 0;
  Status status_;
};

StatusOr<PublishedMinAtarScore> ParseRow(std::string_view line) {
  std::vector<std::string_view> cells = SplitAt(line, ',');
  if (cells.size() != kMinAtarColumns) {
    return DataLoss("line '{}' has {} columns; expected {}", line, cells.size(), kMinAtarColumns);
  }
  LineReader reader(line, std::move(cells));
  PublishedMinAtarScore row;
  row.game = "minatar/" + reader.Text();
  row.agent = reader.NotEmpty();
  row.frames = reader.Count(1);
  row.minimal_actions = reader.Choice("minimal", "all");
  row.step_limit = MinAtarStepLimit(row.game, static_cast<int>(reader.Count(0)));
  row.measure = reader.Choice("training", "evaluation") ? MinAtarMeasure::kTraining
                                                        : MinAtarMeasure::kEvaluation;
  row.score = reader.Number();
  row.runs = reader.Text();
  row.epsilon = reader.NumberOrNothing();
  row.from_plot = reader.Choice("plot", "logs");
  row.before_oxygen_fix = reader.Choice("before", "");
  row.source = reader.NotEmpty();
  row.note = reader.Text();
  GORILA_RETURN_IF_ERROR(reader.status());
  if (std::find(kMinAtarGames.begin(), kMinAtarGames.end(), row.game) == kMinAtarGames.end()) {
    return DataLoss("line '{}': '{}' is not a game", line, row.game);
  }
  return row;
}

}  // namespace

std::string_view MeasureTitle(MinAtarMeasure measure) {
  return measure == MinAtarMeasure::kTraining ? "training return" : "evaluation";
}

std::string_view MeasureName(MinAtarMeasure measure) {
  return measure == MinAtarMeasure::kTraining ? "training" : "evaluation";
}

int MinAtarStepLimit(std::string_view game, int limit) {
  return game == "minatar/freeway" && limit >= kFreewayLimit ? 0 : limit;
}

StatusOr<std::vector<PublishedMinAtarScore>> ParsePublishedMinAtarScores(std::string_view csv) {
  const std::vector<std::string_view> lines = SplitLines(csv);
  if (lines.empty() || lines.front() != kMinAtarHeader) {
    return DataLoss("the table of scores begins with '{}'; expected '{}'",
                    lines.empty() ? "" : lines.front(), kMinAtarHeader);
  }
  std::vector<PublishedMinAtarScore> rows;
  std::set<std::string> seen;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    GORILA_ASSIGN_OR_RETURN(PublishedMinAtarScore row, ParseRow(lines[i]));
    if (!seen.insert(fmt::format("{},{},{},{},{}", row.game, row.agent, row.frames,
                                 MeasureName(row.measure), row.source))
             .second) {
      return DataLoss("line '{}': this score is there twice", lines[i]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

const std::vector<PublishedMinAtarScore>& PublishedMinAtarScores() {
  static const std::vector<PublishedMinAtarScore> rows = [] {
    auto parsed = ParsePublishedMinAtarScores(MinAtarScoresText());
    GORILA_CHECK(parsed.ok(), "{}", parsed.status().ToString());
    return *std::move(parsed);
  }();
  return rows;
}

}  // namespace gorila
