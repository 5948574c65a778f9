#include "gorila/dashboard/run_feed.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fstream>

#include "gorila/base/file.h"
#include "gorila/base/json.h"
#include "gorila/runtime/config_keys.h"
#include "gorila/runtime/config_load.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Whether a process of this machine holds a lock on the file. It is only looked at: a lock of our
// own, however short, could be what keeps `gorila resume` from the run.
bool IsLocked(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return false;
  const std::string inode =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    if (line.find(" " + inode + " ") != line.npos) return true;
  }
  return false;
}

// From `offset` on; empty when it cannot be read.
std::string ReadFrom(const fs::path& path, std::uint64_t offset) {
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  return {std::istreambuf_iterator<char>(file), {}};
}

bool IsObject(const std::string& line) { return line.starts_with('{') && IsJson(line); }

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

StatusOr<RunFeed> RunFeed::Open(const LabelledRun& run) {
  std::error_code error;
  if (!fs::is_directory(run.directory, error)) {
    return NotFound("run '{}': no such folder", run.directory.string());
  }
  if (!fs::exists(run.directory / "config.toml", error)) {
    return InvalidArgument("'{}' is not a run directory: it has no config.toml",
                           run.directory.string());
  }
  GORILA_ASSIGN_OR_RETURN(Config config, LoadConfig({.file = run.directory / "config.toml"}));
  return RunFeed(run, std::move(config));
}

RunFeed::News RunFeed::Poll() {
  News news;
  const std::string evaluation_before = evaluation_;
  const RunState before = state_;
  state_ = LookAtState();
  evaluation_ = "null";
  if (state_ == RunState::kFinished) {
    const auto text = ReadFile(run_.directory / "evaluation.json");
    const Json json = text.ok() ? ParseJson<Json>(*text) : Json();
    if (json.is_object()) evaluation_ = DumpJson(json);
  }
  news.state_changed = state_ != before || evaluation_ != evaluation_before;
  ReadLog(news);
  return news;
}

RunState RunFeed::LookAtState() const {
  std::error_code error;
  if (fs::exists(run_.directory / "evaluation.json", error)) return RunState::kFinished;
  return IsLocked(run_.directory / ".lock") ? RunState::kTraining : RunState::kStopped;
}

void RunFeed::ReadLog(News& news) {
  const fs::path path = run_.directory / "metrics.jsonl";
  const std::uint64_t back = last_line_.size();
  std::string text = ReadFrom(path, offset_ - back);
  if (!text.starts_with(last_line_)) {
    // Shorter than what was read, or another log in its place.
    news.log_began_anew = true;
    bad_lines_ = 0;
    offset_ = 0;
    text = ReadFrom(path, 0);
  } else {
    text.erase(0, back);
  }
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    std::string line = text.substr(0, end);
    text.erase(0, end + 1);
    offset_ += end + 1;
    last_line_ = line + "\n";
    if (!IsObject(line)) {
      ++bad_lines_;
      continue;
    }
    news.lines.push_back(std::move(line));
  }
  if (offset_ == 0) last_line_.clear();
}

std::string RunFeed::Describe() const {
  Json config = Json::object();
  for (const ConfigKey& key : ConfigKeys()) {
    config[std::string(key.name)] = ValueText(key.field, config_);
  }
  const Json description = {{"label", run_.label},
                            {"directory", run_.directory.string()},
                            {"state", RunStateName(state_)},
                            {"environment", config_.environment.name},
                            {"seed", config_.run.seed},
                            {"bundles", config_.run.bundles},
                            {"actors", config_.cluster.actors},
                            {"total_frames", config_.run.frames},
                            {"bad_lines", bad_lines_},
                            {"evaluation", ParseJsonOrThrow<Json>(evaluation_)},
                            {"config", config}};
  return DumpAnyJson(description);
}

}  // namespace gorila
