#include "gorila/run/trainer.h"

#include <algorithm>
#include <limits>

#include "gorila/base/denormals.h"
#include "gorila/base/file.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/env/external/external_name.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/network/q_network.h"
#include "gorila/network/split/split_network.h"
#include "gorila/run/added_games.h"
#include "gorila/run/initial_network.h"
#include "gorila/run/resume_rules.h"
#include "gorila/run/run_cores.h"
#include "gorila/run/run_results.h"
#include "gorila/run/training_memory.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kProgressPeriod = std::chrono::milliseconds(500);
// How late a network is taken for its evaluation, or as a milestone.
constexpr auto kNetworkLook = std::chrono::milliseconds(20);
// At most between two attempts to write a checkpoint.
constexpr double kRetrySeconds = 60;
// A bundle's iteration takes milliseconds; a minute without its end means that something hangs.
constexpr double kMostIterationSeconds = 60;

// Clamps, so that any large number means "never".
Clock::duration ToDuration(double seconds) {
  constexpr double kMost = 1e9;
  return std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(std::min(seconds, kMost)));
}

// Longer where an environment may hang, and be started again, in the meantime.
Clock::duration IterationLimit(const Config& config) {
  double seconds = kMostIterationSeconds;
  const std::vector<std::string> games = GamesOf(config);
  if (std::any_of(games.begin(), games.end(),
                  [](const std::string& game) { return ParseExternalName(game).has_value(); })) {
    const ExternalOptions& options = config.environment.options.external;
    seconds += 2 * (options.step_seconds + options.start_seconds);
  }
  return ToDuration(seconds);
}

// Whether (before, now] contains a multiple of `period`.
bool Crossed(std::int64_t before, std::int64_t now, std::int64_t period) {
  return period > 0 && now / period > before / period;
}

StatusOr<NewestCheckpoint> FindNewest(const RunDirectory& directory) {
  auto newest = NewestCompleteCheckpoint(directory.checkpoints());
  if (absl::IsNotFound(newest.status()))
    return DataLoss("{}", std::string(newest.status().message()));
  return newest;
}

// Older checkpoints do not say what they were made with, or not with which algorithm; then it is
// what the run's file says. Gives the games that the run did not have yet.
StatusOr<std::vector<std::string>> CheckMadeWith(const Checkpoint& checkpoint,
                                                 const RunDirectory& directory,
                                                 const Config& config) {
  GORILA_ASSIGN_OR_RETURN(MadeWith made_with, ReadMadeWith(checkpoint));
  if (!made_with.contains("learner.algorithm")) {
    GORILA_ASSIGN_OR_RETURN(const Config before, LoadRunConfig(directory.config()));
    const MadeWith keys = StateKeys(before, RunKind::kTrained);
    if (made_with.empty()) made_with = keys;
    made_with.insert(*keys.find("learner.algorithm"));
  }
  GORILA_ASSIGN_OR_RETURN(std::vector<std::string> added, AddedGames(made_with, config));
  GORILA_RETURN_IF_ERROR(
      CheckResumable(made_with, config, fmt::format("'{}'", checkpoint.path().string()),
                     added.empty() ? FurtherGames::kNone : FurtherGames::kOfTrained));
  return added;
}

// A run that has a result has had checkpoints; training from the start would replace the result.
Status CheckHasNoResults(const std::filesystem::path& run) {
  if (!HasFinalNetwork(run)) return OkStatus();
  return DataLoss(
      "'{}' has a final network and no checkpoint, so there is no state to resume from; start a "
      "new run",
      run.string());
}

// `run`: where a run that begins stores what it begins with; `stored`: whether it did before.
StatusOr<std::optional<std::vector<float>>> TakeInitialNetwork(const Config& config,
                                                               const std::filesystem::path& run,
                                                               bool stored) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  const ParameterLayout layout = MakeParameterLayout(network);
  if (stored) return ReadInitialNetwork(config, layout, InitialNetworkFile(run));
  return StoreInitialNetwork(config, layout, run);
}

}  // namespace

Status Trainer::Check(const Config& config) {
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_RETURN_IF_ERROR(RunCores(config).status());
  if (config.cluster.actors > 0) {
    return InvalidArgument(
        "cluster.actors is {}; expected 0: separate actor and learner "
        "processes need gorila launch",
        config.cluster.actors);
  }
  if (config.parameter_server.encoding == GradientEncoding::kTopK) {
    return InvalidArgument(
        "parameter_server.encoding is topk; expected float32: in one process nothing travels, and "
        "whole gradients are applied (gorila launch runs processes)");
  }
  GORILA_RETURN_IF_ERROR(CheckEvaluation(config));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_RETURN_IF_ERROR(CheckBackend(config.network.backend, config.network.device));
  GORILA_RETURN_IF_ERROR(PlanSplitNetwork(network, config.learner.members).status());
  GORILA_RETURN_IF_ERROR(CheckTrainingMemory(config, network));
  return CheckLearning(config);
}

