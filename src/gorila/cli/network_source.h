// Where a trained network is stored: a run directory, a checkpoint or a file.
#ifndef GORILA_CLI_NETWORK_SOURCE_H_
#define GORILA_CLI_NETWORK_SOURCE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/cli/config_flags.h"
#include "gorila/config/config.h"

namespace gorila::cli {

struct TrainedNetwork {
  Config config;
  std::vector<float> parameters;
  std::filesystem::path file;  // that they were read from, or folder of servers' snapshots
  std::string versions;        // of those snapshots, else empty
};

// `path`: a run directory (ReadRunNetwork() says which of its networks), a checkpoint's folder or a
// safetensors file. Says on stderr when a damaged newer one was passed over. The configuration is
// that of `flags` when they name a source, else of the run directory around `path`; when there is
// none, the flags' default. Keys in `flags` come on top. NotFound, DataLoss or InvalidArgument,
// with the path, for anything else.
StatusOr<TrainedNetwork> LoadTrainedNetwork(const std::filesystem::path& path,
                                            const ConfigFlags& flags);

}  // namespace gorila::cli

#endif  // GORILA_CLI_NETWORK_SOURCE_H_
