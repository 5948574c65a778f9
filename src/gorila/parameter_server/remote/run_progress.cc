#include "gorila/parameter_server/remote/run_progress.h"

#include <algorithm>

namespace gorila {

RunProgress::Client& RunProgress::FindOrAdd(std::uint64_t id) {
  if (!clients_.contains(id) && clients_.size() == kMaxClients) {
    // Its frames stay counted.
    clients_.erase(std::min_element(clients_.begin(), clients_.end(), [](auto& a, auto& b) {
      return a.second.last_use < b.second.last_use;
    }));
  }
  return clients_[id];
}

StatusOr<std::int64_t> RunProgress::Report(const v1::ReportRequest& report, TimePoint now) {
  if (report.frames() < 0 || report.first_episode() < 0) {
    return InvalidArgument("report of {} frames and episodes from {}; expected 0 or more",
                           report.frames(), report.first_episode());
  }
  Client& client = FindOrAdd(report.client());
  client.last_use = ++uses_;
  run_frames_ += std::max<std::int64_t>(0, report.frames() - client.frames);
  // A report that was overtaken by a later one brings nothing new.
  if (report.frames() >= client.frames) {
    client.status = report.status();
    client.reported = now;
  }
  client.frames = std::max(client.frames, report.frames());
  TakeEpisodes(report, client);
  return client.episodes;
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

void RunProgress::GetEpisodes(std::int64_t first, v1::ProgressResponse& response) const {
  const auto end = first_episode_ + static_cast<std::int64_t>(episodes_.size());
  const std::int64_t begin = std::clamp(first, first_episode_, end);
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
  writer.Write(run_frames_);
  writer.Write(uses_);
  writer.Write<std::uint64_t>(clients_.size());
  for (const auto& [id, client] : clients_) {
    writer.Write(id);
    writer.Write(client.frames);
    writer.Write(client.episodes);
    writer.Write(client.last_use);
  }
}

Status RunProgress::RestoreState(StateReader& reader) {
  std::uint64_t count = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(run_frames_));
  GORILA_RETURN_IF_ERROR(reader.Read(uses_));
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  if (count > kMaxClients || run_frames_ < 0) {
    return DataLoss("run progress of {} clients and {} frames", count, run_frames_);
  }
  clients_.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t id = 0;
    GORILA_RETURN_IF_ERROR(reader.Read(id));
    Client& client = clients_[id];
    GORILA_RETURN_IF_ERROR(reader.Read(client.frames));
    GORILA_RETURN_IF_ERROR(reader.Read(client.episodes));
    GORILA_RETURN_IF_ERROR(reader.Read(client.last_use));
  }
  return OkStatus();
}

}  // namespace gorila
