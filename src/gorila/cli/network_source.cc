#include "gorila/cli/network_source.h"

#include <cstdio>

#include "gorila/config/config_load.h"

namespace gorila::cli {

StatusOr<TrainedNetwork> LoadTrainedNetwork(const std::filesystem::path& path,
                                            const ConfigFlags& flags) {
  const auto configure = [&flags](const std::filesystem::path& run) -> StatusOr<Config> {
    if (flags.NamesSource() || run.empty()) return flags.Load();
    GORILA_ASSIGN_OR_RETURN(Config config, LoadRunConfig(run));
    GORILA_RETURN_IF_ERROR(flags.ApplyTo(config));
    return config;
  };
  GORILA_ASSIGN_OR_RETURN(TrainedNetwork network, ReadTrainedNetwork(path, configure));
  for (const std::string& warning : network.warnings) {
    fmt::print(stderr, "gorila: {}; using {}\n", warning, network.file.string());
  }
  return network;
}

}  // namespace gorila::cli
