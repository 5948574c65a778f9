// The runs in a folder of many.
#ifndef GORILA_REPORT_RUN_INDEX_H_
#define GORILA_REPORT_RUN_INDEX_H_

#include <filesystem>
#include <string>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

struct FoundRuns {
  std::vector<std::filesystem::path> runs;  // sorted
  // What was not searched, one line for each reason: how many folders, and the first one.
  std::vector<std::string> notes;
};

// Every run at or below `folder`, each once. Does not search runs, hidden folders, or folders that
// a symbolic link reaches a second time. Blocks on the disk. NotFound for no folder, Unavailable
// for one that may not be read; folders below it that may not be read are in `notes`.
StatusOr<FoundRuns> FindRuns(const std::filesystem::path& folder);

// As FindRuns(); InvalidArgument when there are none.
StatusOr<FoundRuns> FindSomeRuns(const std::filesystem::path& folder);

// As FindSomeRuns(); Unavailable when a folder could not be searched: a run may be missing.
StatusOr<std::vector<std::filesystem::path>> FindAllRuns(const std::filesystem::path& folder);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_INDEX_H_
