#include "gorila/runtime/distributed/launcher.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "gorila/base/denormals.h"
#include "gorila/base/file.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/runtime/config_keys.h"
#include "gorila/runtime/config_load.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLook{100};
constexpr milliseconds kProgressPeriod{500};
constexpr milliseconds kStartDeadline{120'000};
// A bundle ends after its iteration, a shard after its last snapshot.
constexpr milliseconds kBundleGrace{15'000};
constexpr milliseconds kShardGrace{60'000};

std::string ShardName(int index) { return fmt::format("parameter-server-{}", index); }
std::string BundleName(int index) { return fmt::format("bundle-{}", index); }
constexpr std::string_view kShardPrefix = "parameter-server-";
constexpr std::string_view kBundlePrefix = "bundle-";

Clock::duration ToDuration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Whether a multiple of `period` lies in (before, now].
bool Crossed(std::int64_t before, std::int64_t now, std::int64_t period) {
  return period > 0 && now / period > before / period;
}

std::string JoinAddresses(const std::vector<rpc::Endpoint>& endpoints) {
  std::vector<std::string> texts;
  for (const rpc::Endpoint& endpoint : endpoints) texts.push_back(rpc::ToString(endpoint));
  return fmt::format("{}", fmt::join(texts, ","));
}

std::int64_t CounterOf(const v1::RoleStatus& status, const std::string& name) {
  const auto found = status.counters().find(name);
  return found == status.counters().end() ? 0 : found->second;
}

double GaugeOf(const v1::RoleStatus& status, const std::string& name) {
  const auto found = status.gauges().find(name);
  return found == status.gauges().end() ? 0 : found->second;
}

// Training time of an earlier process, from the last line that has it.
double SecondsOf(const fs::path& metrics) {
  const auto rows = ReadRunLog(metrics);
  if (!rows.ok()) return 0;
  for (auto row = rows->rbegin(); row != rows->rend(); ++row) {
    if (const auto seconds = row->Number("seconds"); seconds.has_value()) return *seconds;
  }
  return 0;
}

}  // namespace

std::vector<ChildCommand> ShardCommands(const fs::path& program, const Config& config,
                                        const LaunchFiles& files,
                                        const std::vector<rpc::Endpoint>& listen) {
  std::vector<ChildCommand> commands;
  for (int i = 0; i < config.parameter_server.shards; ++i) {
    commands.push_back(
        {.name = ShardName(i),
         .arguments = {program.string(), "parameter-server", "--config",
                       (files.run / "config.toml").string(), "--shard", std::to_string(i),
                       "--listen", rpc::ToString(listen[static_cast<std::size_t>(i)]),
                       "--state-dir", files.shard(i).string(), "--address-file",
                       files.address(i).string(), "--token-file", files.token().string()},
         .log = files.log(ShardName(i))});
  }
  return commands;
}

std::vector<ChildCommand> BundleCommands(const fs::path& program, const Config& config,
                                         const LaunchFiles& files,
                                         const std::vector<rpc::Endpoint>& shards) {
  std::vector<ChildCommand> commands;
  for (int i = 0; i < config.run.bundles; ++i) {
    commands.push_back(
        {.name = BundleName(i),
         .arguments = {program.string(), "bundle", "--config", (files.run / "config.toml").string(),
                       "--bundle-index", std::to_string(i), "--parameter-servers",
                       JoinAddresses(shards), "--token-file", files.token().string()},
         .log = files.log(BundleName(i)),
         .may_finish = true});
  }
  return commands;
}

StatusOr<std::vector<rpc::Endpoint>> ReadAddresses(const LaunchFiles& files, int shards) {
  std::vector<rpc::Endpoint> endpoints;
  for (int i = 0; i < shards; ++i) {
    GORILA_ASSIGN_OR_RETURN(std::string text, ReadFile(files.address(i)));
    text.resize(std::min(text.find('\n'), text.size()));
    GORILA_ASSIGN_OR_RETURN(rpc::Endpoint endpoint, rpc::ParseEndpoint(text));
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

Status CheckLaunch(const Config& config) {
  if (config.run.deterministic) {
    return InvalidArgument(
        "run.deterministic is true; expected false: processes do not step in a fixed order");
  }
  return Trainer::Check(config);
}

Launcher::Launcher(const Config& config, std::unique_ptr<RunDirectory> directory,
                   const fs::path& program)
    : config_(config),
      directory_(std::move(directory)),
      files_(fs::absolute(directory_->path())),
      program_(program),
      observer_(/*wall_time=*/true),
      scorer_(config) {}

StatusOr<std::unique_ptr<Launcher>> Launcher::Start(const Config& config, const fs::path& path,
                                                    const fs::path& program) {
  GORILA_RETURN_IF_ERROR(CheckLaunch(config));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<RunDirectory> directory, RunDirectory::Create(path));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory->config(), ToToml(config)));
  std::unique_ptr<Launcher> launcher(new Launcher(config, std::move(directory), program));
  GORILA_ASSIGN_OR_RETURN(launcher->token_, rpc::DrawToken());
  GORILA_RETURN_IF_ERROR(rpc::WriteSecretFile(launcher->files_.token(), launcher->token_ + "\n"));
  GORILA_ASSIGN_OR_RETURN(RunLog log, RunLog::Open(launcher->directory_->metrics(), 0));
  launcher->log_.emplace(std::move(log));
  return launcher;
}

StatusOr<std::unique_ptr<Launcher>> Launcher::Resume(std::unique_ptr<RunDirectory> directory,
                                                     const fs::path& program) {
  GORILA_ASSIGN_OR_RETURN(const Config config, LoadConfig({.file = directory->config()}));
  GORILA_RETURN_IF_ERROR(CheckLaunch(config));
  std::unique_ptr<Launcher> launcher(new Launcher(config, std::move(directory), program));
  const StatusOr<std::string> token = rpc::ReadToken(launcher->files_.token());
  if (absl::IsNotFound(token.status())) {
    return InvalidArgument("'{}' is not the directory of a launched run: it has no token",
                           launcher->files_.run.string());
  }
  GORILA_RETURN_IF_ERROR(token.status());
  launcher->token_ = *token;
  launcher->seconds_before_ = SecondsOf(launcher->directory_->metrics());
  GORILA_ASSIGN_OR_RETURN(RunLog log, RunLog::Open(launcher->directory_->metrics()));
  launcher->log_.emplace(std::move(log));
  return launcher;
}

double Launcher::Seconds() const {
  return seconds_before_ + std::chrono::duration<double>(Clock::now() - started_).count();
}

bool Launcher::StopWanted(const TrainerHooks& hooks) {
  if (hooks.stop_requested && hooks.stop_requested()) {
    interrupted_ = true;
    return true;
  }
  return config_.run.seconds > 0 && Seconds() >= config_.run.seconds;
}

StatusOr<TrainingOutcome> Launcher::Run(const TrainerHooks& hooks) {
  FlushDenormalsInThisThread();
  started_ = Clock::now();
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
  layout_ = MakeParameterLayout(network);
  GORILA_RETURN_IF_ERROR(ReadBest());
  children_ = std::make_unique<ChildProcesses>(RestartPolicy{}, hooks.message);
  TrainingOutcome outcome;
  Status status = StartShards(hooks);
  if (status.ok()) status = Connect(hooks);
  if (status.ok()) status = Train(hooks);
  // In order, whatever happened: the shards' last snapshots hold all that bundles sent.
  children_->Stop(kBundlePrefix, kBundleGrace);
  if (status.ok()) {
    Observe();
    status = Finish(hooks, outcome);
  }
  children_->Stop(kShardPrefix, kShardGrace);
  if (interrupted_ && absl::IsCancelled(status)) status = OkStatus();
  GORILA_RETURN_IF_ERROR(status);
  outcome.progress = observer_.progress();
  return outcome;
}

Status Launcher::StartShards(const TrainerHooks& hooks) {
  for (const char* const folder : {"addresses", "logs", "shards"}) {
    GORILA_RETURN_IF_ERROR(CreateFolders(files_.run / folder));
  }
  const int shards = config_.parameter_server.shards;
  for (int i = 0; i < shards; ++i) {
    std::error_code error;  // of an earlier process; its address may be another's by now
    fs::remove(files_.address(i), error);
  }
  const std::vector<rpc::Endpoint> any(static_cast<std::size_t>(shards),
                                       rpc::Endpoint{.host = "127.0.0.1", .port = 0});
  for (ChildCommand& command : ShardCommands(program_, config_, files_, any)) {
    children_->Start(std::move(command));
  }
  GORILA_RETURN_IF_ERROR(WaitForAddresses(hooks));
  // One that is started again listens where the others know it to be.
  const auto fixed = ShardCommands(program_, config_, files_, shards_);
  for (const ChildCommand& command : fixed) {
    children_->SetArguments(command.name, command.arguments);
  }
  return OkStatus();
}

Status Launcher::WaitForAddresses(const TrainerHooks& hooks) {
  const auto deadline = Clock::now() + kStartDeadline;
  for (;;) {
    auto addresses = ReadAddresses(files_, config_.parameter_server.shards);
    if (addresses.ok()) {
      shards_ = *std::move(addresses);
      return OkStatus();
    }
    GORILA_RETURN_IF_ERROR(children_->failure());
    if (StopWanted(hooks)) return absl::CancelledError("stopped while the shards were starting");
    if (Clock::now() >= deadline) {
      return absl::DeadlineExceededError(
          fmt::format("a parameter shard did not say where it listens within {} s; see '{}'",
                      kStartDeadline.count() / 1000, (files_.run / "logs").string()));
    }
    rpc::SleepUnlessStopped(kLook, {});
  }
}

Status Launcher::Connect(const TrainerHooks& hooks) {
  GORILA_ASSIGN_OR_RETURN(
      store_, RemoteParameterStore::Connect({.endpoints = shards_,
                                             .token = token_,
                                             .layout = layout_.Fingerprint(),
                                             .parameters = layout_.size,
                                             .retry = {.patience = kStartDeadline},
                                             .stop = [this, &hooks] { return GivenUp(hooks); }}));
  GORILA_RETURN_IF_ERROR(OpenEvents(hooks));
  for (ChildCommand& command : BundleCommands(program_, config_, files_, shards_)) {
    children_->Start(std::move(command));
  }
  return OkStatus();
}

// Before the first bundle starts, so that the run's frames are those it goes on from.
Status Launcher::OpenEvents(const TrainerHooks& hooks) {
  std::int64_t frames = 0;
  const auto ask = [&]() -> Status {
    GORILA_ASSIGN_OR_RETURN(const v1::ProgressResponse progress, store_->GetProgress(0));
    frames = progress.run_frames();
    return OkStatus();
  };
  GORILA_RETURN_IF_ERROR(rpc::Retry(
      {.patience = kStartDeadline}, [this, &hooks] { return GivenUp(hooks); }, ask));
  GORILA_ASSIGN_OR_RETURN(EventFile events,
                          EventFile::Create(directory_->events(), frames > 0 ? frames + 1 : 0,
                                            /*wall_time=*/true));
  events_.emplace(std::move(events));
  scorer_.SetEvents(&*events_);
  return OkStatus();
}

bool Launcher::GivenUp(const TrainerHooks& hooks) const {
  return !children_->failure().ok() || (hooks.stop_requested && hooks.stop_requested());
}

Status Launcher::Train(const TrainerHooks& hooks) {
  auto next_look = Clock::now();
  auto next_row = Clock::now() + ToDuration(config_.run.metrics_every_seconds);
  std::int64_t frames_before = std::numeric_limits<std::int64_t>::max();
  while (!StopWanted(hooks)) {
    GORILA_RETURN_IF_ERROR(children_->failure());
    if (Clock::now() >= next_look && Observe()) {
      next_look = Clock::now() + kProgressPeriod;
      if (hooks.progress) hooks.progress(observer_.progress());
      const auto frames = static_cast<std::int64_t>(observer_.progress().frames);
      if (Clock::now() >= next_row) {
        next_row += ToDuration(config_.run.metrics_every_seconds);
        GORILA_RETURN_IF_ERROR(observer_.AppendTrainingRow(*log_, &*events_));
      }
      if (frames >= config_.run.frames) return OkStatus();
      GORILA_RETURN_IF_ERROR(EvaluateIfDue(frames_before, hooks));
      frames_before = frames;
    }
    rpc::SleepUnlessStopped(kLook, hooks.stop_requested);
  }
  return OkStatus();
}

bool Launcher::Observe() {
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
  for (const v1::Episode& episode : progress->episodes()) {
    sample.episodes.push_back({episode.episode_return(), episode.length()});
  }
  const StatusOr<v1::StatusResponse> status = store_->GetStatus(0);
  if (!status.ok()) return false;
  for (const v1::RoleStatus& role : status->roles()) {
    if (role.role() != "bundle" || role.silent_seconds() > 5) continue;
    ++sample.bundles;
    sample.outliers += CounterOf(role, "outliers");
    sample.replay_rows += CounterOf(role, "replay_rows");
    sample.replay_capacity += CounterOf(role, "replay_capacity");
    sample.epsilon += GaugeOf(role, "epsilon");
    sample.loss += GaugeOf(role, "loss");
  }
  sample.epsilon /= std::max(sample.bundles, 1);
  sample.loss /= std::max(sample.bundles, 1);
  const v1::RoleStatus& shard = status->roles(0);
  sample.gradients = {.accepted = CounterOf(shard, "accepted"),
                      .stale = CounterOf(shard, "stale"),
                      .invalid = CounterOf(shard, "invalid"),
                      .staleness_sum = CounterOf(shard, "staleness_sum")};
  for (std::size_t i = 0; i < kStalenessBuckets; ++i) {
    sample.gradients.staleness[i] = CounterOf(shard, fmt::format("staleness_{}", i));
  }
  observer_.Observe(sample, config_.run, Seconds());
  return true;
}

StatusOr<std::vector<float>> Launcher::PullParameters() {
  std::vector<float> parameters(store_->size());
  ShardVersions versions(static_cast<std::size_t>(store_->num_shards()), -1);
  GORILA_RETURN_IF_ERROR(store_->Pull(parameters, versions).status());
  return parameters;
}

Status Launcher::EvaluateIfDue(std::int64_t frames_before, const TrainerHooks& hooks) {
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

Status Launcher::WriteBest() {
  const BestNetwork& best = *scorer_.best();
  GORILA_ASSIGN_OR_RETURN(const std::string encoded,
                          EncodeParameters(layout_, best.parameters,
                                           {{"environment", config_.environment.name},
                                            {"frames", std::to_string(best.frames)},
                                            {"return_mean", fmt::format("{}", best.mean)}}));
  return WriteFileAtomically(files_.best(), encoded);
}

Status Launcher::ReadBest() {
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

Status Launcher::Finish(const TrainerHooks& hooks, TrainingOutcome& outcome) {
  if (hooks.progress) hooks.progress(observer_.progress());
  GORILA_RETURN_IF_ERROR(observer_.AppendTrainingRow(*log_, &*events_));
  GORILA_RETURN_IF_ERROR(log_->Sync());
  if (interrupted_) return OkStatus();
  GORILA_ASSIGN_OR_RETURN(std::vector<float> parameters, PullParameters());
  const auto frames = static_cast<std::int64_t>(observer_.progress().frames);
  GORILA_ASSIGN_OR_RETURN(auto score, scorer_.EvaluateFinally(frames, std::move(parameters),
                                                              layout_, directory_->path(), *log_,
                                                              hooks.message, hooks.stop_requested));
  if (!score.has_value()) return OkStatus();  // resume evaluates again
  outcome.evaluation = std::move(score->evaluation);
  outcome.evaluated_frames = score->frames;
  outcome.finished = true;
  return OkStatus();
}

}  // namespace gorila
