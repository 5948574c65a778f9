#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/cli/command.h"
#include "gorila/cli/older_name.h"
#include "gorila/cli/verb.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/compared_runs.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/group_curves.h"
#include "gorila/report/group_statistics.h"
#include "gorila/report/report_page.h"
#include "gorila/report/run_groups.h"
#include "gorila/report/run_summary.h"

namespace gorila::cli {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string html = "report.html";
  std::string markdown;
  std::string curve;
  std::string x;
  std::string over;  // older name of x
  std::string statistic = "mean";
  std::string baseline;
  std::string title;
};

void PrintRunScores(std::span<const RunSummary> runs) {
  std::size_t label = 0;
  std::size_t directory = 0;
  for (const RunSummary& run : runs) {
    label = std::max(label, run.label.size());
    directory = std::max(directory, run.directory.string().size());
  }
  for (const RunSummary& run : runs) {
    fmt::print("{:<{}}  {:<{}}  {}\n", run.label, label, run.directory.string(), directory,
               run.evaluation.has_value() ? DescribeScore(run.evaluation->result) : "not finished");
    if (!run.evaluation.has_value() || run.evaluation->result.games.empty()) continue;
    fmt::print("  {}\n", run.evaluation->result.aggregate);
    for (const std::string& game : DescribeGames(run.evaluation->result)) {
      fmt::print("  {}\n", game);
    }
  }
}

// Where the curves go: one file, or for runs of different games one each, with the game in its
// name.
std::vector<std::filesystem::path> CurveFiles(const std::filesystem::path& path,
                                              std::span<const ComparedCurves> all) {
  if (all.size() == 1) return {path};
  std::vector<std::filesystem::path> files;
  for (const ComparedCurves& curves : all) {
    std::string game = curves.name;
    std::replace(game.begin(), game.end(), '/', '-');
    const std::string name = fmt::format("{}-{}", path.stem().string(), game);
    std::filesystem::path file = path;
    file.replace_filename(name + path.extension().string());
    for (int n = 2; std::find(files.begin(), files.end(), file) != files.end(); ++n) {
      file.replace_filename(fmt::format("{}-{}{}", name, n, path.extension().string()));
    }
    files.push_back(std::move(file));
  }
  return files;
}

// Without a word about the axis the page has the usual ones.
StatusOr<ComparisonOptions> ComparisonOf(const ReportOptions& options) {
  ComparisonOptions comparison{.baseline = options.baseline};
  if (options.statistic == "iqm") comparison.statistic = Statistic::kInterquartileMean;
  GORILA_ASSIGN_OR_RETURN(const std::string x, OneOf("--x", options.x, "--over", options.over));
  for (const CurveAxis axis : kAllCurveAxes) {
    if (AxisName(axis) == x) comparison.axes = {axis};
  }
  return comparison;
}

Status WriteCurves(const ReportOptions& options, const ComparisonOptions& comparison,
                   std::span<const RunSummary> runs) {
  GORILA_ASSIGN_OR_RETURN(std::vector<ComparedCurves> all,
                          CompareRuns(runs, comparison.axes.front(), comparison.statistic));
  const std::vector<std::filesystem::path> files = CurveFiles(options.curve, all);
  for (std::size_t i = 0; i < all.size(); ++i) {
    LearningCurveGrid& grid = all[i].picture;
    // That of a single panel is the picture's.
    std::string& title = grid.panels.size() == 1 ? grid.panels.front().title : grid.title;
    if (!options.title.empty()) {
      title = all.size() == 1 ? options.title : fmt::format("{}: {}", options.title, title);
    }
    GORILA_RETURN_IF_ERROR(WriteLearningCurve(files[i], grid));
    fmt::print("learning curves: {}\n", files[i].string());
  }
  return OkStatus();
}

// The report, and its pictures beside it.
Status WriteMarkdown(const ReportOptions& options, const ComparisonOptions& comparison,
                     std::span<const RunSummary> runs) {
  const std::filesystem::path path = options.markdown;
  GORILA_ASSIGN_OR_RETURN(
      const MarkdownReport report,
      RenderMarkdownReport(runs, options.title, path.stem().string(), comparison));
  for (const ReportPicture& picture : report.pictures) {
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(path.parent_path() / picture.name, picture.bytes));
  }
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(path, report.text));
  fmt::print("report: {}\n", options.markdown);
  return OkStatus();
}

