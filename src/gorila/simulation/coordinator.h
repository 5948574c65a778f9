// The coordinator of a simulated cluster: the real one, in a run's folder of its own.
#ifndef GORILA_SIMULATION_COORDINATOR_H_
#define GORILA_SIMULATION_COORDINATOR_H_

#include <cstdint>
#include <filesystem>
#include <functional>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/remote_parts.h"
#include "gorila/launch/role_options.h"
#include "gorila/run/trainer.h"

namespace gorila::simulation {

// What its owner sees of it; of the scheduler's thread.
struct CoordinatorWatch {
  std::function<void(std::int64_t frames)> shows;      // as often as it looks
  std::function<void(std::int64_t frames)> evaluated;  // a periodic evaluation, once it is logged
  std::function<void(const TrainingOutcome& outcome)> ended;
};

// As `gorila coordinator`: creates the run's folder, or continues the run that is in it.
// Errors of Coordinator. Blocks until the run has ended, or a stop is requested.
Status RunCoordinator(const Config& config, const std::filesystem::path& folder,
                      const RemoteParts& parts, const RoleHooks& hooks,
                      const CoordinatorWatch& watch);

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_COORDINATOR_H_
