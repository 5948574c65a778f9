// The runs that a command line names for a comparison.
#ifndef GORILA_REPORT_COMPARED_RUNS_H_
#define GORILA_REPORT_COMPARED_RUNS_H_

#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/report/run_summary.h"

namespace gorila {

struct ComparedRuns {
  std::vector<RunSummary> runs;
  std::vector<std::string> young;     // runs without any result yet, left out: one line or none
  std::vector<std::string> problems;  // what could not be read and is left out, a line each
};

// Each argument is [LABEL=]DIR: a run, or a folder with runs at any depth, which all get the label.
// A run that is named itself must be readable; of a folder's runs those that are not are left out.
// Errors as ReadRun()'s; InvalidArgument for a folder without runs, or for a run that comes twice
// under one label.
StatusOr<ComparedRuns> ReadComparedRuns(std::span<const std::string> arguments);

}  // namespace gorila

#endif  // GORILA_REPORT_COMPARED_RUNS_H_
