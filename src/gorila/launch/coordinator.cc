#include "gorila/launch/coordinator.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/runtime.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/game_list.h"
#include "gorila/launch/remote_parts.h"
#include "gorila/launch/role_status.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/run/parameter_file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kRunLook{100};
constexpr milliseconds kProgressPeriod{500};
constexpr milliseconds kStatusTimeout{10'000};
// A restarting server does not deserve a message.
constexpr milliseconds kAwayUnsaid{5'000};
// For servers whose figures may be missing.
constexpr milliseconds kOthersTimeout{500};

// Clamps, so that any large number means "never".
Clock::duration ToDuration(double seconds) {
  constexpr double kMost = 1e9;
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::min(seconds, kMost)));
}

// Reads a number from a parameter file's metadata.
template <typename T>
bool ReadMetadata(const Safetensors& file, const char* key, T& value) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) return false;
  const char* const end = found->second.data() + found->second.size();
  return std::from_chars(found->second.data(), end, value).ptr == end;
}

// A network that an earlier coordinator wrote, with what its file says of it.
struct StoredNetwork {
  std::vector<float> parameters;
  Safetensors file;
};

// Training does not depend on such a file, so a damaged one can be removed.
Status UnusableNetwork(const fs::path& path, std::string_view why) {
  return DataLoss("'{}': {}; remove the file to continue the run without that network",
                  path.string(), why);
}

StatusOr<StoredNetwork> ReadNetwork(const ParameterLayout& layout, const fs::path& path) {
  GORILA_ASSIGN_OR_RETURN(const std::string encoded, ReadFileOf(NetworkFileOf(layout.size), path));
  StatusOr<std::vector<float>> parameters = DecodeParameters(layout, encoded);
  if (!parameters.ok()) return UnusableNetwork(path, std::string(parameters.status().message()));
  GORILA_ASSIGN_OR_RETURN(Safetensors file, Safetensors::Decode(encoded));
  return StoredNetwork{*std::move(parameters), std::move(file)};
}

ParameterShardCounters GradientsOf(const v1::RoleStatus& shard) {
  ParameterShardCounters gradients = {.accepted = CounterOf(shard, "accepted"),
                                      .stale = CounterOf(shard, "stale"),
                                      .invalid = CounterOf(shard, "invalid"),
                                      .staleness_sum = CounterOf(shard, "staleness_sum")};
  for (std::size_t i = 0; i < kStalenessBuckets; ++i) {
    gradients.staleness[i] = CounterOf(shard, fmt::format("staleness_{}", i));
  }
  return gradients;
}

}  // namespace

Coordinator::Coordinator(const Config& config, const RunDirectory& directory,
                         std::function<Status()> failure)
    : config_(config),
      directory_(directory),
      files_(fs::absolute(directory.path())),
      failure_(std::move(failure)),
      observer_(/*wall_time=*/true, GamesOf(config)),
      workers_(config.run.bundles, config.cluster.actors, config.cluster.learners),
      scorer_(config),
      health_(config),
      milestones_(config, directory.path(), layout_) {}

StatusOr<std::unique_ptr<Coordinator>> Coordinator::Open(const Config& config,
                                                         const RunDirectory& directory,
                                                         std::function<Status()> failure) {
  FlushDenormalsInThisThread();
  std::unique_ptr<Coordinator> coordinator(new Coordinator(config, directory, std::move(failure)));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  coordinator->layout_ = MakeParameterLayout(network);
  coordinator->started_ = SteadyNow();
  GORILA_ASSIGN_OR_RETURN(RunLog log, RunLog::Open(directory.metrics()));
  coordinator->log_.emplace(std::move(log));
  GORILA_ASSIGN_OR_RETURN(const LoggedProgress logged, ReadLoggedProgress(directory.metrics()));
  coordinator->ContinueFrom(logged);
  GORILA_RETURN_IF_ERROR(coordinator->ReadBest());
  GORILA_RETURN_IF_ERROR(coordinator->ReadPending());
  return coordinator;
}

