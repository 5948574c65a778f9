#include "gorila/run/run_state.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

}  // namespace

std::string_view RunStateName(RunState state) {
  switch (state) {
    case RunState::kTraining:
      return "training";
    case RunState::kStopped:
      return "stopped";
    case RunState::kFinished:
      return "finished";
  }
  return "";
}

// A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 1234 08:02:5678 0 EOF"; one that waits has
// "->" after the number, and its file is in its holder's line too.
HeldLocks HeldLocks::Read() {
  HeldLocks held;
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (std::count(word.begin(), word.end(), ':') == 2) held.files_.insert(word);
    }
  }
  return held;
}

bool HeldLocks::Includes(const fs::path& file) const {
  struct stat status = {};
  if (::stat(file.c_str(), &status) != 0) return false;
  return files_.contains(
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino));
}

// Processes of another machine are only visible through the log.
SeenState LookAtRun(const fs::path& directory, const HeldLocks& locks, Clock::time_point log_grew,
                    double metrics_every_seconds) {
  std::error_code error;
  if (fs::exists(directory / "evaluation.json", error)) return {.state = RunState::kFinished};
  if (locks.Includes(directory / ".lock")) return {.state = RunState::kTraining};
  if (HeldHere(directory)) return {.state = RunState::kStopped};
  const std::chrono::duration<double> longest(std::max(120.0, 10 * metrics_every_seconds));
  const bool grows = Clock::now() < log_grew + std::chrono::duration_cast<Clock::duration>(longest);
  return {.state = grows ? RunState::kTraining : RunState::kStopped, .elsewhere = true};
}

Clock::time_point LastWritten(const fs::path& path) {
  std::error_code error;
  const auto written = fs::last_write_time(path, error);
  if (error) return Clock::time_point::min();
  const auto age =
      std::max(fs::file_time_type::duration::zero(), fs::file_time_type::clock::now() - written);
  return Clock::now() - std::chrono::duration_cast<Clock::duration>(age);
}

}  // namespace gorila
