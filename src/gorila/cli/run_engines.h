// What trains the runs of a suite or a sweep: one table row an engine.
#ifndef GORILA_CLI_RUN_ENGINES_H_
#define GORILA_CLI_RUN_ENGINES_H_

#include <string_view>

#include "gorila/cli/run_plan.h"

namespace gorila::cli {

struct RunEngine {
  std::string_view name;
  // InvalidArgument for what this engine cannot run, before anything is written.
  Status (*check)(const RunPlan& plan, const ManyRunsOptions& options);
  // Prints what would be started, without writing anything; the exit status.
  StatusOr<int> (*print)(const RunPlan& plan, const ManyRunsOptions& options);
  // Hands the runs that are not finished to a scheduler; the exit status. Null: they train here.
  StatusOr<int> (*submit)(const RunPlan& plan, const ManyRunsOptions& options);
};

// That of --engine. InvalidArgument with the names there are.
StatusOr<RunEngine> FindRunEngine(const ManyRunsOptions& options);

// Whether every run has its final evaluation: then there is nothing to submit.
bool AllTrained(const RunPlan& plan);

}  // namespace gorila::cli

#endif  // GORILA_CLI_RUN_ENGINES_H_
