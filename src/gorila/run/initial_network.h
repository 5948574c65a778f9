// A new run may begin with what another network learnt: network.init_from.
//
// Tensors of the same name and shape are taken, heads of several games by the games' names. What
// the run begins with is stored in its folder (initial.safetensors), so that nothing depends on the
// source any more; network.init_record says which file it was.
#ifndef GORILA_RUN_INITIAL_NETWORK_H_
#define GORILA_RUN_INITIAL_NETWORK_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/network/parameter_layout.h"

namespace gorila {

// initial.safetensors in the run's folder.
std::filesystem::path InitialNetworkFile(const std::filesystem::path& run);

// Reads what network.init_from names: of a run the network that gorila evaluate takes
// (run_network.h). Makes it the absolute path of that network, and writes down its checksum
// (network.init_record), unless it is there; then it must be the same. Gives lines for people: what
// is taken, and what is not. Nothing without init_from. InvalidArgument where nothing fits or the
// checksum differs; NotFound or DataLoss, with the path, for what cannot be read.
StatusOr<std::vector<std::string>> RecordInitialNetwork(Config& config);

// The same for the path and the checksum alone, before it is known which network begins with them.
Status RecordInitialSource(Config& config);

// Whether `run` began with what `init_from` names (the same file, or the network of that folder):
// then it gives `config` its init_from and init_record, and the source need not be there any more.
bool KeepInitialNetwork(const Config& run, Config& config);

// What a new run with a recorded network begins with; nullopt without network.init_from.
StatusOr<std::optional<std::vector<float>>> ComposeInitialNetwork(const Config& config,
                                                                  const ParameterLayout& layout);

// The same for a run that is being made, and stores it in the run's folder.
StatusOr<std::optional<std::vector<float>>> StoreInitialNetwork(const Config& config,
                                                                const ParameterLayout& layout,
                                                                const std::filesystem::path& run);

// What StoreInitialNetwork stored in `file`; nullopt without network.init_from. DataLoss for a
// missing or damaged file, InvalidArgument for that of another network.init_from.
StatusOr<std::optional<std::vector<float>>> ReadInitialNetwork(const Config& config,
                                                               const ParameterLayout& layout,
                                                               const std::filesystem::path& file);

}  // namespace gorila

#endif  // GORILA_RUN_INITIAL_NETWORK_H_
