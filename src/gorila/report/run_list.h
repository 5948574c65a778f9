// A list of runs as a table, CSV or JSON.
#ifndef GORILA_REPORT_RUN_LIST_H_
#define GORILA_REPORT_RUN_LIST_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "gorila/metrics/seed_statistics.h"
#include "gorila/report/run_entry.h"

namespace gorila {

// Values as configuration files have them, by key.
using RunSettings = std::map<std::string, std::string>;

// For each run its settings that are not the same in all listed runs of its game. Never the seed,
// or keys that leave training as it is (RepeatedSettings()).
std::vector<RunSettings> DifferingSettings(std::span<const RunEntry> runs);

// Runs whose settings differ only in the seed.
struct ListedGroup {
  std::string game;
  std::string label;  // the settings in which it differs from the game's other groups
  std::vector<const RunEntry*> runs;
  // Of the best kind of score that any of the runs has: those with it alone are averaged.
  ScoreKind kind = ScoreKind::kTraining;
  std::vector<double> scores = {};
  Estimate estimate = {};
};

// In the order in which their first runs come. `runs` must outlive the result.
std::vector<ListedGroup> ListGroups(std::span<const RunEntry> runs, Statistic statistic);

// As SortRuns() by "score" or "-score".
void SortGroupsByScore(bool reversed, std::vector<ListedGroup>& groups);

// Rows of cells, the heading first. Columns that no run fills are left out; of many settings the
// first few are shown.
using TableRows = std::vector<std::vector<std::string>>;
TableRows RunTable(std::span<const RunEntry> runs);
TableRows GroupTable(std::span<const ListedGroup> groups, Statistic statistic);
TableRows UnreadableTable(std::span<const UnreadableRun> runs);

// Every column, then a column for each setting that differs between runs of one game.
std::string RunCsv(std::span<const RunEntry> runs, std::span<const UnreadableRun> unreadable);
std::string GroupCsv(std::span<const ListedGroup> groups, Statistic statistic);

// {"runs": [...], "unreadable": [...], "notes": [...]}, or "groups" in place of "runs".
std::string RunJson(std::span<const RunEntry> runs, const RunEntries& all);
std::string GroupJson(std::span<const ListedGroup> groups, Statistic statistic,
                      const RunEntries& all);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_LIST_H_
