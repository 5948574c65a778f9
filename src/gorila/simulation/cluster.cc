#include "gorila/simulation/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

#include "gorila/config/resolve.h"
#include "gorila/launch/remote_parts.h"
#include "gorila/launch/replay_process.h"
#include "gorila/launch/shard_process.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/rpc/retry.h"
#include "gorila/simulation/draws.h"

namespace gorila::simulation {
namespace {

enum Purpose : std::uint64_t { kComputeTime = 1 };

constexpr double kSlowFactor = 10;
// What every worker must have done in the last part of the settling.
constexpr std::int64_t kLeastDone = 3;
// In which a coordinator ends once all workers have: it waits for updates that learners owe, and
// evaluates.
double EndsWithin(const Plan& plan) {
  const std::chrono::duration<double> owed = kOwedUpdatesDeadline + kLastRowsDelay;
  return 15 + (plan.learners > 0 ? owed.count() : 0);
}

// What the real agents do between two gradients is small, so that there is room for many.
void SetUpAgents(Config& config) {
  config.environment.name = kSimulated;
  config.network.backend = kSimulated;
  config.actor.environments = kActorEnvironments;
  config.actor.options.refresh_every = 4;
  config.replay.options.capacity = 512;
  config.replay.options.transition.n_step = 3;
  config.replay.options.rate = {.updates_per_step = 0.25, .min_size = 40, .insert_lead = 100};
  config.learner.batch_size = 8;
  config.learner.outliers.deviations = 0;
}

// Several times in a run. Evaluations play what the real agents play, whoever trains.
void SetUpEvaluation(const Plan& plan, Config& config) {
  config.evaluation.every_frames = std::max<std::int64_t>(1, plan.frames / 9);
  config.evaluation.periodic_episodes = 2;
  config.evaluation.episodes = 3;
  config.checkpoint.milestones_every_frames = std::max<std::int64_t>(1, plan.frames / 6);
  config.run.metrics_every_seconds = 2;
}

Config MakeConfig(const Plan& plan) {
  Config config;
  config.run.seed = 1;
  config.run.frames = plan.frames > 0 ? plan.frames : std::int64_t{1} << 50;
  config.run.bundles = plan.bundles;
  config.cluster.replays = plan.replays;
  config.cluster.actors = plan.actors;
  config.cluster.learners = plan.learners;
  config.environment.name = "classic/catch";
  config.network.preset = "custom";
  config.network.hidden = {std::max(8, plan.shards)};
  config.parameter_server.shards = plan.shards;
  config.parameter_server.options = {.max_staleness = 1'000'000,
                                     .target_period = 50,
                                     .optimizer = {.name = "sgd", .learning_rate = 1}};
  config.parameter_server.overlap = plan.overlap;
  config.parameter_server.encoding = ParseGradientEncoding(plan.encoding).value();
  config.parameter_server.topk_fraction = 0.25;
  config.replay.prefetch = plan.overlap;
  config.checkpoint.every_seconds = plan.snapshot_seconds;
  SetUpEvaluation(plan, config);
  // A coordinator's evaluations need what they play.
  if (!plan.model || plan.frames > 0) SetUpAgents(config);
  return config;
}

}  // namespace

Cluster::Cluster(const Plan& plan, bool log, Scheduler& scheduler, Oracle& oracle)
    : plan_(plan),
      log_(log),
      config_(MakeConfig(plan)),
      scheduler_(scheduler),
      oracle_(oracle),
      agents_(MakeWatch()),
      begin_(scheduler.Now()) {}

AgentWatch Cluster::MakeWatch() {
  return {.life = [this] { return scheduler_.current_process(); },
          .compute_seconds = [this] { return ComputeSeconds(Running()); },
          .stepped =
              [this] {
                // An evaluation's are none of the run's.
                if (Running().place.coordinator) return;
                ++Running().frames;
                oracle_.MadeFrames(1);
              },
          .computed = [this] { ++Running().updates; },
          .violated = [this](std::string what) { oracle_.Violated(std::move(what)); }};
}

Status Cluster::SetUp() {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
  const ParameterLayout layout = MakeParameterLayout(network);
  const std::vector<float> initial = RunInitialParameters(config_, layout);
  GORILA_ASSIGN_OR_RETURN(std::vector<Slice> partition, MakePartition(layout.size, plan_.shards));
  for (int shard = 0; shard < plan_.shards; ++shard) {
    const Slice& slice = partition[static_cast<std::size_t>(shard)];
    const auto begin = initial.begin() + static_cast<std::ptrdiff_t>(slice.begin);
    const auto end = initial.begin() + static_cast<std::ptrdiff_t>(slice.end);
    oracle_.AddShard(shard, std::accumulate(begin, end, 0.0));
    parts_.parameter_servers.push_back({.host = fmt::format("shard-{}", shard), .port = 7000});
  }
  for (int shard = 0; shard < plan_.replays; ++shard) {
    parts_.replays.push_back({.host = fmt::format("replay-{}", shard), .port = 7000});
  }
  agents_.UsePartition(std::move(partition));
  oracle_.run().SetRun(plan_.frames, layout);
  const LocalReplayOptions& replay = config_.replay.options;
  oracle_.replay().SetRules({.n_step = replay.transition.n_step,
                             .min_size = replay.rate.min_size,
                             .updates_per_step = replay.rate.updates_per_step});
  return OkStatus();
}

std::string Cluster::VolumeOf(int machine) const {
  const Place place = PlaceOf(plan_, machine);
  if (place.coordinator) return "coordinator";
  return fmt::format("{}-{}", place.role == Role::kReplay ? "replay" : "shard", place.index);
}

Life* Cluster::Current(int machine) {
  const auto found = current_.find(machine);
  return found == current_.end() ? nullptr : found->second;
}

void Cluster::StartAll() {
  for (int machine = 0; machine < CountMachines(plan_); ++machine) Start(machine, machine);
}

Life& Cluster::NewLife(int machine, int runs_on) {
  Life& life = *lives_.emplace_back(std::make_unique<Life>());
  life.machine = machine;
  life.place = PlaceOf(plan_, machine);
  life.process = scheduler_.AddProcess(runs_on);
  const bool& stop = life.place.serves() ? servers_stop_ : workers_stop_;
  life.hooks.stop_requested = [&stop] { return stop; };
  life.hooks.message = [this, &life](std::string_view text) { Say(life, text); };
  life.hooks.board = &life.board;
  life_of_[life.process] = &life;
  current_[machine] = &life;
  all_[machine].push_back(&life);
  starting_.erase(machine);
  return life;
}

void Cluster::Start(int machine, int runs_on) {
  Life& life = NewLife(machine, runs_on);
  if (life.place.coordinator) {
    SetUpCoordinator(life);
  } else {
    SetUpRole(life);
  }
  scheduler_.Spawn(life.process, "main", [this, &life] { Ended(life, RunRole(life)); });
}

void Cluster::SetUpRole(Life& life) {
  const int index = life.place.index;
  switch (life.place.role) {
    case Role::kParameterServer:
    case Role::kReplay: {
      const bool parameters = life.place.role == Role::kParameterServer;
      const auto& endpoints = parameters ? parts_.parameter_servers : parts_.replays;
      life.serving.index = index;
      life.serving.listen = endpoints[static_cast<std::size_t>(index)];
      life.serving.insecure = true;
      life.serving.state_folder = fmt::format("/{}/state", VolumeOf(life.machine));
      if (parameters) {
        oracle_.AddShardProcess(life.process, index);
      } else {
        oracle_.replay().AddProcess(life.process, index);
      }
      break;
    }
    case Role::kBundle:
      life.bundle.index = index;
      life.bundle.parameter_servers = parts_.parameter_servers;
      if (plan_.model) SetUpModel(life);
      break;
    case Role::kActor:
      life.actor = {.index = index, .actors = plan_.actors, .parts = parts_};
      break;
    case Role::kLearner:
      life.learner = {.index = index, .parts = parts_};
      break;
    case Role::kMember:
      GORILA_CHECK(false, "no plan has groups");
  }
}

void Cluster::SetUpCoordinator(Life& life) {
  life.coordinator = {.shows =
                          [this, &life](std::int64_t frames) {
                            ++life.looks;
                            oracle_.run().Shows(life.process, frames);
                          },
                      .evaluated = [this](std::int64_t) { oracle_.run().Evaluated(); },
                      .ended =
                          [this, &life](const TrainingOutcome& outcome) {
                            life.run_is_over = outcome.finished;
                            oracle_.run().Ended(outcome);
                          }};
}

void Cluster::SetUpModel(Life& life) {
  life.model = {.compute_seconds = [this, &life] { return ComputeSeconds(life); },
                .made =
                    [this, &life](std::int64_t frames) {
                      life.frames += frames;
                      oracle_.MadeFrames(frames);
                    },
                .updated = [&life](std::int64_t updates) { life.updates = updates; },
                .violated = [this](std::string what) { oracle_.Violated(std::move(what)); }};
}

Status Cluster::RunRole(Life& life) {
  if (life.place.coordinator) {
    return RunCoordinator(config_, fmt::format("/{}/run", VolumeOf(life.machine)), parts_,
                          life.hooks, life.coordinator);
  }
  switch (life.place.role) {
    case Role::kParameterServer:
      return RunShardProcess(config_, life.serving, life.hooks);
    case Role::kReplay:
      return RunReplayProcess(config_, life.serving, life.hooks);
    case Role::kBundle:
      return plan_.model ? RunModelBundle(config_, life.bundle, life.hooks, life.model)
                         : RunBundleProcess(config_, life.bundle, life.hooks);
    case Role::kActor:
      return RunActorProcess(config_, life.actor, life.hooks);
    case Role::kLearner:
      return RunLearnerProcess(config_, life.learner, life.hooks);
    case Role::kMember:
      break;
  }
  return OkStatus();
}

double Cluster::ComputeSeconds(const Life& life) const {
  const double unit = UnitOf(DrawBits({plan_.seed, kComputeTime, life.process,
                                       static_cast<std::uint64_t>(life.updates + life.frames)}));
  const auto slow = slow_until_.find(life.machine);
  const bool slowed = slow != slow_until_.end() && slow->second > scheduler_.Now();
  return plan_.compute * (0.8 + 0.4 * unit) * (slowed ? kSlowFactor : 1);
}

// A process ended by itself. Whoever launched it starts another one, unless there is one already.
// Servers may end: where their disk fails, and where another process has taken their place.
void Cluster::Ended(Life& life, const Status& status) {
  Say(life, fmt::format("ended: {}", status.ToString()));
  std::erase(all_[life.machine], &life);
  if (current_[life.machine] != &life) return;
  const bool serves = life.place.serves();
  if (serves ? servers_stop_ : workers_stop_) return;
  // A worker has no error when the run has its frames; those of others it may not have heard of.
  if (status.ok() && !life.place.coordinator) {
    life.run_is_over = oracle_.frames_made() >= config_.run.frames;
  }
  if (life.run_is_over) {
    finished_.insert(life.machine);
    last_finished_ = scheduler_.Now();
    return;
  }
  // A coordinator gives up where its disk or all servers fail for long, and is started again.
  if (life.place.coordinator ? !rpc::IsRetryable(status) : !serves) {
    oracle_.Violated(fmt::format("{} ended: {}", NameOf(life), status.ToString()));
  }
  ++restarts_;
  StartAfter(life.machine, 1);
}

void Cluster::LoseFolder(int machine) {
  const Place place = PlaceOf(plan_, machine);
  if (place.coordinator) {
    finished_.erase(machine);
    oracle_.run().LoseFolder();
  } else {
    oracle_.replay().LoseState(place.index);
  }
}

bool Cluster::OverFor(double seconds) const {
  for (const auto& [machine, life] : current_) {
    const bool works = !life->place.serves() && !life->place.coordinator;
    if (works && !finished_.contains(machine)) return false;
  }
  return last_finished_ + Seconds(seconds) <= scheduler_.Now();
}

// One that ended because the run has its frames is not started again, as `gorila launch` does not.
void Cluster::StartAfter(int machine, double seconds) {
  if (finished_.contains(machine)) return;
  starting_.insert(machine);
  scheduler_.At(scheduler_.Now() + Seconds(seconds), [this, machine] {
    if (starting_.contains(machine)) Start(machine, machine);
  });
}

void Cluster::KillAll(int machine) {
  for (Life* const life : std::exchange(all_[machine], {})) scheduler_.Kill(life->process);
}

std::string Cluster::NameOf(const Life& life) const {
  if (life.place.coordinator) return "coordinator";
  return ProcessName(life.place.role, life.place.index);
}

void Cluster::Say(const Life& life, std::string_view text) {
  if (log_) {
    const double at = std::chrono::duration<double>(scheduler_.Now() - begin_).count();
    said_.push_back(
        fmt::format("{:12.6f} {} (process {}): {}", at, NameOf(life), life.process, text));
  }
  long long generation = 0, version = 0;
  const std::size_t found = text.find(", generation ");
  if (!text.starts_with("parameter shard ") || found == text.npos) return;
  const std::string numbers(text.substr(found));
  if (std::sscanf(numbers.c_str(), ", generation %lld, version %lld", &generation, &version) == 2) {
    oracle_.BeganServing(life.process, generation, version);
  }
}

// What shows that a worker gets on. Of an actor also that it asks replay shards: they hold actors
// for as long as learners are slow, at times one of many for long.
std::int64_t Cluster::DoneBy(const Life& life) const {
  if (life.place.coordinator) return life.looks;
  if (life.place.role != Role::kActor) return life.updates;
  return life.frames + oracle_.replay().CallsOf(life.process);
}

void Cluster::BeginLivenessCheck() {
  for (const auto& [machine, life] : current_) life->done_at_check = DoneBy(*life);
}

void Cluster::CheckLiveness(double seconds) {
  for (const auto& [machine, life] : current_) {
    if (finished_.contains(machine)) continue;
    if (starting_.contains(machine)) {
      oracle_.Violated(fmt::format("{} has no process at the end", NameOf(*life)));
      continue;
    }
    const std::int64_t done = DoneBy(*life) - life->done_at_check;
    if (life->place.coordinator && OverFor(EndsWithin(plan_))) {
      oracle_.Violated(
          fmt::format("the run has its {} frames, all who work for it have ended, and "
                      "its coordinator does not; its threads wait: {}",
                      config_.run.frames, fmt::join(scheduler_.Waiting(life->process), ", ")));
    }
    if (life->place.serves() || done >= kLeastDone) continue;
    oracle_.Violated(fmt::format("{} made {} {} in the last {} s of settling; its threads wait: {}",
                                 NameOf(*life), done,
                                 life->place.coordinator        ? "looks"
                                 : life->place.is(Role::kActor) ? "steps or calls"
                                                                : "updates",
                                 seconds, fmt::join(scheduler_.Waiting(life->process), ", ")));
  }
}

// Once all that called have ended: nothing happens between two counts of a server.
void Cluster::CheckCounts() {
  for (const auto& entry : current_) {
    Life& life = *entry.second;
    if (!life.place.is(Role::kParameterServer)) continue;
    scheduler_.Spawn(life.process, "look", [this, &life] {
      if (const auto status = life.board.Read()) oracle_.CheckStatus(life.process, *status);
    });
  }
}

void Cluster::CheckEnded() {
  for (const auto& [machine, lives] : all_) {
    for (const Life* const life : lives) {
      oracle_.Violated(fmt::format("{} does not end after a stop; its threads wait: {}",
                                   NameOf(*life),
                                   fmt::join(scheduler_.Waiting(life->process), ", ")));
    }
  }
}

}  // namespace gorila::simulation
