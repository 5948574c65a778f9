// A simulated cluster: machines with their processes, what fails of them, and who starts them
// again.
#ifndef GORILA_SIMULATION_WORLD_H_
#define GORILA_SIMULATION_WORLD_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/simulation/plan.h"

namespace gorila::simulation {

struct WorldResult {
  std::vector<std::string> violations;
  std::uint64_t hash = 0;  // of all steps
  std::uint64_t steps = 0;
  double seconds = 0;  // of virtual time
  // What happened how often: faults by kind, gradients, generations, calls, ...
  std::map<std::string, std::int64_t> counts;
  std::vector<std::string> log;  // what processes said; empty unless asked for
};

// Runs a plan from beginning to end. One at a time in a thread; what killed processes had in memory
// is not given back. `log`: keep what processes say. Errors only where the plan's run cannot be set
// up.
StatusOr<WorldResult> RunWorld(const Plan& plan, bool log = false);

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_WORLD_H_
