#include "gorila/run/run_cores.h"

#include <algorithm>
#include <iterator>

#include "gorila/config/games.h"
#include "gorila/env/external/external_name.h"

namespace gorila {
namespace {

bool HasWorkerProcesses(const Config& config) {
  const std::vector<std::string> games = GamesOf(config);
  return std::any_of(games.begin(), games.end(),
                     [](const std::string& game) { return ParseExternalName(game).has_value(); });
}

}  // namespace

StatusOr<std::vector<int>> RunCores(const Config& config) {
  if (config.run.cpus == "any") return std::vector<int>();
  StatusOr<std::vector<int>> cores = ParseCores(config.run.cpus);
  if (!cores.ok()) return Annotate(cores.status(), "run.cpus");
  const std::vector<int> allowed = AllowedCores();
  std::vector<int> missing;
  std::set_difference(cores->begin(), cores->end(), allowed.begin(), allowed.end(),
                      std::back_inserter(missing));
  if (missing.empty()) return cores;
  return InvalidArgument(
      "run.cpus is {}, but this process may not use {}; expected some of {}: what the machine has, "
      "and its container, batch job or taskset leaves",
      config.run.cpus, CoresText(missing), CoresText(allowed));
}

StatusOr<std::unique_ptr<PinnedThread>> PinToRunCores(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<int> cores, RunCores(config));
  if (cores.empty()) return nullptr;
  return PinnedThread::Pin(cores);
}

std::vector<int> CoreOfEachBundle(const Config& config) {
  std::vector<int> each;
  if (config.run.cpus == "any" || config.run.deterministic || HasWorkerProcesses(config)) {
    return each;
  }
  const StatusOr<std::vector<int>> cores = ParseCores(config.run.cpus);
  if (!cores.ok()) return each;
  // The first of its part, so that bundles are spread over the nodes of the machine.
  for (const std::vector<int>& part : DealOutCores(*cores, config.run.bundles)) {
    each.push_back(part.front());
  }
  return each;
}

std::string DescribeRunCores(const Config& config) {
  if (config.run.cpus == "any") return "run.cpus is any: threads run where the system puts them";
  const std::vector<int> each = CoreOfEachBundle(config);
  if (each.empty()) {
    return fmt::format("run.cpus {}: all threads share these", config.run.cpus);
  }
  return fmt::format(
      "run.cpus {}: bundles on cores {}, a thread each; other threads on all of them",
      config.run.cpus, fmt::join(each, ", "));
}

}  // namespace gorila
