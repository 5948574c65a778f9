// run.cpus where a run is several processes: which of them runs on which cores.
#ifndef GORILA_LAUNCH_ROLE_CORES_H_
#define GORILA_LAUNCH_ROLE_CORES_H_

#include <memory>
#include <vector>

#include "gorila/base/cores.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/roles.h"

namespace gorila {

// The cores of a process: workers have a part of run.cpus each, in the order of the table of roles,
// where there are at least as many cores; servers, and workers where there are fewer, have all.
// Empty where run.cpus is "any". InvalidArgument for cores that may not be used here.
StatusOr<std::vector<int>> CoresOfProcess(const Config& config, Role role, int index);

// Pins the calling thread, and threads that it starts from now on, to them; null with "any".
StatusOr<std::unique_ptr<PinnedThread>> PinProcess(const Config& config, Role role, int index);

// InvalidArgument where run.cpus is not "any": the engine `name` places processes on cores itself.
Status CheckEnginePlaces(const Config& config, std::string_view name);

}  // namespace gorila

#endif  // GORILA_LAUNCH_ROLE_CORES_H_
