// Choosing and ordering runs of a list by their columns and settings.
#ifndef GORILA_REPORT_RUN_FILTER_H_
#define GORILA_REPORT_RUN_FILTER_H_

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/report/run_entry.h"

namespace gorila {

// What runs are sorted and filtered by, beside every key of the configuration: "run", "name",
// "game", "seed", "state", "frames", "score", "kind", "seconds", "when", "note", "tag".
std::vector<std::string_view> RunColumns();

// A number, a text, or neither where the run has none.
using ColumnValue = std::variant<std::monostate, double, std::string>;

// `column`: one of RunColumns() or a key. Texts of settings are without quotes; tags are separated
// by commas.
ColumnValue ValueOf(const RunEntry& run, std::string_view column);

// Local time, "2026-11-30 02:04".
std::string TimeText(std::time_t when);

// COLUMN OP VALUE: "game=minatar/breakout", "frames>=1M", "name~apex", "learner.n_step=3".
class RunFilter {
 public:
  // InvalidArgument, naming the expression, for what is none.
  static StatusOr<RunFilter> Parse(std::string_view text);

  bool Matches(const RunEntry& run) const;
  // Whether runs that cannot be read are what is looked for.
  bool WantsUnreadable() const { return column_ == "state" && MatchesText("unreadable"); }

 private:
  Status CheckValue();
  bool MatchesText(std::string_view value) const;
  bool MatchesGame(const RunEntry& run) const;
  bool MatchesTag(const RunEntry& run) const;

  std::string column_, operator_, value_;
  std::optional<double> number_;  // of value_, where numbers are compared
};

// "COLUMN", or "-COLUMN" for the largest first. Runs without a value come last, and runs of equal
// value stay in their order. Scores are compared within a game and kind only: games by their names,
// then final scores before evaluations before training returns. InvalidArgument for an unknown
// column.
Status SortRuns(std::string_view order, std::vector<RunEntry>& runs);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_FILTER_H_