void Coordinator::ContinueFrom(const LoggedProgress& logged) {
  if (!logged.any) return;
  seconds_before_ = logged.seconds;
  observer_.AddEarlierCpuSeconds(logged.cpu_seconds);
  usage_ = ProcessUsage(/*continues=*/true);
  scorer_.ContinueFrom(logged);
  milestones_.ContinueFrom(logged.frames);
  scorer_.IsDue(logged.frames);  // an evaluation that came due while nothing watched is still due
}

double Coordinator::WatchedSeconds() const {
  return std::chrono::duration<double>(SteadyNow() - started_).count();
}

double Coordinator::Seconds() const { return seconds_before_ + WatchedSeconds(); }

bool Coordinator::StopWanted(const TrainerHooks& hooks) {
  if (hooks.stop_requested && hooks.stop_requested()) {
    interrupted_ = true;
    return true;
  }
  return config_.run.seconds > 0 && Seconds() >= config_.run.seconds;
}

Status Coordinator::Connect(const CoordinatorOptions& options, const TrainerHooks& hooks) {
  GORILA_ASSIGN_OR_RETURN(
      store_, RemoteParameterStore::Connect({.endpoints = options.parameter_servers,
                                             .tls = options.credentials.tls,
                                             .token = options.credentials.token,
                                             .layout = layout_.Fingerprint(),
                                             .parameters = layout_.size,
                                             .retry = {.patience = options.patience},
                                             .shared_memory = config_.cluster.shared_memory,
                                             .stop = [this, &hooks] { return GivenUp(hooks); }}));
  for (const rpc::Endpoint& endpoint : options.replays) {
    replays_.push_back(std::make_unique<rpc::Channel>(
        rpc::ChannelOptions{.endpoint = endpoint,
                            .role = kReplayRole,
                            .tls = options.credentials.tls,
                            .identity = {.token = options.credentials.token, .layout = {}}}));
  }
  return Begin(options.patience, hooks);
}

// Before the first bundle starts, so that the run's frames are those at which it resumes.
Status Coordinator::Begin(milliseconds patience, const TrainerHooks& hooks) {
  std::int64_t frames = 0;
  const auto ask = [&]() -> Status {
    GORILA_ASSIGN_OR_RETURN(const v1::ProgressResponse progress, store_->GetProgress(0));
    frames = progress.run_frames();
    return OkStatus();
  };
  GORILA_RETURN_IF_ERROR(rpc::Retry(
      {.patience = patience}, [this, &hooks] { return GivenUp(hooks); }, ask));
  GORILA_ASSIGN_OR_RETURN(EventFile events,
                          EventFile::Create(directory_.events(), frames > 0 ? frames + 1 : 0,
                                            /*wall_time=*/true));
  events_.emplace(std::move(events));
  scorer_.SetEvents(&*events_);
  if (hooks.started) hooks.started(frames, seconds_before_);
  patience_ = patience;
  return OkStatus();
}

bool Coordinator::GivenUp(const TrainerHooks& hooks) const {
  return !failure_().ok() || (hooks.stop_requested && hooks.stop_requested());
}

Status Coordinator::Watch(const TrainerHooks& hooks) {
  scorer_.SetScored(hooks.evaluated);
  GORILA_RETURN_IF_ERROR(WatchFrames(hooks));
  const bool pays = !replays_.empty() && config_.replay.options.rate.insert_lead > 0;
  return pays ? WatchOwedUpdates(hooks) : OkStatus();
}

Status Coordinator::WatchOwedUpdates(const TrainerHooks& hooks) {
  const auto began = SteadyNow();
  while (!StopWanted(hooks)) {
    GORILA_RETURN_IF_ERROR(failure_());
    const auto passed = SteadyNow() - began;
    if (passed >= kOwedUpdatesDeadline + kLastRowsDelay) {
      if (hooks.message) {
        hooks.message(
            fmt::format("the run ends {} updates short of replay.updates_per_step: "
                        "learners did not make them within {} s",
                        owed_updates_, kOwedUpdatesDeadline.count() / 1000));
      }
      return OkStatus();
    }
    GORILA_ASSIGN_OR_RETURN(const bool seen, Look(hooks));
    if (seen && hooks.progress) hooks.progress(observer_.progress());
    if (seen && owed_updates_ == 0 && passed >= kLastRowsDelay) return OkStatus();
    rpc::SleepUnlessStopped(kRunLook, hooks.stop_requested);
  }
  return OkStatus();
}

