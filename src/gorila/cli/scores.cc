#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/cli/command.h"
#include "gorila/cli/help_text.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/verb.h"
#include "gorila/report/run_score_text.h"
#include "gorila/scores/minatar_runs.h"
#include "gorila/scores/minatar_scores.h"
#include "gorila/scores/minatar_table.h"
#include "gorila/scores/minatar_text.h"
#include "gorila/scores/score_chart.h"
#include "gorila/scores/score_results.h"
#include "gorila/scores/score_table.h"
#include "gorila/scores/score_text.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

struct ScoresOptions {
  std::vector<fs::path> paths;
  std::string starts = "both";
  std::string denominator = "signed";
  ScoreTableOptions table;
  std::string csv;
  std::string markdown;
  std::string chart;
};

StatusOr<std::vector<ScoreResult>> ReadAll(const ScoresOptions& options) {
  std::vector<ScoreResult> results;
  std::set<fs::path> seen;
  std::map<fs::path, fs::path> path_of;  // by a result's source
  for (const fs::path& path : options.paths) {
    std::error_code error;
    if (!seen.insert(fs::weakly_canonical(path, error)).second) {
      return InvalidArgument("'{}' is named twice; its runs would count twice", path.string());
    }
    GORILA_ASSIGN_OR_RETURN(ScoreResults found,
                            ReadScoreResults(path, options.table.noop_protocol));
    if (found.unfinished_runs > 0) {
      fmt::print(stderr, "{}: skipped {} unfinished runs\n", path.string(), found.unfinished_runs);
    }
    for (const ScoreResult& result : found.results) {
      const fs::path source = fs::weakly_canonical(result.source, error);
      if (path_of.emplace(source, path).first->second != path) {
        return InvalidArgument("'{}' is in '{}' too; it would count twice", result.source,
                               path_of[source].string());
      }
      for (const std::string& warning : result.warnings) {
        fmt::print(stderr, "{}: {}\n", result.source, warning);
      }
    }
    results.insert(results.end(), std::make_move_iterator(found.results.begin()),
                   std::make_move_iterator(found.results.end()));
  }
  return results;
}

void KeepSections(const std::string& starts, ScoreTable& table) {
  std::erase_if(table.sections, [&](const ScoreSection& section) {
    return starts == (section.starts == Starts::kNoop ? "human" : "noop");
  });
}

// Without a path nothing is written.
Status Write(const std::string& path, const std::string& text) {
  if (path.empty()) return OkStatus();
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(path, text));
  fmt::print(stderr, "written: {}\n", path);
  return OkStatus();
}

Status WriteFiles(const ScoresOptions& options, const ScoreTable& table) {
  GORILA_RETURN_IF_ERROR(Write(options.csv, ScoreTableCsv(table)));
  GORILA_RETURN_IF_ERROR(Write(options.markdown, ScoreTableMarkdown(table)));
  if (options.chart.empty()) return OkStatus();
  GORILA_RETURN_IF_ERROR(WriteScoreChart(options.chart, table));
  fmt::print(stderr, "written: {}\n", options.chart);
  return OkStatus();
}

StatusOr<int> Scores(const ScoresOptions& options) {
  ScoreTableOptions table_options = options.table;
  table_options.denominator =
      options.denominator == "signed" ? Denominator::kSigned : Denominator::kAbsolute;
  GORILA_ASSIGN_OR_RETURN(const std::vector<ScoreResult> results, ReadAll(options));
  GORILA_ASSIGN_OR_RETURN(ScoreTable table,
                          MakeScoreTable(PublishedAtariGames(), results, table_options));
  KeepSections(options.starts, table);
  GORILA_RETURN_IF_ERROR(WriteFiles(options, table));
  fmt::print("{}", ScoreTableText(table));
  return kSuccess;
}

struct MinAtarScoresOptions {
  std::vector<fs::path> paths;
  std::string csv;
  std::string markdown;
};