Trainer::Trainer(const Config& config, std::unique_ptr<RunDirectory> directory,
                 std::unique_ptr<PinnedThread> pinned, std::unique_ptr<Cluster> cluster)
    : config_(config),
      directory_(std::move(directory)),
      pinned_(std::move(pinned)),
      cluster_(std::move(cluster)),
      checkpointer_(directory_->checkpoints(), config.checkpoint.replay, config.checkpoint.keep),
      observer_(!config.run.deterministic, GamesOf(config)),
      scorer_(config),
      health_(config),
      milestones_(config, directory_->path(), cluster_->layout()) {}

StatusOr<std::unique_ptr<Trainer>> Trainer::Start(const Config& config,
                                                  const std::filesystem::path& path) {
  GORILA_RETURN_IF_ERROR(Check(config));
  Config recorded = config;  // as below: what cannot begin makes no folder
  GORILA_RETURN_IF_ERROR(RecordInitialNetwork(recorded).status());
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<RunDirectory> directory, RunDirectory::Create(path));
  return Start(config, std::move(directory));
}

StatusOr<std::unique_ptr<Trainer>> Trainer::Start(const Config& given,
                                                  std::unique_ptr<RunDirectory> directory) {
  Config config = given;
  GORILA_RETURN_IF_ERROR(Check(config));
  GORILA_RETURN_IF_ERROR(RecordInitialNetwork(config).status());
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<PinnedThread> pinned, PinToRunCores(config));
  GORILA_ASSIGN_OR_RETURN(auto initial, TakeInitialNetwork(config, directory->path(), false));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Cluster> cluster,
                          Cluster::Make(config, std::move(initial)));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory->config(), RunConfigText(config)));
  std::unique_ptr<Trainer> trainer(
      new Trainer(config, std::move(directory), std::move(pinned), std::move(cluster)));
  GORILA_RETURN_IF_ERROR(trainer->OpenLog(0, {}));
  return trainer;
}

StatusOr<std::unique_ptr<Trainer>> Trainer::Resume(const Config& config,
                                                   std::unique_ptr<RunDirectory> directory,
                                                   const TrainerHooks& hooks) {
  const auto say = [&](const std::string& message) {
    if (hooks.message) hooks.message(message);
  };
  GORILA_RETURN_IF_ERROR(CheckRunKind(directory->path(), RunKind::kTrained));
  GORILA_ASSIGN_OR_RETURN(const auto checkpoints, ListCheckpoints(directory->checkpoints()));
  std::optional<NewestCheckpoint> newest;
  std::vector<std::string> added;
  if (!checkpoints.empty()) {
    GORILA_ASSIGN_OR_RETURN(newest, FindNewest(*directory));
    GORILA_ASSIGN_OR_RETURN(added, CheckMadeWith(newest->checkpoint, *directory, config));
  }
  GORILA_RETURN_IF_ERROR(Check(config));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<PinnedThread> pinned, PinToRunCores(config));
  std::optional<std::vector<float>> initial;  // of a checkpoint it has no part in anything
  if (!newest.has_value()) {
    GORILA_ASSIGN_OR_RETURN(initial, TakeInitialNetwork(config, directory->path(), true));
  }
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Cluster> cluster,
                          Cluster::Make(config, std::move(initial)));
  std::unique_ptr<Trainer> trainer(
      new Trainer(config, std::move(directory), std::move(pinned), std::move(cluster)));
  if (!newest.has_value()) {
    GORILA_RETURN_IF_ERROR(CheckHasNoResults(trainer->directory_->path()));
    say("no checkpoint yet; starting from the beginning");
    GORILA_RETURN_IF_ERROR(
        WriteFileAtomically(trainer->directory_->config(), RunConfigText(config)));
    GORILA_RETURN_IF_ERROR(trainer->OpenLog(0, {}));
    return trainer;
  }
  for (const std::string& warning : newest->warnings) hooks.Warn(warning);
  GORILA_RETURN_IF_ERROR(
      trainer->RestoreFrom(newest->checkpoint, hooks, static_cast<int>(added.size())));
  if (!added.empty()) {
    say(JoinedBy(added));
  }
  say(fmt::format("resuming at {} frames, {} updates", newest->checkpoint.number(),
                  trainer->cluster_->store().UpdateCount()));
  return trainer;
}