Status Coordinator::WatchFrames(const TrainerHooks& hooks) {
  auto next_look = SteadyNow();
  auto next_record = SteadyNow() + ToDuration(config_.run.metrics_every_seconds);
  while (!StopWanted(hooks)) {
    GORILA_RETURN_IF_ERROR(failure_());
    GORILA_RETURN_IF_ERROR(CollectEvaluations(hooks));
    const bool due = SteadyNow() >= next_look;
    GORILA_ASSIGN_OR_RETURN(const bool seen, due ? Look(hooks) : false);
    if (seen) {
      next_look = SteadyNow() + kProgressPeriod;
      if (hooks.progress) hooks.progress(observer_.progress());
      health_.Look(observer_.progress(), hooks.message);
      GORILA_RETURN_IF_ERROR(LookAtFiles(hooks));
      GORILA_RETURN_IF_ERROR(WriteDueMilestone(hooks));
      const auto frames = static_cast<std::int64_t>(observer_.progress().frames);
      // Before a record: the run's last one also has the updates that are made after its frames.
      if (frames >= config_.run.frames) return OkStatus();
      if (SteadyNow() >= next_record) {
        next_record += ToDuration(config_.run.metrics_every_seconds);
        GORILA_RETURN_IF_ERROR(AppendRecord());
        workers_.EndRecord();
      }
      GORILA_RETURN_IF_ERROR(EvaluateIfDue(hooks));
    }
    rpc::SleepUnlessStopped(kRunLook, hooks.stop_requested);
  }
  return OkStatus();
}

Status Coordinator::AppendRecord() {
  return observer_.AppendTrainingRecord(*log_, &*events_, scorer_.CountFields());
}

StatusOr<bool> Coordinator::Look(const TrainerHooks& hooks) {
  const bool seen = Observe();
  if (seen) {
    if (std::exchange(said_away_, false) && hooks.message) {
      hooks.message("the first parameter server answers again");
    }
    away_since_.reset();
    return true;
  }
  const auto now = SteadyNow();
  // Since the first failed look, not the last answer: this process itself may have been stopped.
  if (!away_since_.has_value()) away_since_ = now;
  const auto away = now - *away_since_;
  if (away >= kAwayUnsaid && !std::exchange(said_away_, true) && hooks.message) {
    hooks.message("the first parameter server does not answer; waiting for it");
  }
  if (away > patience_) {
    return Unavailable(
        "the first parameter server did not answer for {} s; check its log, start it again, then "
        "resume the run",
        std::chrono::duration_cast<std::chrono::seconds>(away).count());
  }
  return false;
}

bool Coordinator::Observe() {
  const StatusOr<v1::ProgressResponse> progress = store_->GetProgress(next_episode_);
  if (!progress.ok()) return false;
  // A shard that restarted counts its episodes from 0 again.
  if (progress->generation() != episodes_generation_) {
    episodes_generation_ = progress->generation();
    next_episode_ = 0;
    return Observe();
  }
  RunSample sample;
  sample.frames = progress->run_frames();
  sample.updates = progress->version();
  sample.game_frames.assign(progress->game_frames().begin(), progress->game_frames().end());
  next_episode_ = progress->first_episode() + progress->episodes_size();
  const StatusOr<v1::StatusResponse> status = store_->GetStatus(0, kStatusTimeout);
  if (!status.ok()) return false;
  workers_.AddTo(status->roles(), progress->episodes(), sample);
  sample.gradients = GradientsOf(status->roles(0));
  owed_updates_ = 0;
  for (const v1::RoleStatus* const role : LivingProcesses(status->roles())) {
    usage_.Look(*role, WatchedSeconds());
    if (role->role() != "learner") continue;
    owed_updates_ +=
        std::max<std::int64_t>(CounterOf(*role, "samples") - CounterOf(*role, "gradients"), 0);
  }
  ObserveOtherServers(sample);
  usage_.EndLook(sample);
  observer_.Observe(sample, config_.run, Seconds());
  return true;
}

