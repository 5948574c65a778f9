// Where the runs of a suite are.
#ifndef GORILA_SCORES_RUN_FOLDERS_H_
#define GORILA_SCORES_RUN_FOLDERS_H_

#include <filesystem>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// `folder`, or those below it that are runs (with a config.toml), in the order of their names.
// Blocks on the disk. InvalidArgument when there is none, Unavailable when it cannot be read.
StatusOr<std::vector<std::filesystem::path>> FindRuns(const std::filesystem::path& folder);

}  // namespace gorila

#endif  // GORILA_SCORES_RUN_FOLDERS_H_