// What the reader of the table should know of the runs.
void PrintRemarks(const fs::path& path, const MinAtarRuns& found) {
  if (found.unfinished > 0) {
    fmt::print(stderr, "{}: {} runs are not finished and left out\n", path.string(),
               found.unfinished);
  }
  if (found.other_games > 0) {
    fmt::print(stderr, "{}: {} runs of other games are left out\n", path.string(),
               found.other_games);
  }
  for (const RunSummary& run : found.runs) {
    if (!run.evaluation->context.has_value()) continue;
    for (const std::string& warning :
         ScoreWarnings(run.evaluation->result, *run.evaluation->context)) {
      fmt::print(stderr, "{}: {}\n", run.directory.string(), warning);
    }
  }
}

// Refuses a run that two of the paths lead to.
Status CheckOnce(const std::vector<MinAtarRuns>& all) {
  std::set<std::pair<fs::path, std::string>> seen;
  for (const MinAtarRuns& found : all) {
    for (const RunSummary& run : found.runs) {
      std::error_code error;
      // A run with several games is there once for each.
      const fs::path directory = fs::weakly_canonical(run.directory, error);
      if (!seen.insert({directory, run.config.environment.name}).second) {
        return InvalidArgument("'{}' is named twice; it would count twice", run.directory.string());
      }
    }
  }
  return OkStatus();
}

StatusOr<MinAtarRuns> ReadMinAtarRunsOf(const std::vector<fs::path>& paths) {
  std::vector<MinAtarRuns> all;
  for (const fs::path& path : paths) {
    GORILA_ASSIGN_OR_RETURN(all.emplace_back(), ReadMinAtarRuns(path));
  }
  GORILA_RETURN_IF_ERROR(CheckOnce(all));
  MinAtarRuns ours;
  for (std::size_t i = 0; i < all.size(); ++i) {
    PrintRemarks(paths[i], all[i]);
    std::move(all[i].runs.begin(), all[i].runs.end(), std::back_inserter(ours.runs));
    std::move(all[i].training.begin(), all[i].training.end(), std::back_inserter(ours.training));
  }
  return ours;
}

StatusOr<int> MinAtarScores(const MinAtarScoresOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const MinAtarRuns ours, ReadMinAtarRunsOf(options.paths));
  const std::vector<MinAtarSection> table = MakeMinAtarTable(PublishedMinAtarScores(), ours);
  GORILA_RETURN_IF_ERROR(Write(options.csv, MinAtarTableCsv(table)));
  GORILA_RETURN_IF_ERROR(Write(options.markdown, MinAtarTableMarkdown(table)));
  fmt::print("{}", MinAtarTableText(table));
  return kSuccess;
}

// Options and paths before `minatar` apply to the Atari table, and would have no effect.
Status CheckNothingBefore(const CLI::App& scores) {
  for (const CLI::Option* option : scores.get_options()) {
    if (option->count() == 0) continue;
    const std::string given =
        option->get_positional() ? option->results().front() : ShownName(*option);
    return InvalidArgument(
        "scores: '{}' before 'minatar' belongs to the Atari table; expected 'gorila scores minatar "
        "PATH...' (a folder that is called minatar is ./minatar)",
        given);
  }
  return OkStatus();
}

constexpr CommandText kMinAtarScoresText = {
    .name = "minatar",
    .summary = "Compare runs of MinAtar with published scores",
    .details =
        R"(Prints, for each of the five games, the runs that are named beside published scores that were
obtained in the same way: as many frames (within 1 %), sticky actions 0.1, difficulty ramping, the
same action set and the same limit of an episode. What differs is said, and then nothing stands
beside the run.

Training returns stand beside training returns: of ours the mean over the episodes that ended in the
last million frames, with the epsilon at the end. The final evaluations have tables of their own.
Runs whose settings differ in more than the seed have a row each; intervals are over seeds. A run
with several games has a row in each game's table, by that game's frames and episodes.

PATH is a run's folder or a folder of runs (as 'gorila suite' makes it); none: all published scores.
data/minatar/README.md names the sources.
)",
    .examples = R"(gorila suite minatar --seeds 5 --frames 5M --folder suites/minatar
