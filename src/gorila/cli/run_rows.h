// The table of a suite's or a sweep's runs, which grows as they end.
#ifndef GORILA_CLI_RUN_ROWS_H_
#define GORILA_CLI_RUN_ROWS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "gorila/cli/run_plan.h"
#include "gorila/cli/run_queue.h"
#include "gorila/metrics/progress.h"

namespace gorila::cli {

// One thread.
class RunRows {
 public:
  // `left`: how many of the plan's runs are not done. `plan` and `options` must outlive this.
  RunRows(const RunPlan& plan, const ManyRunsOptions& options, std::size_t left);

  void Show(std::size_t run, const RunOutcome& outcome);
  // On a terminal, how far the runs are that train, in a line that the next row replaces. Reads the
  // ends of their logs.
  void ShowRunning(const std::vector<std::size_t>& runs);
  void SayStopping();
  // Says what is missing; the exit status.
  int End();

 private:
  void ClearLine();
  void PrintRow(const std::vector<std::string>& cells);
  std::vector<std::string> Cells(std::size_t run, const RunOutcome& outcome) const;
  void SayFailure(const PlannedRun& run, const RunOutcome& outcome);

  const RunPlan& plan_;
  const ManyRunsOptions& options_;
  std::size_t left_;
  std::size_t failed_ = 0;
  std::size_t busy_ = 0;
  bool stopping_ = false;
  bool headed_ = false;
  bool line_shown_ = false;
  const ProgressOptions terminal_;
  std::vector<std::size_t> widths_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_RUN_ROWS_H_
