#include "gorila/runtime/distributed/coordinator.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/file.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/runtime/distributed/remote_parts.h"
#include "gorila/runtime/distributed/role_report.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{100};
constexpr milliseconds kProgressPeriod{500};
constexpr milliseconds kStatusTimeout{10'000};
// Of servers whose figures can be missing.
constexpr milliseconds kOthersTimeout{500};

Clock::duration ToDuration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Whether a multiple of `period` lies in (before, now].
bool Crossed(std::int64_t before, std::int64_t now, std::int64_t period) {
  return period > 0 && now / period > before / period;
}

// What an earlier process logged last under `name`; 0 when there is nothing.
double LastOf(const std::vector<RunLogRow>& rows, std::string_view name) {
  const auto last = std::find_if(rows.rbegin(), rows.rend(), [name](const RunLogRow& row) {
    return row.Number(name).has_value();
  });
  return last == rows.rend() ? 0 : *last->Number(name);
}

ShardCounters GradientsOf(const v1::RoleStatus& shard) {
  ShardCounters gradients = {.accepted = CounterOf(shard, "accepted"),
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
      observer_(/*wall_time=*/true),
      workers_(config.run.bundles, config.cluster.actors, config.cluster.learners),
      scorer_(config) {}

StatusOr<std::unique_ptr<Coordinator>> Coordinator::Open(const Config& config,
                                                         const RunDirectory& directory,
                                                         std::function<Status()> failure) {
  FlushDenormalsInThisThread();
  std::unique_ptr<Coordinator> coordinator(new Coordinator(config, directory, std::move(failure)));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  coordinator->layout_ = MakeParameterLayout(network);
  coordinator->GoOnFrom(directory.metrics());
  coordinator->started_ = Clock::now();
  GORILA_ASSIGN_OR_RETURN(RunLog log, RunLog::Open(directory.metrics()));
  coordinator->log_.emplace(std::move(log));
  GORILA_RETURN_IF_ERROR(coordinator->ReadBest());
  return coordinator;
}

void Coordinator::GoOnFrom(const fs::path& metrics) {
  const StatusOr<std::vector<RunLogRow>> rows = ReadRunLog(metrics);
  if (!rows.ok() || rows->empty()) return;
  seconds_before_ = LastOf(*rows, "seconds");
  observer_.AddEarlierCpuSeconds(LastOf(*rows, "cpu_seconds"));
  usage_ = ProcessUsage(/*goes_on=*/true);
}

double Coordinator::WatchedSeconds() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
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
                                             .stop = [this, &hooks] { return GivenUp(hooks); }}));
  for (const rpc::Endpoint& endpoint : options.replays) {
    replays_.push_back(std::make_unique<rpc::Channel>(
        rpc::ChannelOptions{.endpoint = endpoint,
                            .role = kReplayRole,
                            .tls = options.credentials.tls,
                            .identity = {.token = options.credentials.token, .layout = {}}}));
  }
  return OpenEvents(options.patience, hooks);
}

// Before the first bundle starts, so that the run's frames are those it goes on from.
Status Coordinator::OpenEvents(milliseconds patience, const TrainerHooks& hooks) {
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
  return OkStatus();
}

bool Coordinator::GivenUp(const TrainerHooks& hooks) const {
  return !failure_().ok() || (hooks.stop_requested && hooks.stop_requested());
}

Status Coordinator::Watch(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(WatchFrames(hooks));
  const bool pays = !replays_.empty() && config_.replay.options.rate.insert_lead > 0;
  return pays ? WatchOwedUpdates(hooks) : OkStatus();
}

Status Coordinator::WatchOwedUpdates(const TrainerHooks& hooks) {
  const auto began = Clock::now();
  while (!StopWanted(hooks)) {
    GORILA_RETURN_IF_ERROR(failure_());
    const auto passed = Clock::now() - began;
    if (passed >= kOwedUpdatesDeadline + kLastRowsDelay) {
      if (hooks.message) {
        hooks.message(
            fmt::format("the run ends without {} updates that its frames pay for: "
                        "learners did not make them within {} s",
                        owed_updates_, kOwedUpdatesDeadline.count() / 1000));
      }
      return OkStatus();
    }
    const bool seen = Observe();
    if (seen && hooks.progress) hooks.progress(observer_.progress());
    if (seen && owed_updates_ == 0 && passed >= kLastRowsDelay) return OkStatus();
    rpc::SleepUnlessStopped(kLook, hooks.stop_requested);
  }
  return OkStatus();
}

