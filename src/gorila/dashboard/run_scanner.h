// Finds runs below folders, and looks at each whenever it is asked to.
#ifndef GORILA_DASHBOARD_RUN_SCANNER_H_
#define GORILA_DASHBOARD_RUN_SCANNER_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/dashboard/run_glance.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// What a dashboard shows.
struct RunSources {
  std::vector<LabelledRun> runs = {};     // each must be readable
  std::vector<LabelledRun> folders = {};  // searched for runs, again and again
};

// Not thread-safe.
class RunScanner {
 public:
  // More runs than this are counted, not shown.
  static constexpr std::size_t kMostRuns = 10000;

  explicit RunScanner(RunSources sources) : sources_(std::move(sources)) {}

  // Of a run that is new or has changed; runs have numbers from 0, which they keep.
  using Use = std::function<void(std::size_t number, const RunGlance& run)>;

  // Looks at the runs that were named, which are the first ones. As RunGlance::Look() for one that
  // cannot be read.
  Status AddNamed(const Use& use);

  // Searches the folders and looks at all runs, blocking on the disk; ends early when `stopping`
  // says so. Runs that are no longer there are marked.
  void Scan(const Use& use, const std::function<bool()>& stopping);

  // What was not found or cannot be read, a line for each kind of trouble.
  const std::vector<std::string>& notes() const { return notes_; }
  // Every key's value of the first run; empty before there is one.
  const SettingTexts& base() const { return base_; }

 private:
  struct Refused {
    FileMark config;  // as it was when it could not be read
    std::string why;
  };
  // A run that was found, by its path without symbolic links.
  struct Found {
    LabelledRun run;
    std::string chosen_label;
  };
  std::map<std::string, Found> Search();
  void LookAt(std::size_t number, const HeldLocks& locks, const Use& use);
  void TryToAdd(const std::string& key, const Found& found, const HeldLocks& locks, const Use& use);
  void NoteRefused();

  const RunSources sources_;
  std::vector<RunGlance> runs_;
  std::map<std::string, std::size_t> numbers_;  // by path
  std::map<std::string, Refused> refused_;      // by path, as of this scan
  std::size_t too_many_ = 0;
  std::vector<std::string> notes_;
  SettingTexts base_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_RUN_SCANNER_H_
