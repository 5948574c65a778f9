#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/table_text.h"
#include "gorila/cli/verb.h"
#include "gorila/report/run_entry.h"
#include "gorila/report/run_filter.h"
#include "gorila/report/run_list.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

struct RunsOptions {
  fs::path folder = "runs";
  std::string sort;
  std::vector<std::string> filters;
  std::size_t limit = 0;  // 0 = none
  bool group = false;
  std::string statistic = "mean";
  bool csv = false;
  bool json = false;
};

StatusOr<std::vector<RunFilter>> ParseFilters(const std::vector<std::string>& texts) {
  std::vector<RunFilter> filters;
  for (const std::string& text : texts) {
    StatusOr<RunFilter> filter = RunFilter::Parse(text);
    if (!filter.ok()) return Annotate(filter.status(), fmt::format("--filter '{}'", text));
    filters.push_back(*std::move(filter));
  }
  return filters;
}

// Only what is asked for: the others stay in RunEntries for the remarks below the table.
std::vector<RunEntry> Chosen(const std::vector<RunEntry>& runs,
                             const std::vector<RunFilter>& filters) {
  std::vector<RunEntry> chosen;
  for (const RunEntry& run : runs) {
    const bool matches = std::all_of(filters.begin(), filters.end(),
                                     [&run](const RunFilter& one) { return one.Matches(run); });
    if (matches) chosen.push_back(run);
  }
  return chosen;
}

void PrintGroups(const RunsOptions& options, const std::vector<RunEntry>& runs,
                 const RunEntries& all) {
  const Statistic statistic =
      options.statistic == "iqm" ? Statistic::kInterquartileMean : Statistic::kMean;
  std::vector<ListedGroup> groups = ListGroups(runs, statistic);
  if (options.sort.ends_with("score")) SortGroupsByScore(options.sort.front() == '-', groups);
  if (options.limit > 0 && groups.size() > options.limit) {
    fmt::print(stderr, "{} of {} groups are shown\n", options.limit, groups.size());
    groups.resize(options.limit);
  }
  if (options.json) {
    fmt::print("{}", GroupJson(groups, statistic, all));
  } else if (options.csv) {
    fmt::print("{}", GroupCsv(groups, statistic));
  } else if (!groups.empty()) {
    PrintTable(GroupTable(groups, statistic));
  }
}

void PrintRuns(const RunsOptions& options, std::vector<RunEntry> runs, const RunEntries& all,
               bool unreadable_too) {
  if (options.limit > 0 && runs.size() > options.limit) {
    fmt::print(stderr, "{} of {} runs are shown\n", options.limit, runs.size());
    runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(options.limit), runs.end());
  }
  const std::vector<UnreadableRun> none;
  const std::vector<UnreadableRun>& unreadable = unreadable_too ? all.unreadable : none;
  if (options.json) {
    fmt::print("{}", RunJson(runs, all));
  } else if (options.csv) {
    fmt::print("{}", RunCsv(runs, unreadable));
  } else {
    if (!runs.empty()) PrintTable(RunTable(runs));
    if (!unreadable.empty()) PrintTable(UnreadableTable(unreadable));
  }
}

// What the list lacks, on stderr in a line each; the exit status.
int PrintRemarks(const RunEntries& all, bool nothing_matches, bool unreadable_shown) {
  std::fflush(stdout);
  const std::size_t number = all.runs.size() + all.unreadable.size();
  if (nothing_matches) fmt::print(stderr, "none of {} runs matches\n", number);
  if (!unreadable_shown && !all.unreadable.empty()) {
    fmt::print(stderr, "gorila: {}\n", DescribeUnreadable(all.unreadable, number));
  }
  for (const std::string& note : all.notes) fmt::print(stderr, "gorila: {}\n", note);
  return all.unreadable.empty() && all.notes.empty() ? kSuccess : kFailure;
}