// What a folder has that the report lacks, a line each; the exit status.
int PrintLeftOut(const ComparedRuns& compared) {
  for (const std::string& line : compared.young) fmt::print(stderr, "gorila: {}\n", line);
  for (const std::string& line : compared.problems) fmt::print(stderr, "gorila: {}\n", line);
  return compared.problems.empty() ? kSuccess : kFailure;
}

StatusOr<int> Report(const ReportOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const ComparisonOptions comparison, ComparisonOf(options));
  GORILA_ASSIGN_OR_RETURN(const ComparedRuns compared, ReadComparedRuns(options.runs));
  const std::vector<RunSummary>& summaries = compared.runs;
  GORILA_ASSIGN_OR_RETURN(const std::string html,
                          RenderHtmlReport(summaries, options.title, comparison));
  PrintRunScores(summaries);
  for (const std::string& warning : RepeatedSeeds(GroupRuns(summaries))) {
    fmt::print("warning: {}\n", warning);
  }
  if (!options.curve.empty()) GORILA_RETURN_IF_ERROR(WriteCurves(options, comparison, summaries));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(options.html, html));
  fmt::print("report: {}\n", options.html);
  if (!options.markdown.empty())
    GORILA_RETURN_IF_ERROR(WriteMarkdown(options, comparison, summaries));
  return PrintLeftOut(compared);
}

constexpr CommandText kReportText = {
    .name = "report",
    .summary = "Compare runs on an HTML page",
    .details =
        R"(DIR is a run's folder, or a folder with runs at any depth; of those, runs that cannot be read or
have no result yet are left out, and said in a line each (exit status 1 when some cannot be read).

Prints the final scores and writes one HTML page that needs no other file: scores, learning
curves, an episode, counters, cost and configuration. Each game has its own figures. Runs of one
game whose settings differ only in the seed are one group, named by the settings that tell it from
the others: mean and interquartile mean of its scores, and one curve, with 95 % bootstrap intervals
over seeds. Different labels separate groups too. Groups are compared by the probability that a run
is better than one of --baseline, and at equal frames and equal wall time (or over --x). Settings
that were run on several games with published references are also compared over all of them.
)",
    .examples = R"(gorila report runs/* --html breakout.html --curve curves.png
gorila report sweeps/a --html sweep.html
gorila report runs/a --markdown breakout.md
gorila report gorila=runs/a gorila=runs/b dqn=runs/c --x seconds --curve curves.svg
gorila report sweeps/a --baseline n_step=1 --statistic iqm --x updates
)"};

}  // namespace

Verb AddReportVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kReportText);
  const auto options = std::make_shared<ReportOptions>();
  app->add_option("RUN", options->runs, "Runs or folders of runs, each DIR or LABEL=DIR")
      ->required();
  app->add_option("--html", options->html, "Where to write the page")
      ->type_name("FILE")
      ->capture_default_str();
  app->add_option("--markdown", options->markdown,
                  "Write it as Markdown too, with its pictures (.svg, .gif) beside that file")
      ->type_name("FILE");
  app->add_option("--curve", options->curve,
                  "Write the curves to this .png or .svg file; with several games, one file each");
  app->add_option("--x", options->x,
                  "Horizontal axis of curves and comparisons (default: of the page frames and "
                  "seconds, of --curve frames)")
      ->check(CLI::IsMember({"frames", "updates", "seconds"}));
  app->add_option("--over", options->over)
      ->check(CLI::IsMember({"frames", "updates", "seconds"}))
      ->group(kHiddenGroup);
  app->add_option("--statistic", options->statistic,
                  "What curves and comparisons at equal terms show of a group's runs: their mean, "
                  "or the mean of the middle half (iqm)")
      ->check(CLI::IsMember({"mean", "iqm"}))
      ->capture_default_str();
  app->add_option("--baseline", options->baseline,
                  "Group that the others are compared with (default: the first with a "
                  "finished run)")
      ->type_name("LABEL");
  app->add_option("--title", options->title, "Title of page and picture");
  return {app, [options](const Invocation&) { return Report(*options); }};
}

}  // namespace gorila::cli
