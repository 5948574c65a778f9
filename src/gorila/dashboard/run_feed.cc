#include "gorila/dashboard/run_feed.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/dashboard/run_description.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Tail {
  std::string text;
  std::string problem;  // why it cannot be used; also empty without a file
};

// How much of a log one look reads, so that a long log is never in memory as a whole.
constexpr std::size_t kMostRead = 4 << 20;

// At most `most` bytes, rounded up to the buffer's size.
Tail ReadFrom(const fs::path& path, std::uint64_t offset, std::size_t most) {
  const auto failed = [&path] {
    return Tail{"", fmt::format("{}: {}", path.filename().string(), std::strerror(errno))};
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) return errno == ENOENT ? Tail() : failed();
  if (::fseeko(file.get(), static_cast<off_t>(offset), SEEK_SET) != 0) return failed();
  Tail tail;
  std::array<char, 1 << 16> buffer;
  while (tail.text.size() < most) {
    const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get());
    if (count == 0) break;
    tail.text.append(buffer.data(), count);
  }
  return std::ferror(file.get()) == 0 ? tail : failed();
}

// How much of the file has been read, in percent.
int PercentRead(const fs::path& path, std::uint64_t bytes) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size <= bytes) return 99;
  return static_cast<int>(
      std::min(99.0, 100.0 * static_cast<double>(bytes) / static_cast<double>(size)));
}

using Clock = std::chrono::steady_clock;

bool IsObject(const std::string& line) { return line.starts_with('{') && IsJson(line); }

}  // namespace

StatusOr<RunFeed> RunFeed::Open(const LabelledRun& run) {
  GORILA_RETURN_IF_ERROR(CheckIsRun(run.directory));
  const fs::path path = run.directory / "config.toml";
  std::error_code error;
  // Asked before reading, so that what is written in between is seen by the first look.
  const auto configured = fs::last_write_time(path, error);
  GORILA_ASSIGN_OR_RETURN(Config config, LoadRunConfig(path));
  RunFeed feed(run, std::move(config));
  feed.configured_ = configured;
  feed.log_grew_ = LastWritten(run.directory / "metrics.jsonl");
  return feed;
}

RunFeed::News RunFeed::Poll(const HeldLocks& locks) {
  News news;
  const auto described = [this] {
    return std::tuple(seen_, evaluation_, problem_, bad_lines_, log_percent_);
  };
  const auto before = described();
  problem_.clear();
  std::error_code error;
  if (!fs::exists(run_.directory, error) && !error) {
    problem_ = "its folder was removed";  // what was read of it stays
    seen_.state = seen_.state == RunState::kFinished ? RunState::kFinished : RunState::kStopped;
    news.state_changed = described() != before;
    return news;
  }
  news.state_changed = ReadConfig();
  ReadLog(news);
  const bool grew = news.log_began_anew || !news.lines.empty();
  if (std::exchange(looked_, true) && grew) log_grew_ = Clock::now();
  seen_ = LookAtRun(run_.directory, locks, log_grew_, config_.run.metrics_every_seconds);
  ReadEvaluation();
  news.state_changed |= described() != before;
  return news;
}

// A run that was resumed may be longer than it was. A file that cannot be read changes nothing.
bool RunFeed::ReadConfig() {
  const fs::path path = run_.directory / "config.toml";
  std::error_code error;
  const auto written = fs::last_write_time(path, error);
  if (error || written == configured_) return false;
  StatusOr<Config> config = LoadRunConfig(path);
  if (!config.ok()) {
    problem_ = std::string(config.status().message());
    return false;
  }
  configured_ = written;
  const bool changed = ToToml(*config) != ToToml(described_);
  described_ = *std::move(config);
  return changed;
}

void RunFeed::ReadEvaluation() {
  evaluation_ = "null";
  if (seen_.state != RunState::kFinished) return;
  const auto text = ReadFileOf(kResultFile, run_.directory / kEvaluationFile);
  const Json json = text.ok() ? ParseJson<Json>(*text) : Json();
  if (json.is_object()) {
    evaluation_ = DumpJson(Relabelled(json));
  } else if (problem_.empty()) {
    problem_ = "evaluation.json: not a JSON object";
  }
}

void RunFeed::ReadLog(News& news) {
  const fs::path path = run_.directory / "metrics.jsonl";
  const std::uint64_t back = last_line_.size();
  std::size_t most = back + kMostRead;
  auto [text, problem] = ReadFrom(path, offset_ - back, most);
  if (!problem.empty()) problem_ = problem;
  if (!text.starts_with(last_line_)) {
    // Shorter than what was read, or another log in its place.
    news.log_began_anew = true;
    bad_lines_ = 0;
    offset_ = 0;
    most = kMostRead;
    text = ReadFrom(path, 0, most).text;
  }
  news.more = text.size() >= most;
  if (!news.log_began_anew) text.erase(0, back);
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    offset_ += line.size() + 1;
    last_line_ = line + "\n";
    if (!IsObject(line)) {
      ++bad_lines_;
      continue;
    }
    news.lines.push_back(std::move(line));
  }
  news.more = news.more && begin > 0;
  log_percent_ = news.more ? PercentRead(path, offset_) : 100;
  if (offset_ == 0) last_line_.clear();
}

std::string RunFeed::Describe() const {
  Json config = Json::object();
  for (const ConfigKey& key : ConfigKeys()) {
    config[std::string(key.name)] = ValueText(key.field, described_);
  }
  Json description = {{"label", run_.label},
                      {"directory", run_.directory.string()},
                      {"state", RunStateName(seen_.state)},
                      {"elsewhere", seen_.elsewhere},
                      {"problem", problem_},
                      {"total_frames", described_.run.frames},
                      {"log_percent", log_percent_},
                      {"bad_lines", bad_lines_},
                      {"evaluation", ParseJsonOrThrow<Json>(evaluation_)},
                      {"config", config}};
  description.update(DescribeGames(config_));
  description["seed"] = described_.run.seed;
  return DumpAnyJson(description);
}

std::string RunFeed::DescribeLog() const {
  return DumpAnyJson(Json{{"state", RunStateName(seen_.state)},
                          {"elsewhere", seen_.elsewhere},
                          {"problem", problem_},
                          {"log_percent", log_percent_},
                          {"bad_lines", bad_lines_}});
}

}  // namespace gorila
