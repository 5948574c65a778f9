#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/cli/command.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/verb.h"
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
  for (const fs::path& path : options.paths) {
    std::error_code error;
    if (!seen.insert(fs::weakly_canonical(path, error)).second) {
      return InvalidArgument("'{}' is named twice; its runs would count twice", path.string());
    }
    GORILA_ASSIGN_OR_RETURN(ScoreResults found,
                            ReadScoreResults(path, options.table.noop_protocol));
    if (found.unfinished_runs > 0) {
      fmt::print(stderr, "{}: {} runs are not finished and left out\n", path.string(),
                 found.unfinished_runs);
    }
    for (const ScoreResult& result : found.results) {
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

Status WriteFiles(const ScoresOptions& options, const ScoreTable& table) {
  const auto write = [](const std::string& path, const std::string& text) -> Status {
    if (path.empty()) return OkStatus();
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(path, text));
    fmt::print(stderr, "written: {}\n", path);
    return OkStatus();
  };
  GORILA_RETURN_IF_ERROR(write(options.csv, ScoreTableCsv(table)));
  GORILA_RETURN_IF_ERROR(write(options.markdown, ScoreTableMarkdown(table)));
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

constexpr CommandText kScoresText = {
    .name = "scores",
    .summary = "Compare scores with those of the Gorila paper's 49 games",
    .details =
        R"(Prints random, human, DQN and Gorila as published, for null-op starts and for human starts, and
beside them the mean scores of the runs that are named; below, mean, median and interquartile mean
of the normalised scores with 95 % bootstrap intervals, and the games above DQN and above human.
Runs are told apart by the protocol that they were scored by and by their settings: what differs in
more than the seed is never averaged. Such runs have a row each, and in the tables of Atari games,
which have one column for ours, they are refused by name. The scores of a file count as alike.

PATH is a run's folder, a folder of runs (as 'gorila suite' makes it), a .csv file with the columns
game, score and, where it is not the null-op protocol, protocol; or a .json file ('gorila evaluate
--json', or an array of objects with those keys).
)",
    .examples = R"(gorila scores
gorila scores suites/atari --starts noop --chart scores.png
gorila scores results.csv --denominator absolute --markdown scores.md --csv scores.csv
)"};

}  // namespace

Verb AddScoresVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kScoresText);
  const auto options = std::make_shared<ScoresOptions>();
  app->add_option("PATH", options->paths, "Our results; none: the published scores only")
      ->type_name("");
  app->add_option("--starts", options->starts, "Which starts: noop, human or both")
      ->check(CLI::IsMember({"noop", "human", "both"}))
      ->capture_default_str();
  app->add_option("--denominator", options->denominator,
                  "Of normalised scores: signed (human - random) or absolute")
      ->check(CLI::IsMember({"signed", "absolute"}))
      ->capture_default_str();
  app->add_option("--protocol", options->table.noop_protocol,
                  "The protocol whose results stand beside null-op starts")
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
  return {app, [options](const Invocation&) { return Scores(*options); }};
}

}  // namespace gorila::cli
