#include "gorila/launch/role_cores.h"

#include <utility>

#include "gorila/run/run_cores.h"

namespace gorila {
namespace {

// From 0, among all that do not serve.
std::size_t PlaceOfWorker(const Config& config, Role role, int index) {
  return static_cast<std::size_t>(MetricsPlace(config, role, index) - 1 - CountServers(config));
}

}  // namespace

StatusOr<std::vector<int>> CoresOfProcess(const Config& config, Role role, int index) {
  GORILA_ASSIGN_OR_RETURN(std::vector<int> all, RunCores(config));
  if (all.empty() || RowOf(role).serves) return all;
  const std::vector<std::vector<int>> parts = DealOutCores(all, CountWorkers(config));
  const std::size_t place = PlaceOfWorker(config, role, index);
  return place < parts.size() ? parts[place] : all;
}

StatusOr<std::unique_ptr<PinnedThread>> PinProcess(const Config& config, Role role, int index) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<int> cores, CoresOfProcess(config, role, index));
  if (cores.empty()) return nullptr;
  return PinnedThread::Pin(cores);
}

Status CheckEnginePlaces(const Config& config, std::string_view name) {
  if (config.run.cpus == "any") return OkStatus();
  return InvalidArgument(
      "run.cpus is {} with --engine {}, which places processes on cores itself; expected any "
      "(cluster.cpus says how many each process gets)",
      config.run.cpus, name);
}

}  // namespace gorila