// Servers that are down count as empty.
void Coordinator::ObserveOtherServers(RunSample& sample) {
  for (int shard = 1; shard < store_->num_shards(); ++shard) {
    const StatusOr<v1::StatusResponse> status = store_->GetStatus(shard, kOthersTimeout);
    if (status.ok()) usage_.Look(status->roles(0), WatchedSeconds());
  }
  for (const std::unique_ptr<rpc::Channel>& replay : replays_) {
    const auto status = rpc::AskStatus(*replay, kOthersTimeout);
    if (!status.ok()) {
      ++owed_updates_;  // unknown, so it may owe some
      continue;
    }
    usage_.Look(status->roles(0), WatchedSeconds());
    owed_updates_ += CounterOf(status->roles(0), "samples_owed");
    sample.replay_rows += CounterOf(status->roles(0), "replay_rows");
    sample.replay_capacity += CounterOf(status->roles(0), "replay_capacity");
  }
}

StatusOr<NetworkInTraining> Coordinator::TakeNetwork() {
  NetworkInTraining network{.frames = static_cast<std::int64_t>(observer_.progress().frames),
                            .updates = static_cast<std::int64_t>(observer_.progress().updates),
                            .parameters = std::vector<float>(store_->size())};
  ShardVersions versions(static_cast<std::size_t>(store_->num_shards()), -1);
  GORILA_RETURN_IF_ERROR(store_->Pull(network.parameters, versions).status());
  return network;
}

Status Coordinator::EvaluateIfDue(const TrainerHooks& hooks) {
  if (!scorer_.IsDue(static_cast<std::int64_t>(observer_.progress().frames))) return OkStatus();
  GORILA_ASSIGN_OR_RETURN(NetworkInTraining network, TakeNetwork());
  GORILA_RETURN_IF_ERROR(scorer_.Offer(std::move(network), *log_, hooks.message).status());
  writes_.Note("network to evaluate", WritePending(), hooks.warner());
  return OkStatus();
}

Status Coordinator::WriteDueMilestone(const TrainerHooks& hooks) {
  const std::optional<std::int64_t> due =
      milestones_.Due(static_cast<std::int64_t>(observer_.progress().frames), hooks.message);
  if (!due.has_value()) return OkStatus();
  GORILA_ASSIGN_OR_RETURN(NetworkInTraining network, TakeNetwork());
  writes_.Note("milestone", milestones_.Write({*due, std::move(network)}), hooks.warner());
  return OkStatus();
}

Status Coordinator::CollectEvaluations(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(scorer_.Collect(*log_, hooks.message));
  const bool better = scorer_.best().has_value() && scorer_.best()->frames != written_best_;
  if (better) writes_.Note("best network", WriteBest(), hooks.warner());
  writes_.Note("network to evaluate", WritePending(), hooks.warner());
  return OkStatus();
}

// A network leaves its file when its score is logged.
Status Coordinator::WritePending() {
  std::vector<std::int64_t> frames;
  for (const SharedNetwork& network : scorer_.pending()) {
    frames.push_back(network->frames);
    if (std::count(written_pending_.begin(), written_pending_.end(), network->frames) > 0) continue;
    GORILA_ASSIGN_OR_RETURN(const std::string encoded,
                            EncodeParameters(layout_, network->parameters,
                                             {{"environment", config_.environment.name},
                                              {"frames", std::to_string(network->frames)},
                                              {"updates", std::to_string(network->updates)}}));
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(files_.pending(network->frames), encoded));
    written_pending_.push_back(network->frames);
  }
  for (const std::int64_t written : written_pending_) {
    // One that stays is skipped later: its score is in the log.
    if (std::count(frames.begin(), frames.end(), written) == 0) {
      RemovePathAndBelow(files_.pending(written)).IgnoreError();
    }
  }
  written_pending_ = std::move(frames);
  return OkStatus();
}

