#include "gorila/cli/run_jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "gorila/base/saturating.h"
#include "gorila/config/resolve.h"
#include "gorila/run/training_memory.h"

namespace gorila::cli {
namespace {

std::string Counted(std::int64_t number, std::string_view what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

// The most of the largest runs that fit into so many bytes together; one at least.
int CountFitting(const std::vector<RunCost>& largest_first, std::int64_t bytes) {
  std::int64_t sum = 0;
  int count = 0;
  for (const RunCost& run : largest_first) {
    sum = SaturatingSum(sum, run.bytes);
    if (sum > bytes) break;
    ++count;
  }
  return std::max(count, 1);
}

}  // namespace

StatusOr<RunCost> CostOf(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  return RunCost{.threads = config.run.deterministic ? 1 : std::max(config.run.bundles, 1),
                 .bytes = ExpectedTrainingBytes(config, network),
                 .on_gpu = config.network.device != "cpu",
                 .pinned = config.run.cpus != "any"};
}

Jobs ChooseJobs(std::vector<RunCost> runs, std::optional<int> wanted, const Machine& machine) {
  std::sort(runs.begin(), runs.end(),
            [](const RunCost& a, const RunCost& b) { return a.bytes > b.bytes; });
  int threads = 1;
  bool on_gpu = false;
  bool pinned = false;
  for (const RunCost& run : runs) {
    threads = std::max(threads, run.threads);
    on_gpu = on_gpu || run.on_gpu;
    pinned = pinned || run.pinned;
  }
  const int all = std::max(static_cast<int>(runs.size()), 1);
  const int by_cores = on_gpu || pinned ? 1 : std::max(machine.cores / threads, 1);
  const int fitting = CountFitting(runs, machine.available_bytes / 5 * 4);
  const std::int64_t bytes = runs.empty() ? 0 : runs.front().bytes;
  const std::string memory = fmt::format("a run takes up to {} of memory, and {} are free",
                                         FormatBytes(bytes), FormatBytes(machine.available_bytes));
  Jobs jobs{
      .number = std::min({wanted.value_or(by_cores), all, fitting}), .text = {}, .lowered = {}};
  const int asked = std::min(wanted.value_or(0), all);
  if (asked > jobs.number) {
    jobs.lowered = fmt::format("--jobs {} is lowered to {}: {}", *wanted, jobs.number, memory);
  }
  const int busy = jobs.number * threads;
  std::string cores =
      fmt::format("{} each on {}", Counted(threads, "thread"), Counted(machine.cores, "core"));
  if (busy > machine.cores && jobs.number > 1) cores += ", which they share";
  if (on_gpu) cores += ", one GPU";
  if (pinned) cores += ", pinned by run.cpus";
  jobs.text = fmt::format("{} at once: {}; {}", Counted(jobs.number, "run"), cores, memory);
  return jobs;
}

}  // namespace gorila::cli
