#include "gorila/scores/run_folders.h"

#include <algorithm>

namespace gorila {
namespace {

namespace fs = std::filesystem;

bool IsRun(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder / "config.toml", error);
}

}  // namespace

StatusOr<std::vector<fs::path>> FindRuns(const fs::path& folder) {
  if (IsRun(folder)) return std::vector<fs::path>{folder};
  std::vector<fs::path> runs;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (!entry->is_directory(error) || !IsRun(entry->path())) continue;
    runs.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  if (error) return Unavailable("'{}' cannot be read: {}", folder.string(), error.message());
  if (runs.empty()) {
    return InvalidArgument("'{}' has no run directory in it (a folder with config.toml)",
                           folder.string());
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

}  // namespace gorila
