#include "gorila/cli/run_rows.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "gorila/cli/exit_status.h"
#include "gorila/metrics/number_format.h"
#include "gorila/report/run_score_text.h"
#include "gorila/run/logged_progress.h"

namespace gorila::cli {
namespace {

using Kind = RunOutcome::Kind;

// Of a run that ended with nothing to show for; empty = nothing is wrong.
std::string Problem(const RunOutcome& outcome) {
  if (outcome.kind != Kind::kFinished) return outcome.why;
  if (!outcome.record.has_value() || !outcome.record->context.has_value()) return "";
  return outcome.record->context->problem;
}

std::string Result(const RunOutcome& outcome) {
  switch (outcome.kind) {
    case Kind::kFinished:
      return DescribeMean(outcome.record->result.summary);
    case Kind::kFailed:
      return "failed";
    case Kind::kBusy:
      return "in use";
    case Kind::kInterrupted:
      break;
  }
  return "stopped";
}

std::vector<std::string> Heading(const RunPlan& plan) {
  std::vector<std::string> cells = {"run", "game"};
  for (std::string& name : AxisNames(plan.axes)) cells.push_back(std::move(name));
  for (const char* const cell : {"seed", "score", "took"}) cells.emplace_back(cell);
  return cells;
}

// What a run's row begins with.
std::vector<std::string> NameCells(const RunPlan& plan, std::size_t index) {
  const PlannedRun& run = plan.runs[index];
  std::vector<std::string> cells = {fmt::format("{}/{}", index + 1, plan.runs.size()), run.game};
  for (const std::string& value : run.point) cells.push_back(ShownValue(value));
  cells.push_back(std::to_string(run.config.run.seed));
  return cells;
}

}  // namespace

RunRows::RunRows(const RunPlan& plan, const ManyRunsOptions& options, std::size_t left)
    : plan_(plan),
      options_(options),
      left_(left),
      terminal_(DetectProgressOptions(STDERR_FILENO, options.quiet)) {
  constexpr std::size_t kScore = 16;
  for (const std::string& cell : Heading(plan)) widths_.push_back(cell.size());
  widths_[widths_.size() - 2] = kScore;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    const std::vector<std::string> cells = NameCells(plan, i);
    for (std::size_t c = 0; c < cells.size(); ++c) {
      widths_[c] = std::max(widths_[c], cells[c].size());
    }
  }
  if (options.quiet) return;
  fmt::print("{} runs in '{}', of which {} are done\n", plan.runs.size(), options.folder.string(),
             plan.runs.size() - left);
  std::fflush(stdout);
}

void RunRows::ClearLine() {
  if (line_shown_) std::cerr << "\r\x1b[K" << std::flush;
  line_shown_ = false;
}

void RunRows::ShowRunning(const std::vector<std::size_t>& runs) {
  if (!terminal_.terminal || terminal_.quiet || stopping_ || runs.empty()) return;
  std::string line =
      fmt::format("{} of {} done; training", plan_.runs.size() - left_, plan_.runs.size());
  for (const std::size_t index : runs) {
    const PlannedRun& run = plan_.runs[index];
    const auto logged = ReadLoggedProgress(run.directory / "metrics.jsonl");
    const std::int64_t frames = logged.ok() ? logged->frames : 0;
    line += fmt::format("{} {}: {:.0f} %", index == runs.front() ? "" : ",", index + 1,
                        100.0 * static_cast<double>(frames) /
                            static_cast<double>(std::max<std::int64_t>(run.config.run.frames, 1)));
  }
  const auto columns = static_cast<std::size_t>(std::max(terminal_.size().columns - 1, 1));
  ClearLine();
  std::cerr << line.substr(0, columns) << std::flush;
  line_shown_ = true;
}

void RunRows::PrintRow(const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    line += i + 1 < cells.size() ? fmt::format("{:<{}}  ", cells[i], widths_[i]) : cells[i];
  }
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

std::vector<std::string> RunRows::Cells(std::size_t run, const RunOutcome& outcome) const {
  std::vector<std::string> cells = NameCells(plan_, run);
  cells.push_back(Result(outcome));
  cells.push_back(FormatDuration(outcome.seconds));
  return cells;
}

void RunRows::Show(std::size_t run, const RunOutcome& outcome) {
  ClearLine();
  if (outcome.kind == Kind::kInterrupted) return;
  if (!headed_) PrintRow(Heading(plan_));
  headed_ = true;
  --left_;
  PrintRow(Cells(run, outcome));
  for (const std::string& line : outcome.said) fmt::print("{}\n", line);
  std::fflush(stdout);
  if (!Problem(outcome).empty()) SayFailure(plan_.runs[run], outcome);
}

void RunRows::SayFailure(const PlannedRun& run, const RunOutcome& outcome) {
  ++(outcome.kind == Kind::kBusy ? busy_ : failed_);
  std::string text = fmt::format("gorila: {}: {}\n", run.directory.string(), Problem(outcome));
  for (const std::string& line : outcome.log_tail) text += fmt::format("  {}\n", line);
  if (outcome.kind != Kind::kBusy) text += fmt::format("  its log is '{}'\n", run.log().string());
  std::cerr << text;
}

void RunRows::SayStopping() {
  if (stopping_) return;
  ClearLine();
  stopping_ = true;
  std::cerr << "stopping every run with a checkpoint; press Ctrl-C again to quit at once\n";
}

int RunRows::End() {
  ClearLine();
  const char* const verb = options_.verb;
  if (left_ > 0) {
    std::cerr << fmt::format(
        "{} of {} runs are left; run the same command again to resume the {}\n", left_,
        plan_.runs.size(), verb);
    return kInterrupted;
  }
  if (failed_ > 0) {
    std::cerr << fmt::format(
        "gorila: {} of {} runs failed; the same command tries those again that "
        "have no result\n",
        failed_, plan_.runs.size());
  }
  if (busy_ > 0) {
    std::cerr << fmt::format(
        "gorila: another process has {} of the runs; run the same command again when it has "
        "finished\n",
        busy_);
  }
  return failed_ + busy_ > 0 ? kFailure : kSuccess;
}

}  // namespace gorila::cli