StatusOr<int> Runs(const RunsOptions& options) {
  if (options.csv && options.json) return InvalidArgument("expected --csv or --json, not both");
  GORILA_ASSIGN_OR_RETURN(const std::vector<RunFilter> filters, ParseFilters(options.filters));
  std::vector<RunEntry> nothing;
  if (!options.sort.empty()) {  // before anything is read
    GORILA_RETURN_IF_ERROR(Annotate(SortRuns(options.sort, nothing), "--sort"));
  }
  StatusOr<RunEntries> all = ReadRunEntries(options.folder);
  if (absl::IsNotFound(all.status()) || absl::IsInvalidArgument(all.status())) {
    return InvalidArgument("{}; 'gorila train' makes runs, by default in runs/",
                           std::string(all.status().message()));
  }
  GORILA_RETURN_IF_ERROR(all.status());
  std::vector<RunEntry> runs = Chosen(all->runs, filters);
  if (!options.sort.empty()) GORILA_RETURN_IF_ERROR(SortRuns(options.sort, runs));
  const bool unreadable_too =
      std::any_of(filters.begin(), filters.end(),
                  [](const RunFilter& filter) { return filter.WantsUnreadable(); });
  const bool nothing_matches =
      runs.empty() && !all->runs.empty() && !(unreadable_too && !all->unreadable.empty());
  if (options.group) {
    PrintGroups(options, runs, *all);
  } else {
    PrintRuns(options, std::move(runs), *all, unreadable_too);
  }
  return PrintRemarks(*all, nothing_matches, unreadable_too && !options.group);
}

constexpr CommandText kRunsText = {
    .name = "runs",
    .summary = "List runs with their settings, states and scores",
    .details =
        R"(Lists every run at or below FOLDER with the settings that differ between the listed runs of a
game. Columns for --sort and --filter: run, name, game, seed, state, frames, score, kind, seconds,
when, note, tag, and every key of the configuration (learner.n_step).

  state   training, stopped ('gorila resume' continues it), finished, diverged or unreadable
  score   mean return and standard error; several games: their aggregate
  kind    which score: final (the final evaluation); evaluation (the last one so far); training
          (the last 100 episodes, which explore). Only scores of one game and kind are comparable,
          and --sort score compares no others
  when    when the run last wrote its log

A filter is COLUMN, an operator and a value: = and != compare; < <= > >= order; ~ finds a part of
the text, whatever its case. --group shows runs that differ only in the seed as one row, with the
mean or the interquartile mean (IQM) of the best kind of score that they have, its 95 % bootstrap
interval and how many runs have such a score.

Exit status 1 when a run or a folder cannot be read, 2 without any run.
)",
    .examples = R"(gorila runs
gorila runs sweeps/a --group --sort -score
gorila runs --filter game=breakout --filter state=finished --filter learner.n_step=3
gorila runs --filter tag=baseline --filter 'frames>=1M' --sort -score --limit 10
gorila runs --filter state=unreadable
gorila runs --json | jq -r '.runs[] | select(.state == "stopped") | .run'
)"};

}  // namespace

Verb AddRunsVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kRunsText);
  const auto options = std::make_shared<RunsOptions>();
  app->add_option("FOLDER", options->folder, "Where to look for runs (default: runs)")
      ->type_name("");
  app->add_option("--sort", options->sort, "Order by this column; -COLUMN: the largest first")
      ->type_name("COLUMN");
  app->add_option("--filter", options->filters,
                  "Show only runs for which this holds; repeatable, and all must hold")
      ->type_name("EXPR")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  AddNumber(*app, "--limit", options->limit, {.low = 1}, "Show only the first N");
  app->add_flag("--group", options->group, "One row for runs that differ only in the seed");
  app->add_option("--statistic", options->statistic, "What --group shows: mean or iqm")
      ->check(CLI::IsMember({"mean", "iqm"}))
      ->capture_default_str();
  app->add_flag("--csv", options->csv, "Print CSV");
  app->add_flag("--json", options->json, "Print JSON");
  return {app, [options](const Invocation&) { return Runs(*options); }};
}

}  // namespace gorila::cli
