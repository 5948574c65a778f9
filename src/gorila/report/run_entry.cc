#include "gorila/report/run_entry.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/run_log_tail.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/run_history.h"
#include "gorila/report/run_index.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTrainingRecord = "{\"kind\":\"training\"";

struct LogEnd {
  std::optional<RunLogRecord> training;    // the newest record of its kind
  std::optional<RunLogRecord> evaluation;  // likewise, where one was wanted
};

// A run that was killed in its first moments has no log yet.
StatusOr<LogEnd> ReadLogEnd(const fs::path& log, bool want_evaluation) {
  LogEnd end;
  StatusOr<RunLogTail> tail = RunLogTail::Open(log);
  if (absl::IsNotFound(tail.status())) return end;
  GORILA_RETURN_IF_ERROR(tail.status());
  for (;;) {
    const bool wait_for_evaluation = want_evaluation && !end.evaluation.has_value();
    if (end.training.has_value() && !wait_for_evaluation) return end;
    GORILA_ASSIGN_OR_RETURN(
        std::optional<RunLogRecord> record,
        end.training.has_value() ? tail->PreviousUnless(kTrainingRecord) : tail->Previous());
    if (!record.has_value()) return end;
    const auto kind = record->Text("kind");
    if (kind == "training" && !end.training.has_value()) {
      // It counts the evaluations before it, so that a run without any is not searched for them.
      want_evaluation &= record->Number("evaluations").value_or(1) > 0;
      end.training = std::move(record);
    } else if (wait_for_evaluation && (kind == "evaluation" || kind == "final_evaluation")) {
      end.evaluation = std::move(record);
    }
  }
}

// As the end of the report's curve. Nothing before the first episode ends.
StatusOr<std::optional<EntryScore>> TrainingReturn(const fs::path& log) {
  GORILA_ASSIGN_OR_RETURN(RunLogTail tail, RunLogTail::Open(log));
  std::vector<EpisodeBatch> batches;  // newest first
  for (std::uint64_t episodes = 0; episodes < kSmoothedEpisodes;) {
    GORILA_ASSIGN_OR_RETURN(const std::optional<RunLogRecord> record, tail.Previous());
    if (!record.has_value()) break;
    const double ended = record->Number("return_episodes").value_or(0);
    const double mean = record->Number("return_mean").value_or(std::nan(""));
    if (record->Text("kind") != "training" || !(ended > 0) || !std::isfinite(mean)) continue;
    batches.push_back({.x = -static_cast<double>(batches.size()),
                       .mean_return = mean,
                       .episodes = static_cast<std::uint64_t>(ended)});
    episodes += batches.back().episodes;
  }
  if (batches.empty()) return std::optional<EntryScore>();
  std::reverse(batches.begin(), batches.end());
  const double value = SmoothOverEpisodes(batches, kSmoothedEpisodes).back().y;
  return std::optional(EntryScore{.kind = ScoreKind::kTraining, .value = value});
}

EntryScore FinalScore(const EvaluationResult& result) {
  return {.kind = ScoreKind::kFinal,
          .value = result.summary.mean,
          .standard_error = result.summary.standard_error,
          .protocol = result.protocol,
          .aggregate = result.aggregate};
}

EntryScore EvaluationScore(const RunLogRecord& record) {
  return {.kind = ScoreKind::kEvaluation,
          .value = record.Number("return_mean").value_or(std::nan("")),
          .standard_error = record.Number("standard_error").value_or(std::nan("")),
          .protocol = std::string(record.Text("protocol").value_or("")),
          .aggregate = std::string(record.Text("aggregate").value_or(""))};
}

// Whether most gradients were refused because they were not finite, as TrainingHealth judges the
// end of a run.
bool MostWereRefused(const std::optional<RunLogRecord>& training) {
  if (!training.has_value() || !(training->Number("updates").value_or(0) > 0)) return false;
  const auto count = [&](const char* name) { return training->Number(name).value_or(0); };
  const double invalid = count("gradients_invalid");
  return 2 * invalid > count("gradients_accepted") + count("gradients_stale") + invalid;
}

std::string StateOf(const RunEntry& entry, const HeldLocks& locks, const LogEnd& end,
                    const std::optional<EvaluationRecord>& evaluation) {
  const SeenState seen =
      LookAtRun(entry.directory, locks, LastWritten(entry.directory / "metrics.jsonl"),
                entry.config.run.metrics_every_seconds);
  if (seen.state == RunState::kTraining) return std::string(RunStateName(seen.state));
  const bool has_problem = evaluation.has_value() && evaluation->context.has_value() &&
                           !evaluation->context->problem.empty();
  const bool updated = end.training.has_value() && end.training->Number("updates").value_or(0) > 0;
  if ((has_problem && updated) || MostWereRefused(end.training)) return "diverged";
  return std::string(RunStateName(seen.state));
}

