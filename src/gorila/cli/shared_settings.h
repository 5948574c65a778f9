// What the runs of a suite's or a sweep's folder have in common.
#ifndef GORILA_CLI_SHARED_SETTINGS_H_
#define GORILA_CLI_SHARED_SETTINGS_H_

#include <filesystem>
#include <span>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/config/sweep_axis.h"

namespace gorila::cli {

// Compares with the folder's settings.toml; OK where there is none. Games, seeds and values of the
// axes may differ, and what only places processes (cluster.cpus, [slurm], ...). InvalidArgument
// naming the first key that does, and for a folder that is a run's.
Status CheckSharedSettings(const std::filesystem::path& folder, const Config& config,
                           std::span<const SweepAxis> axes);

// Records network.init_from for all runs, unless an axis varies it. True where the folder's
// settings.toml has a record of the same source: it is kept, and the source need not exist any
// more. Otherwise the source is read. Errors as RecordInitialNetwork()'s.
StatusOr<bool> ShareInitialNetwork(const std::filesystem::path& folder,
                                   std::span<const SweepAxis> axes, Config& config);

// Makes the folder and writes settings.toml, unless it is there.
Status WriteSharedSettings(const std::filesystem::path& folder, const Config& config,
                           std::span<const SweepAxis> axes);

}  // namespace gorila::cli

#endif  // GORILA_CLI_SHARED_SETTINGS_H_
