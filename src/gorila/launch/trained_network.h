// Where a trained network is stored: a run's folder, a checkpoint or a file.
#ifndef GORILA_LAUNCH_TRAINED_NETWORK_H_
#define GORILA_LAUNCH_TRAINED_NETWORK_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

struct TrainedNetwork {
  Config config;
  std::vector<float> parameters;
  std::filesystem::path file;  // that they were read from, or folder of servers' snapshots
  std::string versions;        // of those snapshots, else empty
  std::vector<std::string> warnings = {};  // why newer ones were passed over
};

// What is known of a network from where it lies.
struct NetworkOrigin {
  std::filesystem::path config;  // config.toml of the run that it is from; empty: none
  std::string environment = {};  // of a file outside any run the game that it says it learnt, or ""
};

// The configuration of a network.
using NetworkConfigSource = std::function<StatusOr<Config>(const NetworkOrigin& origin)>;

// `path`: a run directory (ReadRunNetwork() says which of its networks), a checkpoint's folder or a
// safetensors file. NotFound, DataLoss or InvalidArgument, with the path, for anything else.
StatusOr<TrainedNetwork> ReadTrainedNetwork(const std::filesystem::path& path,
                                            const NetworkConfigSource& configure);

}  // namespace gorila

#endif  // GORILA_LAUNCH_TRAINED_NETWORK_H_
