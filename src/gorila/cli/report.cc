#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/verb.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/runtime/run_report.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

struct ReportOptions {
  std::vector<std::string> runs;
  std::string curve;
  std::string over = "frames";
  std::string title;
};

// "LABEL=DIR", or "DIR", which is its own label.
LabelledRun ParseRun(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {fs::path(text).filename().string(), text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

void PrintScore(const LabelledRun& run) {
  const StatusOr<EvaluationRecord> final_evaluation = ReadFinalEvaluation(run.directory);
  fmt::print("{:<16} {:<48} {}\n", run.label, run.directory.string(),
             final_evaluation.ok() ? DescribeEvaluation(final_evaluation->result) : "not finished");
}

StatusOr<int> Report(const ReportOptions& options) {
  std::vector<LabelledRun> runs;
  for (const std::string& run : options.runs) runs.push_back(ParseRun(run));
  const CurveAxis axis = options.over == "frames" ? CurveAxis::kFrames : CurveAxis::kSeconds;
  GORILA_ASSIGN_OR_RETURN(LearningCurveFigure figure, CompareRuns(runs, axis));
  figure.title = options.title;
  for (const LabelledRun& run : runs) PrintScore(run);
  if (options.curve.empty()) return kSuccess;
  GORILA_RETURN_IF_ERROR(WriteLearningCurve(options.curve, figure));
  fmt::print("learning curves: {}\n", options.curve);
  return kSuccess;
}

constexpr CommandText kText = {
    .name = "report",
    .summary = "Compare the scores and learning curves of runs",
    .details = R"(Runs with the same label are one curve, with a 95 % band.
)",
    .examples = R"(gorila report runs/* --curve curves.png
gorila report gorila=runs/a gorila=runs/b dqn=runs/c --over seconds --curve curves.svg
)"};

}  // namespace

Verb AddReportVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kText);
  const auto options = std::make_shared<ReportOptions>();
  app->add_option("RUN", options->runs, "Run directories, each DIR or LABEL=DIR")->required();
  app->add_option("--curve", options->curve, "Write the curves to this .png or .svg file");
  app->add_option("--over", options->over, "What the curves run over")
      ->check(CLI::IsMember({"frames", "seconds"}))
      ->capture_default_str();
  app->add_option("--title", options->title, "Title of the picture");
  return {app, [options](const Invocation&) { return Report(*options); }};
}

}  // namespace gorila::cli