Status Trainer::RestoreFrom(const Checkpoint& checkpoint, const TrainerHooks& hooks,
                            int games_added) {
  GORILA_ASSIGN_OR_RETURN(RunMemory memory,
                          checkpointer_.Restore(checkpoint, *cluster_, games_added));
  GORILA_RETURN_IF_ERROR(observer_.RestoreState(memory.trainer_state));
  // From here on the run's files change; every refusal is behind. The old score goes first, because
  // with it the run would count as finished under the new configuration.
  GORILA_RETURN_IF_ERROR(MarkUnfinished(directory_->path()));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(directory_->config(), RunConfigText(config_)));
  GORILA_RETURN_IF_ERROR(DiscardCheckpointsAfter(directory_->checkpoints(), checkpoint.number()));
  GORILA_RETURN_IF_ERROR(OpenLog(memory.metrics_bytes, hooks));
  if (games_added > 0) scorer_.BeginChoice();
  scorer_.SetBest(std::move(memory.best));
  scorer_.Restore(std::move(memory.pending));
  seconds_before_ = memory.seconds;
  return OkStatus();
}

Status Trainer::OpenLog(std::optional<std::uint64_t> keep_bytes, const TrainerHooks& hooks) {
  // A lost log costs its records, not the run.
  if (keep_bytes != 0 && !std::filesystem::exists(directory_->metrics())) {
    hooks.Warn(fmt::format("'{}' is missing; starting a new log", directory_->metrics().string()));
    keep_bytes = 0;
  }
  GORILA_ASSIGN_OR_RETURN(RunLog log, RunLog::Open(directory_->metrics(), keep_bytes));
  log_.emplace(std::move(log));
  GORILA_ASSIGN_OR_RETURN(const LoggedProgress logged, ReadLoggedProgress(directory_->metrics()));
  scorer_.ContinueFrom(logged);
  // What a killed process wrote after the checkpoint is superseded.
  const std::int64_t frames = cluster_->clock().frames();
  GORILA_ASSIGN_OR_RETURN(EventFile events,
                          EventFile::Create(directory_->events(), frames > 0 ? frames + 1 : 0,
                                            !config_.run.deterministic));
  events_.emplace(std::move(events));
  scorer_.SetEvents(&*events_);
  return OkStatus();
}

double Trainer::Seconds() const {
  return seconds_before_ + std::chrono::duration<double>(Clock::now() - started_).count();
}

StatusOr<TrainingOutcome> Trainer::Run(const TrainerHooks& hooks) {
  FlushDenormalsInThisThread();
  started_ = Clock::now();
  observer_.Observe(*cluster_, Seconds());
  scorer_.IsDue(cluster_->clock().frames());
  milestones_.CountFrom(cluster_->clock().frames());
  if (hooks.started) hooks.started(cluster_->clock().frames(), seconds_before_);
  scorer_.SetScored(hooks.evaluated);
  if (!TimeIsUp(hooks)) {
    GORILA_RETURN_IF_ERROR(config_.run.deterministic ? RunDeterministic(hooks)
                                                     : RunThreaded(hooks));
  }
  return Finish(hooks);
}

bool Trainer::StopWanted(const TrainerHooks& hooks) {
  if (hooks.stop_requested && hooks.stop_requested()) {
    interrupted_ = true;
    return true;
  }
  return config_.run.seconds > 0 && Seconds() >= config_.run.seconds;
}

void Trainer::Look(const TrainerHooks& hooks) {
  observer_.Observe(*cluster_, Seconds());
  ShowProgress(hooks);
  health_.Look(observer_.progress(), hooks.message);
}

void Trainer::ShowProgress(const TrainerHooks& hooks) {
  if (hooks.progress) hooks.progress(observer_.progress());
}

// A run whose time is up is scored, not trained, whatever its frames.
bool Trainer::TimeIsUp(const TrainerHooks& hooks) const {
  if (config_.run.seconds <= 0 || seconds_before_ < config_.run.seconds) return false;
  if (hooks.message && !cluster_->finished()) {
    hooks.message(
        fmt::format("run.seconds is {:g}, and the run has trained for {:.0f} s: it will not "
                    "be trained further (--seconds counts over resumes)",
                    config_.run.seconds, seconds_before_));
  }
  return true;
}

