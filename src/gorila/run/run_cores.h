// run.cpus: on which cores the threads of a run in this process run.
#ifndef GORILA_RUN_RUN_CORES_H_
#define GORILA_RUN_RUN_CORES_H_

#include <memory>
#include <string>
#include <vector>

#include "gorila/base/cores.h"
#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

// The cores of run.cpus; empty where it is "any". InvalidArgument, naming those, when the calling
// thread may not use some of them.
StatusOr<std::vector<int>> RunCores(const Config& config);

// Pins the calling thread, and threads that it starts from now on, to them until the end of what is
// given; null where run.cpus is "any".
StatusOr<std::unique_ptr<PinnedThread>> PinToRunCores(const Config& config);

// The core of each bundle's thread in one process. Empty where the threads share all of run.cpus:
// there are fewer cores than bundles, one thread steps all of them, or the games run in worker
// processes, which compute beside the thread that started them.
std::vector<int> CoreOfEachBundle(const Config& config);

// What run.cpus does in one process, in one line for people.
std::string DescribeRunCores(const Config& config);

}  // namespace gorila

#endif  // GORILA_RUN_RUN_CORES_H_
