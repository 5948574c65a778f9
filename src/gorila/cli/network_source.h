// The network that a verb's PATH names.
#ifndef GORILA_CLI_NETWORK_SOURCE_H_
#define GORILA_CLI_NETWORK_SOURCE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/cli/config_flags.h"
#include "gorila/launch/trained_network.h"

namespace gorila::cli {

// ReadTrainedNetwork(). Says on stderr when a damaged newer network was passed over. The
// configuration is that of `flags` when they name a source, else of the run directory around
// `path`; when there is none, the flags' default, with the game that a safetensors file says it
// learnt unless `flags` name one. Keys in `flags` come on top.
StatusOr<TrainedNetwork> LoadTrainedNetwork(const std::filesystem::path& path,
                                            const ConfigFlags& flags);

// --at: the network of a run at some frames, instead of its newest.
using AtFrames = std::optional<std::int64_t>;
void AddAtFlag(CLI::App& app, AtFrames& at);
// LoadTrainedNetwork() of the run's milestone or checkpoint that --at names; of `path` itself
// without it.
StatusOr<TrainedNetwork> LoadTrainedNetworkAt(const std::filesystem::path& path, AtFrames at,
                                              const ConfigFlags& flags);

// Of a run with several games the one that --game names; of one game nothing changes.
// InvalidArgument, naming the run's games, for another one.
Status ChooseGame(const std::string& game, Config& config);

// ChooseGame() for `verb`, which shows one game: InvalidArgument without --game where there are
// several.
Status ChooseOneGame(std::string_view verb, const std::string& game, Config& config);

void AddGameFlag(CLI::App& app, std::string& game, const char* meaning);

}  // namespace gorila::cli

#endif  // GORILA_CLI_NETWORK_SOURCE_H_