std::time_t LastSign(const fs::path& directory) {
  for (const char* name : {"metrics.jsonl", "config.toml"}) {
    struct stat status = {};
    if (::stat((directory / name).c_str(), &status) == 0) return status.st_mtime;
  }
  return 0;
}

Status ReadScore(const fs::path& log, const LogEnd& end,
                 const std::optional<EvaluationRecord>& evaluation, RunEntry& entry) {
  if (evaluation.has_value()) {
    entry.score = FinalScore(evaluation->result);
  } else if (end.evaluation.has_value()) {
    entry.score = EvaluationScore(*end.evaluation);
  } else if (end.training.has_value() && NumGames(entry.config) == 1) {
    GORILA_ASSIGN_OR_RETURN(entry.score, TrainingReturn(log));
  }
  return OkStatus();
}

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// The number that `text` begins with, without leading zeros.
std::string_view LeadingNumber(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), &IsDigit);
  std::string_view digits = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

std::size_t DigitsOf(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), &IsDigit) -
                                  text.begin());
}

}  // namespace

std::string_view ScoreKindName(ScoreKind kind) {
  switch (kind) {
    case ScoreKind::kTraining:
      return "training";
    case ScoreKind::kEvaluation:
      return "evaluation";
    case ScoreKind::kFinal:
      return "final";
  }
  return "";
}

std::vector<std::string_view> RunEntryStates() {
  return {RunStateName(RunState::kTraining), RunStateName(RunState::kStopped),
          RunStateName(RunState::kFinished), "diverged", "unreadable"};
}

StatusOr<RunEntry> ReadRunEntry(const fs::path& directory, const HeldLocks& locks) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(directory));
  RunEntry entry;
  entry.directory = directory;
  GORILA_ASSIGN_OR_RETURN(entry.labels, ReadRunLabels(directory));
  GORILA_ASSIGN_OR_RETURN(entry.config, LoadRunConfig(directory / "config.toml"));
  std::optional<EvaluationRecord> evaluation;
  StatusOr<EvaluationRecord> found = ReadFinalEvaluation(directory);
  if (found.ok()) {
    evaluation = *std::move(found);
  } else if (!absl::IsNotFound(found.status())) {
    return found.status();
  }
  const fs::path log = directory / "metrics.jsonl";
  GORILA_ASSIGN_OR_RETURN(const LogEnd end, ReadLogEnd(log, !evaluation.has_value()));
  if (end.training.has_value()) {
    entry.frames = static_cast<std::int64_t>(end.training->Number("frames").value_or(0));
    entry.seconds = end.training->Number("seconds");
  }
  GORILA_RETURN_IF_ERROR(ReadScore(log, end, evaluation, entry));
  entry.state = StateOf(entry, locks, end, evaluation);
  entry.when = LastSign(directory);
  return entry;
}

StatusOr<RunEntries> ReadRunEntries(const fs::path& folder) {
  GORILA_ASSIGN_OR_RETURN(FoundRuns found, FindSomeRuns(folder));
  RunEntries entries{.runs = {}, .unreadable = {}, .notes = std::move(found.notes)};
  const HeldLocks locks = HeldLocks::Read();
  for (const fs::path& run : found.runs) {
    StatusOr<RunEntry> entry = ReadRunEntry(run, locks);
    if (entry.ok()) {
      entries.runs.push_back(*std::move(entry));
    } else {
      entries.unreadable.push_back({run, std::string(entry.status().message())});
    }
  }
  return entries;
}

bool NaturalLess(std::string_view a, std::string_view b) {
  const std::string_view whole_a = a, whole_b = b;
  while (!a.empty() && !b.empty()) {
    if (IsDigit(a.front()) && IsDigit(b.front())) {
      const std::string_view x = LeadingNumber(a), y = LeadingNumber(b);
      if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
      a.remove_prefix(DigitsOf(a));
      b.remove_prefix(DigitsOf(b));
      continue;
    }
    if (a.front() != b.front()) return a.front() < b.front();
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  if (a.empty() != b.empty()) return a.empty();
  return whole_a < whole_b;  // "01" and "1"
}

std::string DescribeUnreadable(const std::vector<UnreadableRun>& unreadable, std::size_t all) {
  constexpr std::size_t kNamed = 3;
  if (unreadable.empty()) return "";
  std::string text = fmt::format("{} of {} runs cannot be read: {} ({})", unreadable.size(), all,
                                 unreadable.front().directory.string(), unreadable.front().why);
  for (std::size_t i = 1; i < std::min(kNamed, unreadable.size()); ++i) {
    text += ", " + unreadable[i].directory.string();
  }
  return text + (unreadable.size() > kNamed ? ", ..." : "");
}

}  // namespace gorila
