#include "gorila/launch/run_progress.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gorila {
namespace {

// Far above what any role reports: about 50 counters and gauges.
constexpr int kMaxFigures = 512;
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kMaxWaiting = 1024;
constexpr int kMaxIndex = 1 << 20;
// In states of runs with several games, where others have the frames, which follow. No counter that
// overflowed was this.
constexpr std::int64_t kStateOfGames = std::numeric_limits<std::int64_t>::min();

// Longer than clients are shown, and than they wait from one report to the next.
constexpr std::chrono::seconds kLiving{120};
constexpr std::chrono::seconds kCountEvery{5};
constexpr std::chrono::milliseconds kLeastReportPeriod{200};
// A shard takes 20 times as many, but gradients come first.
constexpr std::int64_t kMostReportsPerSecond = 2000;

Status CheckCount(std::string_view field, std::int64_t value) {
  if (value >= 0 && value <= RunProgress::kMaxCount) return OkStatus();
  return InvalidArgument("report: {} is {}; expected 0..{}", field, value, RunProgress::kMaxCount);
}

Status CheckName(std::string_view field, const std::string& name) {
  if (name.size() <= kLongestName) return OkStatus();
  return InvalidArgument("report: {} has {} characters; expected at most {}", field, name.size(),
                         kLongestName);
}

// Gauges may be anything: a loss is NaN before the first gradient.
Status CheckStatus(const v1::RoleStatus& status) {
  GORILA_RETURN_IF_ERROR(CheckName("status.role", status.role()));
  if (status.index() < 0 || status.index() > kMaxIndex) {
    return InvalidArgument("report: status.index is {}; expected 0..{}", status.index(), kMaxIndex);
  }
  if (!(status.seconds() >= 0 && status.seconds() < static_cast<double>(RunProgress::kMaxCount))) {
    return InvalidArgument("report: status.seconds is {}; expected a finite number from 0",
                           status.seconds());
  }
  if (status.waiting().size() > kMaxWaiting || status.counters_size() > kMaxFigures ||
      status.gauges_size() > kMaxFigures) {
    return InvalidArgument(
        "report: {} counters, {} gauges and {} characters of waiting; expected at most {}, {} and "
        "{}",
        status.counters_size(), status.gauges_size(), status.waiting().size(), kMaxFigures,
        kMaxFigures, kMaxWaiting);
  }
  for (const auto& [name, value] : status.counters()) {
    GORILA_RETURN_IF_ERROR(CheckName("a counter's name", name));
    GORILA_RETURN_IF_ERROR(CheckCount(name, value));
  }
  for (const auto& [name, value] : status.gauges()) {
    GORILA_RETURN_IF_ERROR(CheckName("a gauge's name", name));
  }
  return OkStatus();
}

Status CheckReport(const v1::ReportRequest& report) {
  GORILA_RETURN_IF_ERROR(CheckCount("frames", report.frames()));
  GORILA_RETURN_IF_ERROR(CheckCount("first_episode", report.first_episode()));
  constexpr auto kMaxGames = static_cast<int>(RunProgress::kMaxGames);
  if (report.game_frames_size() > kMaxGames) {
    return InvalidArgument("report: frames of {} games; expected at most {}",
                           report.game_frames_size(), kMaxGames);
  }
  for (const std::int64_t frames : report.game_frames()) {
    GORILA_RETURN_IF_ERROR(CheckCount("a game's frames", frames));
  }
  for (const v1::Episode& episode : report.episodes()) {
    GORILA_RETURN_IF_ERROR(CheckCount("an episode's length", episode.length()));
    if (episode.game() < 0 || episode.game() >= kMaxGames) {
      return InvalidArgument("report: an episode's game is {}; expected 0..{}", episode.game(),
                             kMaxGames - 1);
    }
    if (!std::isfinite(episode.episode_return())) {
      return InvalidArgument("report: an episode's return is {}; expected a finite number",
                             episode.episode_return());
    }
  }
  return report.has_status() ? CheckStatus(report.status()) : OkStatus();
}

Status CheckRestored(std::span<const std::int64_t> game_frames) {
  const bool counts = std::all_of(game_frames.begin(), game_frames.end(), [](std::int64_t frames) {
    return frames >= 0 && frames <= RunProgress::kMaxCount;
  });
  if (counts && game_frames.size() <= RunProgress::kMaxGames) return OkStatus();
  return DataLoss(
      "run progress: frames of {} games; expected at most {} games with 0 to {} frames each: "
      "remove "
      "this snapshot",
      game_frames.size(), RunProgress::kMaxGames, RunProgress::kMaxCount);
}

}  // namespace

