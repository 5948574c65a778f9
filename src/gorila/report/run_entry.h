// What a list of runs says of each: read in about a millisecond, however long its log is.
#ifndef GORILA_REPORT_RUN_ENTRY_H_
#define GORILA_REPORT_RUN_ENTRY_H_

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/config/run_labels.h"
#include "gorila/run/run_state.h"

namespace gorila {

// Which score a run has so far. Only scores of one kind compare.
enum class ScoreKind {
  kTraining,    // return of the last kSmoothedEpisodes training episodes, which explore
  kEvaluation,  // the last periodic evaluation
  kFinal        // the final evaluation
};
std::string_view ScoreKindName(ScoreKind kind);  // "training", "evaluation", "final"

struct EntryScore {
  ScoreKind kind = ScoreKind::kTraining;
  double value = 0;
  double standard_error = std::numeric_limits<double>::quiet_NaN();  // NaN: unknown
  std::string protocol = {};                                         // of evaluations
  std::string aggregate = {};  // of several games: what `value` is; else empty
};

struct RunEntry {
  std::filesystem::path directory;
  RunLabels labels;
  Config config;
  std::string state;  // one of RunEntryStates(), but for "unreadable"
  std::int64_t frames = 0;
  std::optional<double> seconds;    // of training; absent where the log has no time
  std::optional<EntryScore> score;  // of several games only from evaluations
  std::time_t when = 0;             // the last sign of life: when the log was last written
};

// "training", "stopped", "finished", "diverged", "unreadable".
std::vector<std::string_view> RunEntryStates();

// Blocks on the disk. As ReadRun(), but the log is only read from its end to the newest record of
// each kind that is needed.
StatusOr<RunEntry> ReadRunEntry(const std::filesystem::path& directory, const HeldLocks& locks);

struct UnreadableRun {
  std::filesystem::path directory;
  std::string why;
};

struct RunEntries {
  std::vector<RunEntry> runs;  // in the order of their paths, numbers by their size
  std::vector<UnreadableRun> unreadable;
  std::vector<std::string> notes;  // FoundRuns::notes
};

// All runs at or below a folder. InvalidArgument when there is none; otherwise as FindRuns().
StatusOr<RunEntries> ReadRunEntries(const std::filesystem::path& folder);

// "seed2" before "seed10".
bool NaturalLess(std::string_view a, std::string_view b);

// "3 of 20 runs cannot be read: runs/a (why), runs/b, ..."; empty when all can.
std::string DescribeUnreadable(const std::vector<UnreadableRun>& unreadable, std::size_t all);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_ENTRY_H_
