// How many training runs this machine takes at once.
#ifndef GORILA_CLI_RUN_JOBS_H_
#define GORILA_CLI_RUN_JOBS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/cli/machine.h"
#include "gorila/config/config.h"

namespace gorila::cli {

// What a run takes while it trains.
struct RunCost {
  int threads = 1;  // that compute
  std::int64_t bytes = 0;
  bool on_gpu = false;
  bool pinned = false;  // to cores of run.cpus, which others would have to share
};

StatusOr<RunCost> CostOf(const Config& config);

struct Jobs {
  int number = 1;
  std::string text;     // one line that explains it
  std::string lowered;  // why it is fewer than wanted; empty where it is not
};

// `wanted`: nothing for as many as have cores of their own, of runs on a GPU, or pinned to
// cores, one. Any number is
// lowered to what fits into four fifths of the free memory, one at least. Pure.
Jobs ChooseJobs(std::vector<RunCost> runs, std::optional<int> wanted, const Machine& machine);

}  // namespace gorila::cli

#endif  // GORILA_CLI_RUN_JOBS_H_