RunProgress::Client& RunProgress::FindOrAdd(std::uint64_t id) {
  if (!clients_.contains(id) && clients_.size() == kMaxClients) {
    ForgetSilentClients(clients_);  // their frames stay counted
  }
  return clients_[id];
}

// And drops what those that are silent reported: nobody is shown it.
void RunProgress::CountLiving(TimePoint now) {
  living_ = 0;
  counted_ = now;
  for (auto& [id, client] : clients_) {
    if (client.reported == TimePoint{}) continue;
    if (now - client.reported <= kLiving) {
      ++living_;
    } else {
      client.status = v1::RoleStatus();
      client.reported = TimePoint{};
    }
  }
}

std::chrono::milliseconds RunProgress::ReportEvery(TimePoint now) {
  if (now - counted_ >= kCountEvery) CountLiving(now);
  const auto share = static_cast<std::int64_t>(living_) * 1000 / kMostReportsPerSecond;
  return std::max(kLeastReportPeriod, std::chrono::milliseconds(share));
}

StatusOr<std::int64_t> RunProgress::Report(const v1::ReportRequest& report, TimePoint now) {
  GORILA_RETURN_IF_ERROR(CheckReport(report));
  const auto known = clients_.find(report.client());
  const std::int64_t known_frames = known == clients_.end() ? 0 : known->second.frames;
  const std::int64_t more_frames = std::max<std::int64_t>(0, report.frames() - known_frames);
  if (more_frames > kMaxCount - run_frames_) {
    return InvalidArgument(
        "report: {} more frames, but the run has {} already; expected {} at most", more_frames,
        run_frames_, kMaxCount);
  }
  Client& client = FindOrAdd(report.client());
  client.last_use = ++uses_;
  run_frames_ += more_frames;
  // A report that a later one overtook contains nothing new.
  if (report.frames() >= client.frames) {
    client.status = report.status();
    client.status.set_process(report.client());
    client.reported = now;
  }
  client.frames = std::max(client.frames, report.frames());
  TakeGameFrames(report, client, run_frames_ - more_frames);
  TakeEpisodes(report, client);
  return client.episodes;
}

// They add up to at most the run's frames, but for what a client invents.
void RunProgress::TakeGameFrames(const v1::ReportRequest& report, Client& client,
                                 std::int64_t frames_before) {
  const auto games = static_cast<std::size_t>(report.game_frames_size());
  // Of a run that others have joined, all frames were the first game's.
  if (games > 0 && run_game_frames_.empty()) run_game_frames_.push_back(frames_before);
  run_game_frames_.resize(std::max(run_game_frames_.size(), games));
  client.game_frames.resize(std::max(client.game_frames.size(), games));
  for (std::size_t game = 0; game < games; ++game) {
    std::int64_t& known = client.game_frames[game];
    std::int64_t& run = run_game_frames_[game];
    const std::int64_t now = std::max(known, report.game_frames(static_cast<int>(game)));
    run = std::min(kMaxCount, run + now - known);
    known = now;
  }
}

void RunProgress::TakeEpisodes(const v1::ReportRequest& report, Client& client) {
  // After a restart from a snapshot some may be missing: they are only for display.
  client.episodes = std::max(client.episodes, report.first_episode());
  for (std::int64_t i = client.episodes - report.first_episode(); i < report.episodes_size(); ++i) {
    v1::Episode& episode = episodes_.emplace_back(report.episodes(static_cast<int>(i)));
    episode.set_role(report.status().role());
    episode.set_index(report.status().index());
    ++client.episodes;
  }
  while (episodes_.size() > kMaxEpisodes) {
    episodes_.pop_front();
    ++first_episode_;
  }
}

