// A bundle that computes nothing: its gradients lower the sum of each shard's slice by 1, after the
// time that computing takes. What it does with the parameter server is the real thing.
#ifndef GORILA_SIMULATION_MODEL_BUNDLE_H_
#define GORILA_SIMULATION_MODEL_BUNDLE_H_

#include <cstdint>
#include <functional>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/bundle_process.h"

namespace gorila::simulation {

// What its owner sees of it; not thread-safe, of the scheduler's thread.
struct ModelBundleWatch {
  std::function<double()> compute_seconds;            // of the next gradient
  std::function<void(std::int64_t frames)> made;      // frames, before anybody is told of them
  std::function<void(std::int64_t updates)> updated;  // gradients that were offered so far
  std::function<void(std::string what)> violated;
};

// Frames of the environment for each gradient.
inline constexpr std::int64_t kFramesPerUpdate = 4;

// Until the run has its frames, or a stop is requested. Errors as RunBundleProcess(). Blocks.
Status RunModelBundle(const Config& config, const BundleProcessOptions& options,
                      const RoleHooks& hooks, const ModelBundleWatch& watch);

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_MODEL_BUNDLE_H_