gorila scores minatar suites/minatar --markdown minatar.md
gorila scores minatar runs/a runs/b --csv minatar.csv
)"};

constexpr CommandText kScoresText = {
    .name = "scores",
    .summary = "Compare scores with those of the Gorila paper's 49 games",
    .details =
        R"(Prints the published scores of random, human, DQN and Gorila, for null-op and human starts, beside
the mean scores of the named runs; then the mean, median and interquartile mean of the normalised
scores with 95 % bootstrap intervals, and how many games are above DQN and above human. Runs are
grouped by evaluation protocol and settings: those that differ in more than the seed are never
averaged. Such groups get a row each; the tables of Atari games, which have one column for named
runs, refuse them by name. All scores of a file are one group.

PATH is a run's folder, a folder of runs (as 'gorila suite' makes it), a .csv file with the columns
game, score and, where it is not the null-op protocol, protocol; or a .json file ('gorila evaluate
--json', or an array of objects with those keys). A folder that is called minatar is ./minatar.
)",
    .examples = R"(gorila scores
gorila scores minatar suites/minatar
gorila scores suites/atari --starts noop --chart scores.png
gorila scores results.csv --denominator absolute --markdown scores.md --csv scores.csv
)"};

void AddMinAtarOptions(CLI::App& app, MinAtarScoresOptions& options) {
  app.add_option("PATH", options.paths, "Our runs; none: the published scores only")->type_name("");
  app.add_option("--csv", options.csv, "Write the rows to this file")->type_name("FILE");
  app.add_option("--markdown", options.markdown, "Write the tables to this file")
      ->type_name("FILE");
}

}  // namespace

Verb AddScoresVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kScoresText);
  const auto options = std::make_shared<ScoresOptions>();
  app->add_option("PATH", options->paths, "Results to compare (default: only the published scores)")
      ->type_name("");
  app->add_option("--starts", options->starts, "Which starts: noop, human or both")
      ->check(CLI::IsMember({"noop", "human", "both"}))
      ->capture_default_str();
  app->add_option("--denominator", options->denominator,
                  "Denominator of normalised scores: signed (human - random) or absolute")
      ->check(CLI::IsMember({"signed", "absolute"}))
      ->capture_default_str();
  app->add_option("--protocol", options->table.noop_protocol,
                  "Protocol whose results are shown beside null-op starts")
      ->capture_default_str()
      ->type_name("NAME");
  app->add_option("--csv", options->csv, "Write the table to this file")->type_name("FILE");
  app->add_option("--markdown", options->markdown, "Write table and aggregates to this file")
      ->type_name("FILE");
  app->add_option("--chart", options->chart, "Draw bars of the normalised scores (.png or .svg)")
      ->type_name("FILE");
  AddNumber(*app, "--resamples", options->table.bootstrap.resamples, {.high = 1000000},
            "Bootstrap resamples; 0 = no intervals")
      ->capture_default_str();
  AddSeedFlag(*app, options->table.bootstrap.seed, "Seed of the bootstrap")->capture_default_str();
  CLI::App* const minatar = AddCommand(*app, kMinAtarScoresText);
  const auto minatar_options = std::make_shared<MinAtarScoresOptions>();
  AddMinAtarOptions(*minatar, *minatar_options);
  return {app, [app, minatar, options, minatar_options](const Invocation&) -> StatusOr<int> {
            if (!minatar->parsed()) return Scores(*options);
            GORILA_RETURN_IF_ERROR(CheckNothingBefore(*app));
            return MinAtarScores(*minatar_options);
          }};
}

}  // namespace gorila::cli
