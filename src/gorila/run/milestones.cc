#include "gorila/run/milestones.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/run/parameter_file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin = "frames-";
constexpr std::string_view kEnd = ".safetensors";

// What the file's name says; nullopt for one of another name.
std::optional<std::int64_t> FramesOfName(std::string_view name) {
  if (!name.starts_with(kBegin) || !name.ends_with(kEnd)) return std::nullopt;
  name.remove_prefix(kBegin.size());
  name.remove_suffix(std::min(kEnd.size(), name.size()));
  std::int64_t frames = 0;
  const auto [read, error] = std::from_chars(name.data(), name.data() + name.size(), frames);
  const bool whole = error == std::errc() && read == name.data() + name.size() && frames >= 0;
  return whole ? std::optional(frames) : std::nullopt;
}

}  // namespace

fs::path MilestonesFolder(const fs::path& run) { return run / "milestones"; }

fs::path MilestoneFile(const fs::path& run, std::int64_t frames) {
  return MilestonesFolder(run) / fmt::format("{}{:012}{}", kBegin, frames, kEnd);
}

StatusOr<std::vector<Milestone>> ListMilestones(const fs::path& run) {
  std::vector<Milestone> milestones;
  std::error_code error;
  const fs::path folder = MilestonesFolder(run);
  if (!fs::exists(folder, error) && !error) return milestones;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const auto frames = FramesOfName(entry->path().filename().string());
    if (frames.has_value()) milestones.push_back({*frames, entry->path()});
  }
  if (error) return Unavailable("cannot look into '{}': {}", folder.string(), error.message());
  std::sort(milestones.begin(), milestones.end(),
            [](const Milestone& a, const Milestone& b) { return a.frames < b.frames; });
  return milestones;
}

Milestones::Milestones(const Config& config, fs::path run, const ParameterLayout& layout)
    : every_(config.checkpoint.milestones_every_frames),
      environment_(config.environment.name),
      run_(std::move(run)),
      layout_(layout) {}

void Milestones::ContinueFrom(std::int64_t frames) {
  counted_ = frames;
  continues_ = true;
}

std::optional<std::int64_t> Milestones::Due(std::int64_t frames, const Say& say) {
  const std::int64_t before = std::exchange(counted_, frames);
  const bool continues = std::exchange(continues_, false);
  if (every_ == 0 || frames / every_ <= before / every_) return std::nullopt;
  const std::int64_t due = frames / every_ * every_;
  const bool written = LookAt(MilestoneFile(run_, due)).kind != PathLook::Kind::kNothing;
  if (continues && written) return std::nullopt;
  if (due - every_ > before && say && !std::exchange(said_missed_, true)) {
    say(fmt::format(
        "milestones come due faster than the run is looked at, and that of {} frames is "
        "left out; a larger checkpoint.milestones_every_frames keeps all",
        due - every_));
  }
  return due;
}

Status Milestones::Write(const DueMilestone& due) {
  GORILA_ASSIGN_OR_RETURN(std::string encoded,
                          EncodeParameters(layout_, due.network.parameters,
                                           {{"environment", environment_},
                                            {"frames", std::to_string(due.network.frames)},
                                            {"updates", std::to_string(due.network.updates)}}));
  waiting_.push_back({MilestoneFile(run_, due.frames), std::move(encoded)});
  Status status = Retry();
  if (waiting_.size() > kMostWaiting) {
    status = Unavailable("{}; gave up '{}'", std::string(status.message()),
                         waiting_.front().path.filename().string());
    waiting_.pop_front();
  }
  return status;
}

Status Milestones::Retry() {
  while (!waiting_.empty()) {
    Status status = CreateFolders(MilestonesFolder(run_));
    if (status.ok()) status = WriteFileAtomically(waiting_.front().path, waiting_.front().contents);
    if (!status.ok()) return Annotate(status, "milestone");
    waiting_.pop_front();
  }
  return OkStatus();
}

}  // namespace gorila
