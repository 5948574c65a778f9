#include "gorila/report/run_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <system_error>
#include <utility>

#include "gorila/report/run_entry.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

// Whoever names "/" gets an answer all the same.
constexpr std::size_t kMostFolders = 100000;

// By level, and symbolic links last: a run's path is the one without links where there is one.
class Search {
 public:
  void Run(const fs::path& folder) {
    folders_.push_back(folder);
    while (!folders_.empty() && !full()) {
      std::vector<fs::path> level = std::exchange(folders_, {});
      std::sort(level.begin(), level.end());
      for (const fs::path& path : level) Look(path);
      if (folders_.empty()) folders_.swap(links_);
    }
    std::sort(found_.runs.begin(), found_.runs.end(), [](const fs::path& a, const fs::path& b) {
      return NaturalLess(a.native(), b.native());
    });
  }

  // The folder that the search began at may not be read: nothing was found then.
  Status first_refusal() const { return looked_into_ == 1 ? refusal_ : OkStatus(); }

  FoundRuns Result() && {
    if (refused_ > 0) {
      found_.notes.push_back(fmt::format("{} not searched: {}{}", Folders(refused_),
                                         std::string(refusal_.message()),
                                         refused_ > 1 ? ", ..." : ""));
    }
    if (full()) {
      found_.notes.push_back(
          fmt::format("the search ended after {} folders; name a folder with fewer", kMostFolders));
    }
    return std::move(found_);
  }

 private:
  static std::string Folders(std::size_t n) {
    return n == 1 ? "1 folder was" : fmt::format("{} folders were", n);
  }

  bool full() const { return looked_into_ == kMostFolders; }

  void Look(const fs::path& path) {
    struct stat identity = {};
    const bool known = ::stat(path.c_str(), &identity) == 0 &&
                       !seen_.insert({identity.st_dev, identity.st_ino}).second;
    if (known || full()) return;
    ++looked_into_;
    const Status run = CheckIsRun(path);
    if (run.ok()) {
      found_.runs.push_back(path);
    } else if (absl::IsUnavailable(run)) {
      Refuse(run);
    } else {
      QueueFoldersOf(path);
    }
  }

  void QueueFoldersOf(const fs::path& path) {
    std::error_code error;
    fs::directory_iterator entry(path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;  // a link to nothing
      if (entry->path().filename().string().starts_with('.')) continue;
      if (!entry->is_directory(ignored)) continue;
      (entry->is_symlink(ignored) ? links_ : folders_).push_back(entry->path());
    }
    if (error) Refuse(Unavailable("cannot look into '{}': {}", path.string(), error.message()));
  }

  void Refuse(const Status& why) {
    if (refused_++ == 0) refusal_ = why;
  }

  FoundRuns found_;
  std::vector<fs::path> folders_, links_;
  std::set<std::pair<dev_t, ino_t>> seen_;
  std::size_t looked_into_ = 0, refused_ = 0;
  Status refusal_;  // the first one
};

}  // namespace

StatusOr<FoundRuns> FindRuns(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (!fs::exists(status)) {
    return fs::status_known(status)
               ? NotFound("'{}': no such folder", folder.string())
               : Unavailable("cannot look into '{}': {}", folder.string(), error.message());
  }
  if (!fs::is_directory(status)) {
    return InvalidArgument("'{}' is a file; expected a folder with runs", folder.string());
  }
  Search search;
  search.Run(folder);
  GORILA_RETURN_IF_ERROR(search.first_refusal());
  return std::move(search).Result();
}

StatusOr<FoundRuns> FindSomeRuns(const fs::path& folder) {
  GORILA_ASSIGN_OR_RETURN(FoundRuns found, FindRuns(folder));
  if (!found.runs.empty()) return found;
  return InvalidArgument("'{}' has no run in it or below (a run is a folder with config.toml){}",
                         folder.string(), found.notes.empty() ? "" : "; " + found.notes.front());
}

StatusOr<std::vector<fs::path>> FindAllRuns(const fs::path& folder) {
  GORILA_ASSIGN_OR_RETURN(FoundRuns found, FindSomeRuns(folder));
  if (!found.notes.empty()) return Unavailable("{}", found.notes.front());
  return std::move(found.runs);
}

}  // namespace gorila