Status Coordinator::WatchFrames(const TrainerHooks& hooks) {
  auto next_look = Clock::now();
  auto next_row = Clock::now() + ToDuration(config_.run.metrics_every_seconds);
  std::int64_t frames_before = std::numeric_limits<std::int64_t>::max();
  while (!StopWanted(hooks)) {
    GORILA_RETURN_IF_ERROR(failure_());
    if (Clock::now() >= next_look && Observe()) {
      next_look = Clock::now() + kProgressPeriod;
      if (hooks.progress) hooks.progress(observer_.progress());
      const auto frames = static_cast<std::int64_t>(observer_.progress().frames);
      if (Clock::now() >= next_row) {
        next_row += ToDuration(config_.run.metrics_every_seconds);
        GORILA_RETURN_IF_ERROR(observer_.AppendTrainingRow(*log_, &*events_));
        workers_.EndRow();
      }
      if (frames >= config_.run.frames) return OkStatus();
      GORILA_RETURN_IF_ERROR(EvaluateIfDue(frames_before, hooks));
      frames_before = frames;
    }
    rpc::SleepUnlessStopped(kLook, hooks.stop_requested);
  }
  return OkStatus();
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

// One that is away counts as empty.
void Coordinator::ObserveOtherServers(RunSample& sample) {
  for (int shard = 1; shard < store_->num_shards(); ++shard) {
    const StatusOr<v1::StatusResponse> status = store_->GetStatus(shard, kOthersTimeout);
    if (status.ok()) usage_.Look(status->roles(0), WatchedSeconds());
  }
  for (const std::unique_ptr<rpc::Channel>& replay : replays_) {
    const auto status = replay->CallProto<v1::StatusResponse>(rpc::kStatusMethod,
                                                              v1::StatusRequest(), kOthersTimeout);
    if (!status.ok()) continue;
    usage_.Look(status->roles(0), WatchedSeconds());
    owed_updates_ += CounterOf(status->roles(0), "samples_owed");
    sample.replay_rows += CounterOf(status->roles(0), "replay_rows");
    sample.replay_capacity += CounterOf(status->roles(0), "replay_capacity");
  }
}

StatusOr<std::vector<float>> Coordinator::PullParameters() {
  std::vector<float> parameters(store_->size());
  ShardVersions versions(static_cast<std::size_t>(store_->num_shards()), -1);
  GORILA_RETURN_IF_ERROR(store_->Pull(parameters, versions).status());
  return parameters;
}

Status Coordinator::EvaluateIfDue(std::int64_t frames_before, const TrainerHooks& hooks) {
  const auto frames = static_cast<std::int64_t>(observer_.progress().frames);
  if (!Crossed(frames_before, frames, config_.evaluation.every_frames)) return OkStatus();
  GORILA_ASSIGN_OR_RETURN(std::vector<float> parameters, PullParameters());
  const std::int64_t best_before = scorer_.best().has_value() ? scorer_.best()->frames : -1;
  GORILA_RETURN_IF_ERROR(scorer_.EvaluatePeriodically(frames, store_->UpdateCount(),
                                                      std::move(parameters), *log_, hooks.message,
                                                      hooks.stop_requested));
  const bool better = scorer_.best().has_value() && scorer_.best()->frames != best_before;
  return better ? WriteBest() : OkStatus();
}

Status Coordinator::WriteBest() {
  const BestNetwork& best = *scorer_.best();
  GORILA_ASSIGN_OR_RETURN(const std::string encoded,
                          EncodeParameters(layout_, best.parameters,
                                           {{"environment", config_.environment.name},
                                            {"frames", std::to_string(best.frames)},
                                            {"return_mean", fmt::format("{}", best.mean)}}));
  return WriteFileAtomically(files_.best(), encoded);
}

Status Coordinator::ReadBest() {
  const StatusOr<std::string> encoded = ReadFile(files_.best());
  if (absl::IsNotFound(encoded.status())) return OkStatus();
  GORILA_RETURN_IF_ERROR(encoded.status());
  BestNetwork best;
  GORILA_ASSIGN_OR_RETURN(best.parameters, DecodeParameters(layout_, *encoded));
  GORILA_ASSIGN_OR_RETURN(const Safetensors file, Safetensors::Decode(*encoded));
  const auto read = [&file](const char* key, auto& value) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end()) return false;
    const char* const end = found->second.data() + found->second.size();
    return std::from_chars(found->second.data(), end, value).ptr == end;
  };
  if (!read("frames", best.frames) || !read("return_mean", best.mean)) {
    return DataLoss("'{}' does not say what it scored", files_.best().string());
  }
  scorer_.SetBest(std::move(best));
  return OkStatus();
}

StatusOr<TrainingOutcome> Coordinator::Finish(const TrainerHooks& hooks) {
  Observe();
  if (hooks.progress) hooks.progress(observer_.progress());
  TrainingOutcome outcome;
  outcome.progress = observer_.progress();
  GORILA_RETURN_IF_ERROR(observer_.AppendTrainingRow(*log_, &*events_));
  GORILA_RETURN_IF_ERROR(log_->Sync());
  if (interrupted_) return outcome;
  GORILA_ASSIGN_OR_RETURN(std::vector<float> parameters, PullParameters());
  const auto frames = static_cast<std::int64_t>(observer_.progress().frames);
  GORILA_ASSIGN_OR_RETURN(
      auto score, scorer_.EvaluateFinally(frames, std::move(parameters), layout_, directory_.path(),
                                          *log_, hooks.message, hooks.stop_requested));
  if (!score.has_value()) return outcome;  // resume evaluates again
  outcome.evaluation = std::move(score->evaluation);
  outcome.evaluated_frames = score->frames;
  outcome.finished = true;
  return outcome;
}

}  // namespace gorila
