// The results of a finished run, and whether they are older than its state.
#ifndef GORILA_RUNTIME_RUN_RESULTS_H_
#define GORILA_RUNTIME_RUN_RESULTS_H_

#include <filesystem>

#include "gorila/base/status.h"

namespace gorila {

// final.safetensors in the run's folder.
std::filesystem::path FinalNetworkFile(const std::filesystem::path& run);
bool HasFinalNetwork(const std::filesystem::path& run);

// Whether the run's final network is its newest state: the run is finished, or the network is that
// of its newest checkpoint. A run that trains on is not finished any more. Blocks on the disk.
bool FinalNetworkIsNewest(const std::filesystem::path& run);

// Removes what an earlier end of the run left: its evaluations, reports, film and final network.
// To be called before a newer state is written; the run counts as finished no more as of the first
// removal. OK when there is nothing.
Status RemoveResults(const std::filesystem::path& run);

}  // namespace gorila

#endif  // GORILA_RUNTIME_RUN_RESULTS_H_
