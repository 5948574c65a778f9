#include "gorila/simulation/oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "gorila/checkpoint/generation.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/simulation/parse.h"

namespace gorila::simulation {
namespace {

constexpr std::size_t kMostViolations = 20;

// The number of the snapshot that a path leads to; 0 when it is no snapshot's.
std::uint64_t SnapshotOf(const std::string& name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc() && end == name.data() + name.size() ? number : 0;
}

// -1 where the path is none of a parameter shard's.
int ShardOfPath(const std::filesystem::path& path) {
  const std::string volume = std::next(path.begin())->string();  // "shard-3"
  constexpr std::string_view kPrefix = "shard-";
  return volume.starts_with(kPrefix) ? std::stoi(volume.substr(kPrefix.size())) : -1;
}

}  // namespace

void Oracle::Violated(std::string what) {
  if (violations_.size() >= kMostViolations) return;
  const std::chrono::duration<double> now =
      scheduler_.Now().time_since_epoch() - std::chrono::hours(1);
  violations_.push_back(fmt::format("at {:.6f} s: {}", now.count(), what));
  scheduler_.Stop();
}

void Oracle::AddShard(int shard, double sum) {
  const auto index = static_cast<std::size_t>(shard);
  if (shards_.size() <= index) shards_.resize(index + 1);
  shards_[index].first_sum = sum;
}

void Oracle::AddShardProcess(ProcessId process, int shard) {
  if (shard_of_.size() <= process) shard_of_.resize(process + 1, -1);
  shard_of_[process] = shard;
  committed_before_[process] = ShardAt(shard).committed;
}

void Oracle::BeganServing(ProcessId process, std::int64_t number, std::int64_t version) {
  const int index = ShardOf(process);
  Shard& shard = ShardAt(index);
  ++counters_.generations;
  if (index == 0) run_.BeganServing();
  if (shard.generations.contains(number)) {
    return Violated(fmt::format("shard {}: two processes took generation {}", index, number));
  }
  Generation& generation = shard.generations[number];
  generation.process = process;
  generation.first_version = version;
  const auto read = read_.find(process);
  const std::uint64_t snapshot = read == read_.end() ? 0 : read->second;
  if (const std::uint64_t committed = committed_before_.at(process); snapshot < committed) {
    return Violated(
        fmt::format("shard {}: generation {} began with snapshot {}, but {} was "
                    "committed before",
                    index, number, snapshot, committed));
  }
  if (snapshot == 0) return;
  ++counters_.restored;
  const auto parent = shard.generations.find(static_cast<std::int64_t>(snapshot) /
                                             ::gorila::Generation::kSnapshots);
  generation.staleness_before = StalenessUntil(parent->second, version);
  for (const auto& [client, decided] : parent->second.decided) {
    generation.decided.emplace(client, decided.AcceptedUntil(version));
  }
  // Those without processes in between are not needed again.
  shard.generations.erase(shard.generations.begin(), shard.generations.lower_bound(parent->first));
}

std::optional<std::int64_t> Oracle::StalenessUntil(const Generation& generation,
                                                   std::int64_t version) {
  std::optional<std::int64_t> sum = generation.staleness_before;
  const auto versions = static_cast<std::size_t>(version - generation.first_version);
  if (generation.staleness.size() < versions) return std::nullopt;
  for (std::size_t i = 0; i < versions && sum.has_value(); ++i) {
    if (generation.staleness[i] < 0) return std::nullopt;
    *sum += generation.staleness[i];
  }
  return sum;
}

void Oracle::NoteStaleness(Generation& generation, const v1::PushRequest& push,
                           const v1::PushResponse& response) {
  if (response.version() <= generation.first_version) return;
  const auto place = static_cast<std::size_t>(response.version() - generation.first_version - 1);
  if (generation.staleness.size() <= place) generation.staleness.resize(place + 1, -1);
  generation.staleness[place] = response.version() - 1 - push.computed_version();
}

void Oracle::CheckStatus(ProcessId process, const v1::RoleStatus& status) {
  const int index = ShardOf(process);
  const auto found = ShardAt(index).generations.find(status.generation());
  if (found == ShardAt(index).generations.end()) return;
  const auto counted = status.counters().find("staleness_sum");
  GORILA_CHECK(counted != status.counters().end());
  const auto expected = StalenessUntil(found->second, found->second.version);
  if (!expected.has_value()) return;
  ++counters_.staleness_checks;
  if (counted->second == *expected) return;
  Violated(
      fmt::format("shard {}, generation {}: the staleness of accepted gradients is {}; it "
                  "counts {}",
                  index, status.generation(), *expected, counted->second));
}

Oracle::Generation* Oracle::Served(ProcessId server, int index, std::int64_t number,
                                   std::int64_t version) {
  const auto found = ShardAt(index).generations.find(number);
  if (found == ShardAt(index).generations.end()) return nullptr;  // of long ago
  Generation& generation = found->second;
  if (generation.process != server) {
    Violated(fmt::format("shard {}: processes {} and {} both serve generation {}", index,
                         generation.process, server, number));
  }
  if (version < generation.version) {
    Violated(fmt::format("shard {}, generation {}: version {} after version {}", index, number,
                         version, generation.version));
  }
  generation.version = std::max(generation.version, version);
  return &generation;
}

void Oracle::Handled(ProcessId server, ProcessId client, const rpc::CallOptions& call,
                     const rpc::Response* response) {
  const int shard = ShardOf(server);
  if (shard < 0) return replay_.Handled(server, client, call, response);
  if (response == nullptr) {
    ++counters_.refused;
    return;
  }
  if (call.method == kPushMethod) {
    CheckPush(server, shard, ParseInto(push_, call.header), ParseInto(pushed_, response->header));
    if (push_.has_then()) {
      ++counters_.answered;
      CheckPull(server, shard, push_.then(), pushed_.pulled(), response->payload.get());
    }
  } else if (call.method == kPullMethod) {
    CheckPull(server, shard, ParseInto(pull_, call.header), ParseInto(pulled_, response->header),
              response->payload.get());
  } else if (call.method == kReportMethod) {
    CheckReport(server, client, shard, Parse<v1::ReportRequest>(call.header),
                Parse<v1::ReportResponse>(response->header));
  } else if (call.method == kProgressMethod) {
    const auto progress = Parse<v1::ProgressResponse>(response->header);
    CheckFrames(Served(server, shard, progress.generation(), progress.version()),
                progress.generation(), progress.run_frames());
    run_.Answered(client, progress.run_frames());
  }
}

void Oracle::CheckPush(ProcessId server, int shard, const v1::PushRequest& push,
                       const v1::PushResponse& response) {
  Generation* const generation = Served(server, shard, response.generation(), response.version());
  if (push.seen_generation() > response.generation()) {
    Violated(
        fmt::format("shard {}: generation {} decided on a gradient of a client that had told "
                    "it of generation {}",
                    shard, response.generation(), push.seen_generation()));
  }
  if (response.repeated()) {
    ++counters_.repeated;
  } else if (generation != nullptr) {
    CheckDecision(shard, *generation, push, response);
  }
}

void Oracle::CheckDecision(int shard, Generation& generation, const v1::PushRequest& push,
                           const v1::PushResponse& response) {
  const std::int64_t sequence = push.sequence();
  DecidedGradients& decided = generation.decided[push.client()];
  const auto violated = [&](std::string_view how) {
    Violated(fmt::format("shard {}, generation {}: gradient {} of client {:x} was {}", shard,
                         response.generation(), sequence, push.client(), how));
  };
  if (decided.IsForgotten(sequence)) violated("decided on, though the ledger cannot know it");
  if (decided.WasDecided(sequence)) violated("decided on twice");
  decided.NoteDecided(sequence);
  if (response.verdict() == v1::PushResponse::STALE) ++counters_.stale;
  if (response.verdict() == v1::PushResponse::INVALID) ++counters_.invalid;
  if (response.verdict() != v1::PushResponse::ACCEPTED) return;
  ++counters_.accepted;
  NoteStaleness(generation, push, response);
  if (decided.WasAccepted(sequence)) violated("applied again, though its snapshot has it");
  decided.NoteAccepted(sequence, response.version());
}

void Oracle::CheckPull(ProcessId server, int shard, const v1::PullRequest& pull,
                       const v1::PullResponse& response, const rpc::Payload* payload) {
  Served(server, shard, response.generation(), response.latest_version());
  if (payload == nullptr || pull.target()) return;
  const std::span<const float> values = payload->floats();
  const double sum = std::accumulate(values.begin(), values.end(), 0.0);
  const double expected = ShardAt(shard).first_sum - static_cast<double>(response.version());
  if (std::abs(sum - expected) < 0.4) return;
  Violated(fmt::format(
      "shard {}, generation {}: the parameters of version {} are those after {:.2f} "
      "gradients",
      shard, response.generation(), response.version(), ShardAt(shard).first_sum - sum));
}

void Oracle::CheckReport(ProcessId server, ProcessId client, int shard,
                         const v1::ReportRequest& report, const v1::ReportResponse& response) {
  replay_.Reported(client, report.status());
  Generation* const generation = Served(server, shard, response.generation(), response.version());
  CheckFrames(generation, response.generation(), response.run_frames());
  if (generation != nullptr) CheckCounted(*generation, report, response);
}

// How much of a client's first report a snapshot has is not known, nor, while the run's end is held
// back, how many frames there are.
void Oracle::CheckCounted(Generation& generation, const v1::ReportRequest& report,
                          const v1::ReportResponse& response) {
  const std::int64_t told = response.run_frames();
  const bool held = run_.frames() > 0 && told == run_.frames() - 1;
  const auto [known, first] = generation.reported.try_emplace(report.client(), 0);
  const std::int64_t more = std::max<std::int64_t>(report.frames() - known->second, 0);
  known->second += more;
  if (!generation.counted.has_value() || (first && held)) {
    generation.counted = held ? std::nullopt : std::optional(told);
    return;
  }
  const std::int64_t most = *generation.counted + more;
  const std::int64_t least = first ? *generation.counted : most;
  generation.counted = first ? told : most;
  if (!first) ++counters_.counted_reports;
  if ((told >= least && told <= most) || (held && most > told)) return;
  Violated(fmt::format(
      "generation {}: after a report of {} more frames of client {:x} the run has {}; expected {}",
      response.generation(), more, report.client(), told, most));
}

void Oracle::CheckFrames(Generation* generation, std::int64_t number, std::int64_t frames) {
  if (frames > frames_made_) {
    Violated(fmt::format("the run has {} frames, of {} that were made", frames, frames_made_));
  }
  if (generation == nullptr) return;
  if (frames < generation->frames) {
    Violated(fmt::format("generation {}: the run has {} frames after {}", number, frames,
                         generation->frames));
  }
  generation->frames = frames;
}

void Oracle::Synced(ProcessId, const std::filesystem::path& folder,
                    const std::vector<FolderEntry>& entries) {
  const int index = ShardOfPath(folder);
  if (index < 0 || folder.filename() != "snapshots") return;
  Shard& shard = ShardAt(index);
  for (const FolderEntry& entry : entries) {
    const std::uint64_t number = SnapshotOf(entry.name);
    if (number <= shard.committed) continue;
    shard.committed = number;
    ++counters_.snapshots;
  }
}

void Oracle::HasRead(ProcessId process, const std::filesystem::path& path) {
  if (path.filename() == "clients.state") {
    read_[process] = SnapshotOf(path.parent_path().filename().string());
  }
}

}  // namespace gorila::simulation