Status Trainer::RunThreaded(const TrainerHooks& hooks) {
  auto next_look = Clock::now() + kProgressPeriod;
  auto next_record = Clock::now() + ToDuration(config_.run.metrics_every_seconds);
  auto next_checkpoint = Clock::now() + ToDuration(config_.checkpoint.every_seconds);
  const bool takes = config_.evaluation.every_frames > 0 || milestones_.wanted();
  const auto period = takes ? kNetworkLook : kProgressPeriod;
  cluster_->Start();
  while (!cluster_->Wait(std::min(next_look, Clock::now() + period))) {
    GORILA_RETURN_IF_ERROR(EvaluateIfDue(hooks));
    WriteMilestone(TakeMilestone(hooks), hooks);
    if (Clock::now() < next_look) continue;
    next_look = Clock::now() + kProgressPeriod;
    Look(hooks);
    GORILA_RETURN_IF_ERROR(LookAtFiles(hooks));
    if (Clock::now() >= next_record) {
      // One that was halted does not make up for the records of that time.
      const auto every = ToDuration(config_.run.metrics_every_seconds);
      next_record = std::max(next_record + every, Clock::now());
      GORILA_RETURN_IF_ERROR(AppendRecord());
    }
    if (config_.checkpoint.every_seconds > 0 && Clock::now() >= next_checkpoint) {
      GORILA_RETURN_IF_ERROR(CheckpointThreaded(hooks));
      const double every = config_.checkpoint.every_seconds;
      next_checkpoint =
          Clock::now() + ToDuration(checkpoint_failed_ ? std::min(every, kRetrySeconds) : every);
    }
    if (StopWanted(hooks)) break;
  }
  return StopBundles();
}

Status Trainer::StopBundles() {
  cluster_->Stop();
  if (!cluster_->Wait(Clock::now() + IterationLimit(config_))) {
    return absl::DeadlineExceededError("a bundle did not end its iteration in time");
  }
  return cluster_->failure();
}

// Everything happens between two rounds, at frame counts only, so that two runs do the same. A stop
// waits for the end of a record: a checkpoint there leaves no trace in what follows.
Status Trainer::RunDeterministic(const TrainerHooks& hooks) {
  auto next_look = Clock::now() + kProgressPeriod;
  bool stopping = false;
  while (!cluster_->finished()) {
    const std::int64_t before = cluster_->clock().frames();
    GORILA_RETURN_IF_ERROR(cluster_->StepAll());
    const std::int64_t now = cluster_->clock().frames();
    const bool record_ends = Crossed(before, now, config_.run.metrics_every_frames);
    if (record_ends) {
      observer_.Observe(*cluster_, Seconds());
      GORILA_RETURN_IF_ERROR(AppendRecord());
      GORILA_RETURN_IF_ERROR(cluster_->RefreshReplicas());
    }
    GORILA_RETURN_IF_ERROR(EvaluateIfDue(hooks));
    WriteMilestone(TakeMilestone(hooks), hooks);
    if (Crossed(before, now, config_.checkpoint.every_frames)) {
      observer_.Observe(*cluster_, Seconds());
      Status captured = CaptureCheckpoint();
      if (!captured.ok() && !absl::IsUnavailable(captured)) return captured;
      WriteCheckpoint(captured, hooks);
    }
    if (Clock::now() >= next_look) {
      next_look = Clock::now() + kProgressPeriod;
      Look(hooks);
      GORILA_RETURN_IF_ERROR(LookAtFiles(hooks));
    }
    stopping = stopping || StopWanted(hooks);
    if (stopping && record_ends) return OkStatus();
  }
  // A stop that came too late for another record is ignored.
  interrupted_ = false;
  return OkStatus();
}

Status Trainer::EvaluateIfDue(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(scorer_.Collect(*log_, hooks.message));
  if (!scorer_.IsDue(cluster_->clock().frames())) return OkStatus();
  return scorer_.Offer(TakeNetwork(), *log_, hooks.message).status();
}

std::optional<DueMilestone> Trainer::TakeMilestone(const TrainerHooks& hooks) {
  const std::optional<std::int64_t> due =
      milestones_.Due(cluster_->clock().frames(), hooks.message);
  if (!due.has_value()) return std::nullopt;
  return DueMilestone{*due, TakeNetwork()};
}

void Trainer::WriteMilestone(const std::optional<DueMilestone>& due, const TrainerHooks& hooks) {
  if (due.has_value()) writes_.Note("milestone", milestones_.Write(*due), hooks.warner());
}

