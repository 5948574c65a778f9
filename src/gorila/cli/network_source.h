// The network that a verb's PATH names.
#ifndef GORILA_CLI_NETWORK_SOURCE_H_
#define GORILA_CLI_NETWORK_SOURCE_H_

#include <filesystem>

#include "gorila/base/status.h"
#include "gorila/cli/config_flags.h"
#include "gorila/launch/trained_network.h"

namespace gorila::cli {

// ReadTrainedNetwork(). Says on stderr when a damaged newer network was passed over. The
// configuration is that of `flags` when they name a source, else of the run directory around
// `path`; when there is none, the flags' default. Keys in `flags` come on top.
StatusOr<TrainedNetwork> LoadTrainedNetwork(const std::filesystem::path& path,
                                            const ConfigFlags& flags);

}  // namespace gorila::cli

#endif  // GORILA_CLI_NETWORK_SOURCE_H_
