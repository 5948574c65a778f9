// The results of a finished run, and whether they are older than its state.
#ifndef GORILA_RUN_RUN_RESULTS_H_
#define GORILA_RUN_RUN_RESULTS_H_

#include <filesystem>
#include <functional>

#include "gorila/base/status.h"

namespace gorila {

// final.safetensors in the run's folder.
std::filesystem::path FinalNetworkFile(const std::filesystem::path& run);
bool HasFinalNetwork(const std::filesystem::path& run);

// Whether the run's final network is its newest state: the run is finished, or the network is that
// of its newest checkpoint. A run that trains on is not finished any more. Blocks on the disk.
bool FinalNetworkIsNewest(const std::filesystem::path& run);

// Removes the final evaluation, without which a run counts as unfinished, whatever else an earlier
// end left. Call it before the run's configuration or state changes. The removal is on disk when it
// returns. OK when there is nothing to remove.
Status MarkUnfinished(const std::filesystem::path& run);

// Removes what an earlier end of the run left: its evaluations, reports, film and final network.
// To be called before a newer state is written; MarkUnfinished is the first step. OK when there is
// nothing.
Status RemoveResults(const std::filesystem::path& run);

// RemoveResults with another way to remove a path, with all below it, for tests of where it fails.
using RemovePath = std::function<Status(const std::filesystem::path&)>;
Status RemoveResults(const std::filesystem::path& run, const RemovePath& remove);

}  // namespace gorila

#endif  // GORILA_RUN_RUN_RESULTS_H_