NetworkInTraining Trainer::TakeNetwork() {
  InProcessParameterStore& store = cluster_->store();
  NetworkInTraining network{.frames = cluster_->clock().frames(),
                            .updates = store.UpdateCount(),
                            .parameters = std::vector<float>(store.size())};
  ShardVersions versions(static_cast<std::size_t>(store.num_shards()), -1);
  const StatusOr<bool> pulled = store.Pull(network.parameters, versions);
  GORILA_CHECK(pulled.ok(), "{}", pulled.status().ToString());
  return network;
}

Status Trainer::AppendRecord() {
  GORILA_RETURN_IF_ERROR(observer_.AppendTrainingRecord(*log_, &*events_, scorer_.CountFields()));
  cluster_->EndRecord();
  return OkStatus();
}

Status Trainer::CheckpointThreaded(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(cluster_->Pause(Clock::now() + IterationLimit(config_)));
  // Evaluations that are due by now belong to the checkpoint.
  Status captured = EvaluateIfDue(hooks);
  const std::optional<DueMilestone> milestone = TakeMilestone(hooks);
  observer_.Observe(*cluster_, Seconds());
  if (captured.ok()) captured = CaptureCheckpoint();
  cluster_->Resume();
  WriteMilestone(milestone, hooks);  // first: a run resumed from the checkpoint does not pass it
  if (!captured.ok() && !absl::IsUnavailable(captured)) return captured;
  WriteCheckpoint(captured, hooks);
  return OkStatus();
}

void Trainer::WriteCheckpoint(const Status& captured, const TrainerHooks& hooks) {
  const Status status = captured.ok() ? checkpointer_.Write() : captured;
  checkpoint_failed_ = !status.ok();
  writes_.Note("checkpoint", Annotate(status, "checkpoint"), hooks.warner());
}

Status Trainer::LookAtFiles(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(directory_->CheckNotRemoved());
  writes_.Retry("run log", log_->file(), hooks.warner());
  writes_.Retry("event file", events_->file(), hooks.warner());
  if (milestones_.waiting()) writes_.Note("milestone", milestones_.Retry(), hooks.warner());
  return OkStatus();
}

Status Trainer::CaptureCheckpoint() {
  // Before the state that supersedes the results is on disk.
  if (!results_removed_ && cluster_->clock().frames() > checkpointer_.newest_frames()) {
    GORILA_RETURN_IF_ERROR(RemoveResults(directory_->path()));
    results_removed_ = true;
  }
  // A record ends here, so that nothing half-counted has to be kept.
  GORILA_RETURN_IF_ERROR(AppendRecord());
  GORILA_RETURN_IF_ERROR(log_->Sync());
  return checkpointer_.Capture(*cluster_, {.seconds = Seconds(),
                                           .metrics_bytes = log_->bytes(),
                                           .best = scorer_.best(),
                                           .pending = scorer_.pending(),
                                           .trainer_state = observer_.SaveState()});
}

StatusOr<TrainingOutcome> Trainer::Finish(const TrainerHooks& hooks) {
  Look(hooks);
  // Neither a stop nor a resume for longer may lose an evaluation that came due with the last
  // frames, so the checkpoint has it. One that would be skipped here can wait for the end of a
  // finished run.
  if (interrupted_ || scorer_.HasTime()) GORILA_RETURN_IF_ERROR(EvaluateIfDue(hooks));
  GORILA_RETURN_IF_ERROR(directory_->CheckNotRemoved());
  WriteMilestone(TakeMilestone(hooks), hooks);
  TrainingOutcome outcome;
  if (checkpointer_.newest_frames() != cluster_->clock().frames()) {
    const Status captured = CaptureCheckpoint();
    const Status status = captured.ok() ? checkpointer_.Write() : captured;
    outcome.unwritten = Annotate(
        status, fmt::format("the checkpoint at {} frames failed", cluster_->clock().frames()));
  }
  outcome.unwritten.Update(milestones_.Retry());
  outcome.progress = observer_.progress();
  if (interrupted_) return outcome;

  GORILA_ASSIGN_OR_RETURN(
      auto score, scorer_.EvaluateFinally(TakeNetwork(), cluster_->layout(), directory_->path(),
                                          *log_, hooks.message, hooks.stop_requested));
  if (!score.has_value()) return outcome;  // resume evaluates again
  outcome.Finish(*std::move(score), health_, *log_, *events_);
  return outcome;
}

void TrainingOutcome::Finish(RunScore run_score, const TrainingHealth& health, RunLog& log,
                             EventFile& events) {
  score = std::move(run_score);
  problem = health.Problem(progress);
  finished = true;
  unwritten.Update(score.unwritten);
  unwritten.Update(log.Sync());
  unwritten.Update(events.file().Flush());
}

}  // namespace gorila
