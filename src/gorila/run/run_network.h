// The network of a run's folder, whatever kind of run it is and whether it is finished.
#ifndef GORILA_RUN_RUN_NETWORK_H_
#define GORILA_RUN_RUN_NETWORK_H_

#include <filesystem>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

struct RunNetwork {
  std::vector<float> parameters;
  std::filesystem::path file;         // or the folder that they were put together from
  std::string versions;               // "versions 810, 812" of the servers' snapshots, else empty
  std::vector<std::string> warnings;  // why newer ones were passed over
};

// The run's newest network: its final one unless the run has trained further, else that of its
// newest complete checkpoint or of the newest complete snapshots of all its parameter servers, else
// the best network of its evaluations. `config` is the run's own. Reads only. NotFound for a run
// without any; DataLoss naming the slice that no snapshot has.
StatusOr<RunNetwork> ReadRunNetwork(const std::filesystem::path& run, const Config& config,
                                    const ParameterLayout& layout);

// What the newest snapshots of a launched run's parameter servers make together. They are not of
// the same instant. NotFound when no server has one yet.
StatusOr<RunNetwork> ReadServerSnapshots(const std::filesystem::path& run, const Config& config,
                                         const ParameterLayout& layout);

}  // namespace gorila

#endif  // GORILA_RUN_RUN_NETWORK_H_
