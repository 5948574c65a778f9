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
#include "gorila/cli/verb.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/run_report.h"
#include "gorila/report/run_summary.h"
#include "gorila/report/runs_report.h"

namespace gorila::cli {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string html = "report.html";
  std::string markdown;
  std::string curve;
  std::string over = "frames";
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

Status WriteCurves(const ReportOptions& options, std::span<const RunSummary> runs) {
  const CurveAxis axis = options.over == "frames" ? CurveAxis::kFrames : CurveAxis::kSeconds;
  GORILA_ASSIGN_OR_RETURN(std::vector<ComparedCurves> all, CompareRuns(runs, axis));
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
Status WriteMarkdown(const ReportOptions& options, std::span<const RunSummary> runs) {
  const std::filesystem::path path = options.markdown;
  GORILA_ASSIGN_OR_RETURN(const MarkdownReport report,
                          RenderMarkdownReport(runs, options.title, path.stem().string()));
  for (const ReportPicture& picture : report.pictures) {
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(path.parent_path() / picture.name, picture.bytes));
  }
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(path, report.text));
  fmt::print("report: {}\n", options.markdown);
  return OkStatus();
}

StatusOr<int> Report(const ReportOptions& options) {
  std::vector<RunSummary> summaries;
  for (const std::string& run : options.runs) {
    GORILA_ASSIGN_OR_RETURN(summaries.emplace_back(), ReadRun(ParseLabelledRun(run)));
  }
  GORILA_ASSIGN_OR_RETURN(const std::string html, RenderHtmlReport(summaries, options.title));
  PrintRunScores(summaries);
  if (!options.curve.empty()) GORILA_RETURN_IF_ERROR(WriteCurves(options, summaries));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(options.html, html));
  fmt::print("report: {}\n", options.html);
  if (!options.markdown.empty()) GORILA_RETURN_IF_ERROR(WriteMarkdown(options, summaries));
  return kSuccess;
}

constexpr CommandText kReportText = {
    .name = "report",
    .summary = "Compare runs on an HTML page",
    .details =
        R"(Prints the final scores and writes one HTML page that needs no other file: scores, learning
curves, an episode, counters, cost and configuration. Each game has its own figures. Runs of one
game whose settings differ only in the seed are one group: one curve, with a 95 % band. Different
labels separate groups too. A game's groups are compared at equal frames and at equal wall time.
)",
    .examples = R"(gorila report runs/* --html breakout.html --curve curves.png
gorila report runs/a --markdown breakout.md
gorila report gorila=runs/a gorila=runs/b dqn=runs/c --over seconds --curve curves.svg
)"};

}  // namespace

Verb AddReportVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kReportText);
  const auto options = std::make_shared<ReportOptions>();
  app->add_option("RUN", options->runs, "Run directories, each DIR or LABEL=DIR")->required();
  app->add_option("--html", options->html, "Where to write the page")
      ->type_name("FILE")
      ->capture_default_str();
  app->add_option("--markdown", options->markdown,
                  "Write it as Markdown too, with its pictures (.svg, .gif) beside that file")
      ->type_name("FILE");
  app->add_option("--curve", options->curve,
                  "Write the curves to this .png or .svg file; with several games, one file each");
  app->add_option("--over", options->over, "Horizontal axis of the curves")
      ->check(CLI::IsMember({"frames", "seconds"}))
      ->capture_default_str();
  app->add_option("--title", options->title, "Title of page and picture");
  return {app, [options](const Invocation&) { return Report(*options); }};
}

}  // namespace gorila::cli
