#include "gorila/dashboard/run_scanner.h"

#include <utility>

#include "gorila/report/run_index.h"
#include "gorila/report/run_summary.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

std::string Identity(const fs::path& path) {
  std::error_code error;
  const fs::path canonical = fs::canonical(path, error);
  return (error ? path : canonical).string();
}

// What sets a run apart from its repetitions; empty when it is only named after its folder.
std::string ChosenLabel(const LabelledRun& named) {
  return named.label == DefaultLabel(named.directory) ? "" : named.label;
}

// "sweep/lr1-seed2" of a run in one of several folders, else "lr1-seed2".
std::string LabelBelow(const LabelledRun& folder, const fs::path& run, bool with_folder) {
  const fs::path below = run.lexically_relative(folder.directory);
  if (below.empty() || below == ".") return folder.label;
  return with_folder ? folder.label + "/" + below.string() : below.string();
}

bool IsGone(const fs::path& directory) {
  const Status status = CheckIsRun(directory);
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

}  // namespace

Status RunScanner::AddNamed(const Use& use) {
  const HeldLocks locks = HeldLocks::Read();
  for (const LabelledRun& run : sources_.runs) {
    RunGlance glance(run, ChosenLabel(run), /*was_found=*/false);
    GORILA_RETURN_IF_ERROR(glance.Look(locks, base_).status());
    numbers_.emplace(Identity(run.directory), runs_.size());
    runs_.push_back(std::move(glance));
    use(runs_.size() - 1, runs_.back());
  }
  return OkStatus();
}

void RunScanner::Scan(const Use& use, const std::function<bool()>& stopping) {
  notes_.clear();
  too_many_ = 0;
  const std::map<std::string, Found> found = Search();
  std::erase_if(refused_, [&found](const auto& one) { return !found.contains(one.first); });
  const HeldLocks locks = HeldLocks::Read();
  for (std::size_t i = 0; i < runs_.size() && !stopping(); ++i) LookAt(i, locks, use);
  for (const auto& [key, one] : found) {
    if (stopping()) return;
    if (!numbers_.contains(key)) TryToAdd(key, one, locks, use);
  }
  NoteRefused();
}

std::map<std::string, RunScanner::Found> RunScanner::Search() {
  std::map<std::string, Found> found;
  for (const LabelledRun& folder : sources_.folders) {
    const StatusOr<FoundRuns> runs = FindRuns(folder.directory);
    if (!runs.ok()) {
      notes_.emplace_back(runs.status().message());
      continue;
    }
    notes_.insert(notes_.end(), runs->notes.begin(), runs->notes.end());
    const std::string chosen = ChosenLabel(folder);
    const bool with_folder = sources_.folders.size() > 1 || !chosen.empty();
    for (const fs::path& run : runs->runs) {
      found.emplace(Identity(run), Found{.run = {LabelBelow(folder, run, with_folder), run},
                                         .chosen_label = chosen});
    }
  }
  return found;
}

void RunScanner::LookAt(std::size_t number, const HeldLocks& locks, const Use& use) {
  RunGlance& run = runs_[number];
  if (IsGone(run.directory())) {
    if (run.SetGone()) use(number, run);
    return;
  }
  const StatusOr<bool> changed = run.Look(locks, base_);
  if (changed.ok() && *changed) use(number, run);
}

void RunScanner::TryToAdd(const std::string& key, const Found& found, const HeldLocks& locks,
                          const Use& use) {
  if (runs_.size() >= kMostRuns) {
    ++too_many_;
    return;
  }
  const FileMark config = FileMark::Of(found.run.directory / "config.toml");
  const auto refused = refused_.find(key);
  if (refused != refused_.end() && refused->second.config == config) return;
  RunGlance glance(found.run, found.chosen_label, /*was_found=*/true);
  const StatusOr<bool> looked = glance.Look(locks, base_);
  if (!looked.ok()) {
    refused_[key] = {.config = config, .why = std::string(looked.status().message())};
    return;
  }
  refused_.erase(key);
  numbers_.emplace(key, runs_.size());
  runs_.push_back(std::move(glance));
  use(runs_.size() - 1, runs_.back());
}

// Hundreds of them are one line.
void RunScanner::NoteRefused() {
  if (!refused_.empty()) {
    const std::string& why = refused_.begin()->second.why;
    notes_.push_back(refused_.size() == 1 ? fmt::format("1 run cannot be read: {}", why)
                                          : fmt::format("{} runs cannot be read; the first: {}",
                                                        refused_.size(), why));
  }
  if (too_many_ > 0) {
    notes_.push_back(
        fmt::format("{} more runs are not shown; the first {} are. Name a folder with "
                    "fewer",
                    too_many_, kMostRuns));
  }
}

}  // namespace gorila
