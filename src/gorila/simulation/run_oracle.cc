#include "gorila/simulation/run_oracle.h"

#include <fmt/format.h>

#include <algorithm>

#include "gorila/metrics/run_log.h"
#include "gorila/run/parameter_file.h"

namespace gorila::simulation {

void RunOracle::Shows(std::uint64_t coordinator, std::int64_t frames) {
  ++counters_.looks;
  std::deque<std::int64_t>& answers = answers_[coordinator];
  if (answers.empty()) answers.push_back(0);
  const auto shown = std::find(answers.begin(), answers.end(), frames);
  if (shown == answers.end()) {
    return violated_(fmt::format("the coordinator shows {} frames; shard 0 told it of {}", frames,
                                 fmt::join(answers, ", ")));
  }
  answers.erase(answers.begin(), shown);
}

void RunOracle::Ended(const TrainingOutcome& outcome) {
  if (!outcome.finished) {
    ++counters_.stopped;
    return;
  }
  ++counters_.finished;
  must_have_final_ = outcome.unwritten.ok() && outcome.score.unwritten.ok();
  const auto frames = static_cast<std::int64_t>(outcome.progress.frames);
  if (frames < frames_) {
    violated_(fmt::format("the run was finished at {} of its {} frames", frames, frames_));
  }
}

void RunOracle::CheckFiles(const std::map<std::string, std::string>& files) {
  for (const auto& [name, contents] : files) {
    if (name == "metrics.jsonl") CheckLog(contents);
    if (!name.ends_with(".safetensors")) continue;
    ++counters_.networks;
    const Status status = DecodeParameters(layout_, contents).status();
    if (!status.ok()) violated_(fmt::format("'{}': {}", name, std::string(status.message())));
  }
  if (must_have_final_ && !files.contains("final.safetensors")) {
    violated_("the run was finished, and its final network is not there");
  }
}

// A last line without its end is of a process that was killed.
void RunOracle::CheckLog(std::string_view lines) {
  std::map<std::int64_t, std::int64_t> evaluated;  // how often, by frames
  for (std::size_t end = lines.find('\n'); end != lines.npos; end = lines.find('\n')) {
    const auto record = ParseRunLogLine(lines.substr(0, end));
    lines.remove_prefix(end + 1);
    if (!record.ok()) {
      return violated_(fmt::format("the run's log: {}", std::string(record.status().message())));
    }
    if (record->Text("kind") != "evaluation") continue;
    const auto frames = static_cast<std::int64_t>(record->Number("frames").value_or(-1));
    if (++evaluated[frames] <= std::max<std::int64_t>(generations_, 1)) continue;
    violated_(fmt::format("the network of {} frames was evaluated {} times, in {} generations",
                          frames, evaluated[frames], generations_));
  }
}

}  // namespace gorila::simulation