Status Coordinator::LookAtFiles(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(directory_.CheckNotRemoved());
  writes_.Retry("run log", log_->file(), hooks.warner());
  writes_.Retry("event file", events_->file(), hooks.warner());
  if (milestones_.waiting()) writes_.Note("milestone", milestones_.Retry(), hooks.warner());
  return OkStatus();
}

Status Coordinator::ReadPending() {
  std::vector<SharedNetwork> pending;
  for (const fs::path& path : files_.AllPending()) {
    GORILA_ASSIGN_OR_RETURN(StoredNetwork stored, ReadNetwork(layout_, path));
    NetworkInTraining network;
    network.parameters = std::move(stored.parameters);
    if (!ReadMetadata(stored.file, "frames", network.frames) ||
        !ReadMetadata(stored.file, "updates", network.updates)) {
      return UnusableNetwork(path, "the file does not say when the network was taken");
    }
    written_pending_.push_back(network.frames);
    pending.push_back(std::make_shared<const NetworkInTraining>(std::move(network)));
  }
  scorer_.Restore(std::move(pending));
  return OkStatus();
}

Status Coordinator::WriteBest() {
  const BestNetwork& best = *scorer_.best();
  GORILA_ASSIGN_OR_RETURN(const std::string encoded,
                          EncodeParameters(layout_, best.parameters,
                                           {{"environment", config_.environment.name},
                                            {"frames", std::to_string(best.frames)},
                                            {"return_mean", fmt::format("{}", best.mean)},
                                            {"protocol", best.protocol}}));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(files_.best(), encoded));
  written_best_ = best.frames;
  return OkStatus();
}

Status Coordinator::ReadBest() {
  StatusOr<StoredNetwork> stored = ReadNetwork(layout_, files_.best());
  if (absl::IsNotFound(stored.status())) return OkStatus();
  GORILA_RETURN_IF_ERROR(stored.status());
  BestNetwork best;
  best.parameters = std::move(stored->parameters);
  if (!ReadMetadata(stored->file, "frames", best.frames) ||
      !ReadMetadata(stored->file, "return_mean", best.mean)) {
    return UnusableNetwork(files_.best(), "the file does not say what the network scored");
  }
  const auto environment = stored->file.metadata().find("environment");
  if (environment != stored->file.metadata().end() &&
      SplitGames(environment->second) != GamesOf(config_)) {
    scorer_.BeginChoice();  // further games have joined
    return OkStatus();
  }
  const auto protocol = stored->file.metadata().find("protocol");
  if (protocol != stored->file.metadata().end()) best.protocol = protocol->second;
  written_best_ = best.frames;
  scorer_.SetBest(std::move(best));
  return OkStatus();
}

StatusOr<TrainingOutcome> Coordinator::Finish(const TrainerHooks& hooks) {
  Observe();
  if (hooks.progress) hooks.progress(observer_.progress());
  health_.Look(observer_.progress(), hooks.message);
  TrainingOutcome outcome;
  outcome.progress = observer_.progress();
  // A stop must not lose an evaluation that came due with the last frames, unless a server is down.
  if (interrupted_) EvaluateIfDue(hooks).IgnoreError();
  const Status milestone = WriteDueMilestone(hooks);
  if (!interrupted_) GORILA_RETURN_IF_ERROR(milestone);
  GORILA_RETURN_IF_ERROR(AppendRecord());
  outcome.unwritten = log_->Sync();
  outcome.unwritten.Update(milestones_.Retry());
  if (interrupted_) return outcome;
  GORILA_ASSIGN_OR_RETURN(NetworkInTraining last, TakeNetwork());
  auto score = scorer_.EvaluateFinally(std::move(last), layout_, directory_.path(), *log_,
                                       hooks.message, hooks.stop_requested);
  GORILA_RETURN_IF_ERROR(CollectEvaluations(hooks));  // removes files that are no longer needed
  GORILA_RETURN_IF_ERROR(score.status());
  if (!score->has_value()) return outcome;  // resume evaluates again
  outcome.Finish(**std::move(score), health_, *log_, *events_);
  return outcome;
}

}  // namespace gorila
