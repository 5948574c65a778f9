// Looks for plans that break an invariant, and makes them small.
#ifndef GORILA_SIMULATION_SEARCH_H_
#define GORILA_SIMULATION_SEARCH_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "gorila/base/status.h"
#include "gorila/simulation/plan.h"
#include "gorila/simulation/world.h"

namespace gorila::simulation {

// RunWorld() in a child process: nothing is left of it, and a plan that crashes it is a violation
// like others. Unavailable when there can be no child.
StatusOr<WorldResult> RunApart(const Plan& plan);

struct SearchOptions {
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 1;
  PlanOptions plan;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::function<bool()> stopped = {};  // asked between runs; may be empty
  // Told of each seed; may be empty.
  std::function<void(std::uint64_t seed, const WorldResult& result)> ran = {};
};

struct SearchResult {
  std::int64_t seeds = 0;
  std::int64_t wasted = 0;    // in which no gradient was accepted
  std::int64_t repeated = 0;  // run a second time, with the same steps
  double virtual_seconds = 0;
  std::uint64_t steps = 0;
  std::map<std::string, std::int64_t> counts;  // sums of WorldResult's
  std::optional<Plan> failed;                  // the first that broke an invariant
  WorldResult failure;                         // what it broke
};

// Each seed's plan until the first failure, the deadline or a stop. Every 20th runs twice, and must
// take the same steps.
StatusOr<SearchResult> Search(const SearchOptions& options);

// A plan with fewer faults, fewer processes and plainer conditions that breaks an invariant too, or
// the plan itself. Delta debugging (Zeller 2002); `still` may stop it: false = enough.
StatusOr<Plan> Shrink(const Plan& plan, const std::function<bool()>& still);

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_SEARCH_H_