void RunProgress::AddProgress(std::int64_t first, v1::ProgressResponse& response) const {
  const auto end = first_episode_ + static_cast<std::int64_t>(episodes_.size());
  const std::int64_t begin = std::clamp(first, first_episode_, end);
  response.mutable_game_frames()->Assign(run_game_frames_.begin(), run_game_frames_.end());
  response.set_first_episode(begin);
  for (std::int64_t i = begin; i < end; ++i) {
    *response.add_episodes() = episodes_[static_cast<std::size_t>(i - first_episode_)];
  }
}

std::vector<v1::RoleStatus> RunProgress::Clients(TimePoint now,
                                                 std::chrono::seconds forget_after) const {
  std::vector<v1::RoleStatus> all;
  for (const auto& [id, client] : clients_) {
    const bool reported = client.reported != TimePoint{};  // not only restored from a snapshot
    if (!reported || now - client.reported > forget_after) continue;
    all.push_back(client.status);
    all.back().set_silent_seconds(std::chrono::duration<double>(now - client.reported).count());
  }
  std::sort(all.begin(), all.end(), [](const v1::RoleStatus& a, const v1::RoleStatus& b) {
    return std::pair(a.index(), a.seconds()) < std::pair(b.index(), b.seconds());
  });
  return all;
}

void RunProgress::SaveState(StateWriter& writer) const {
  const bool games = !run_game_frames_.empty();
  if (games) writer.Write(kStateOfGames);
  writer.Write(run_frames_);
  writer.Write(uses_);
  writer.Write<std::uint64_t>(clients_.size());
  for (const auto& [id, client] : clients_) {
    writer.Write(id);
    writer.Write(client.frames);
    writer.Write(client.episodes);
    writer.Write(client.last_use);
    if (games) writer.WriteSpan<std::int64_t>(client.game_frames);
  }
  if (games) writer.WriteSpan<std::int64_t>(run_game_frames_);
}

Status RunProgress::RestoreState(StateReader& reader) {
  std::uint64_t count = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(run_frames_));
  const bool games = run_frames_ == kStateOfGames;
  if (games) GORILA_RETURN_IF_ERROR(reader.Read(run_frames_));
  GORILA_RETURN_IF_ERROR(reader.Read(uses_));
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  if (count > kMaxClients || run_frames_ < 0 || run_frames_ > kMaxCount) {
    return DataLoss(
        "run progress of {} clients and {} frames; expected at most {} clients and 0 to {} frames: "
        "its counters overflowed; start the shard with an empty --state-dir or an older "
        "snapshot",
        count, run_frames_, kMaxClients, kMaxCount);
  }
  clients_.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t id = 0;
    GORILA_RETURN_IF_ERROR(reader.Read(id));
    Client& client = clients_[id];
    GORILA_RETURN_IF_ERROR(reader.Read(client.frames));
    GORILA_RETURN_IF_ERROR(reader.Read(client.episodes));
    GORILA_RETURN_IF_ERROR(reader.Read(client.last_use));
    if (games) GORILA_RETURN_IF_ERROR(reader.ReadVector(client.game_frames));
    GORILA_RETURN_IF_ERROR(CheckRestored(client.game_frames));
    if (client.frames < 0 || client.frames > kMaxCount || client.episodes < 0 ||
        client.episodes > kMaxCount) {
      return DataLoss(
          "run progress: a client has {} frames and {} episodes; expected 0 to {} each: remove "
          "this snapshot",
          client.frames, client.episodes, kMaxCount);
    }
  }
  run_game_frames_.clear();
  if (games) GORILA_RETURN_IF_ERROR(reader.ReadVector(run_game_frames_));
  return CheckRestored(run_game_frames_);
}

}  // namespace gorila
