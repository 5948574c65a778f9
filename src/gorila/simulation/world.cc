#include "gorila/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <utility>

#include "gorila/config/resolve.h"
#include "gorila/launch/shard_process.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/simulation/draws.h"
#include "gorila/simulation/meant_leaks.h"

namespace gorila::simulation {
namespace {

enum Purpose : std::uint64_t { kComputeTime = 1, kAstray };

constexpr double kSlowFactor = 10;
// Seconds after which a process replaces one that does not give its lock up, and then some.
constexpr double kLockPatience = 2.5;
// What every process that lives through the settling must have done in its last part.
constexpr double kLivenessWindow = 30;  // seconds: a call's deadline, the longest retry, a restart
constexpr std::int64_t kLeastUpdates = 3;
// Machines beyond those of the plan's processes: of second processes for a shard.
constexpr int kFirstSpareMachine = 1'000'000;

Duration Seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Config MakeConfig(const Plan& plan) {
  Config config;
  config.run.seed = 1;
  config.run.frames = std::int64_t{1} << 50;
  config.run.bundles = plan.bundles;
  config.environment.name = "classic/catch";
  config.network.preset = "custom";
  config.network.hidden = {std::max(8, plan.shards)};
  config.parameter_server.shards = plan.shards;
  config.parameter_server.options = {.max_staleness = 1'000'000,
                                     .target_period = 50,
                                     .optimizer = {.name = "sgd", .learning_rate = 1}};
  config.checkpoint.every_seconds = plan.snapshot_seconds;
  return config;
}

class World {
 public:
  World(const Plan& plan, bool log)
      : plan_(plan),
        log_(log),
        config_(MakeConfig(plan)),
        scheduler_({.seed = plan.seed, .yield = plan.yield}),
        oracle_(scheduler_),
        network_(
            scheduler_,
            {.seed = plan.seed, .latency = plan.latency, .broken = plan.broken, .lost = plan.lost},
            &oracle_),
        disk_(scheduler_,
              {.seed = plan.seed,
               .latency = plan.disk_latency,
               .fails = plan.disk_fails,
               .journal = plan.disk_journal},
              &oracle_),
        begin_(scheduler_.Now()) {}

  Status SetUp();
  WorldResult Run();

 private:
  // A process and what it was started with, which must outlive it.
  struct Life {
    ProcessId process = 0;
    int machine = 0;  // of the plan; its place
    ServingOptions serving = {};
    BundleProcessOptions bundle = {};
    RoleHooks hooks = {};
    ModelBundleWatch watch = {};
    std::int64_t updates = 0;
    std::int64_t updates_at_check = 0;
    SteadyTime born{};
  };

  bool IsShard(int machine) const { return machine < plan_.shards; }
  std::string VolumeOf(int machine) const { return fmt::format("shard-{}", machine); }
  double At(SteadyTime time) const { return std::chrono::duration<double>(time - begin_).count(); }
  Life& NewLife(int machine, int runs_on);
  void StartShard(int machine, int runs_on);
  void StartBundle(int machine);
  void Start(int machine) {
    IsShard(machine) ? StartShard(machine, machine) : StartBundle(machine);
  }
  void Ended(Life& life, const Status& status);
  void StartAfter(int machine, double seconds);
  void KillAll(int machine);
  void Say(const Life& life, std::string_view text);
  void Apply(const Fault& fault);
  void Replace(int machine, SteadyTime until);
  void CutLinks(const Fault& fault);
  void Settle();
  void CheckLiveness();
  std::map<std::string, std::int64_t> Counts() const;
  WorldResult Result();

  const Plan& plan_;
  const bool log_;
  const Config config_;
  std::vector<rpc::Endpoint> endpoints_;
  Scheduler scheduler_;
  Oracle oracle_;
  SimulatedNetwork network_;
  SimulatedDisk disk_;
  const SteadyTime begin_;
  std::deque<std::unique_ptr<Life>> lives_;
  std::map<int, Life*> current_;           // by machine of the plan
  std::map<int, std::vector<Life*>> all_;  // that may be alive
  std::map<int, SteadyTime> slow_until_;
  std::set<int> starting_;  // machines that will have a process soon
  std::map<std::string, std::int64_t> faults_;
  std::int64_t restarts_ = 0;
  int next_spare_ = kFirstSpareMachine;
  std::vector<std::string> said_;
};

Status World::SetUp() {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config_));
  const ParameterLayout layout = MakeParameterLayout(network);
  const std::vector<float> initial = RunInitialParameters(config_, layout);
  GORILA_ASSIGN_OR_RETURN(const std::vector<Slice> partition,
                          MakePartition(layout.size, plan_.shards));
  for (int shard = 0; shard < plan_.shards; ++shard) {
    const Slice& slice = partition[static_cast<std::size_t>(shard)];
    const auto begin = initial.begin() + static_cast<std::ptrdiff_t>(slice.begin);
    const auto end = initial.begin() + static_cast<std::ptrdiff_t>(slice.end);
    oracle_.AddShard(shard, std::accumulate(begin, end, 0.0));
    endpoints_.push_back({.host = fmt::format("shard-{}", shard), .port = 7000});
  }
  return OkStatus();
}

World::Life& World::NewLife(int machine, int runs_on) {
  Life& life = *lives_.emplace_back(std::make_unique<Life>());
  life.machine = machine;
  life.process = scheduler_.AddProcess(runs_on);
  life.born = scheduler_.Now();
  life.hooks.stop_requested = [] { return false; };
  life.hooks.message = [this, &life](std::string_view text) { Say(life, text); };
  current_[machine] = &life;
  all_[machine].push_back(&life);
  starting_.erase(machine);
  return life;
}

void World::StartShard(int machine, int runs_on) {
  Life& life = NewLife(machine, runs_on);
  life.serving.index = machine;
  life.serving.listen = endpoints_[static_cast<std::size_t>(machine)];
  life.serving.insecure = true;
  life.serving.state_folder = fmt::format("/{}/state", VolumeOf(machine));
  oracle_.AddShardProcess(life.process, machine);
  scheduler_.Spawn(life.process, "main", [this, &life] {
    Ended(life, RunShardProcess(config_, life.serving, life.hooks));
  });
}

void World::StartBundle(int machine) {
  Life& life = NewLife(machine, machine);
  life.bundle.index = machine - plan_.shards;
  life.bundle.parameter_servers = endpoints_;
  life.watch = {
      .compute_seconds =
          [this, &life] {
            const double unit = UnitOf(DrawBits({plan_.seed, kComputeTime, life.process,
                                                 static_cast<std::uint64_t>(life.updates)}));
            const auto slow = slow_until_.find(life.machine);
            const bool slowed = slow != slow_until_.end() && slow->second > scheduler_.Now();
            return plan_.compute * (0.8 + 0.4 * unit) * (slowed ? kSlowFactor : 1);
          },
      .made = [this](std::int64_t frames) { oracle_.MadeFrames(frames); },
      .updated = [&life](std::int64_t updates) { life.updates = updates; },
      .violated = [this](std::string what) { oracle_.Violated(std::move(what)); }};
  scheduler_.Spawn(life.process, "main", [this, &life] {
    Ended(life, RunModelBundle(config_, life.bundle, life.hooks, life.watch));
  });
}

// A process ended by itself: whoever launched it starts another one, unless there is one already.
void World::Ended(Life& life, const Status& status) {
  Say(life, fmt::format("ended: {}", status.ToString()));
  std::erase(all_[life.machine], &life);
  if (current_[life.machine] != &life) return;
  ++restarts_;
  StartAfter(life.machine, 1);
}

void World::StartAfter(int machine, double seconds) {
  starting_.insert(machine);
  scheduler_.At(scheduler_.Now() + Seconds(seconds), [this, machine] {
    if (starting_.contains(machine)) Start(machine);
  });
}

void World::KillAll(int machine) {
  for (Life* const life : std::exchange(all_[machine], {})) scheduler_.Kill(life->process);
}

void World::Say(const Life& life, std::string_view text) {
  if (log_) {
    said_.push_back(fmt::format("{:12.6f} {} {} (process {}): {}", At(scheduler_.Now()),
                                IsShard(life.machine) ? "shard" : "bundle",
                                IsShard(life.machine) ? life.machine : life.machine - plan_.shards,
                                life.process, text));
  }
  long long generation = 0, version = 0;
  const std::size_t found = text.find(", generation ");
  if (!text.starts_with("parameter shard ") || found == text.npos) return;
  const std::string numbers(text.substr(found));
  if (std::sscanf(numbers.c_str(), ", generation %lld, version %lld", &generation, &version) == 2) {
    oracle_.BeganServing(life.process, generation, version);
  }
}

void World::Apply(const Fault& fault) {
  Life* const life = current_[fault.machine];
  ++faults_[std::string(FaultName(fault.kind))];
  const SteadyTime until = scheduler_.Now() + Seconds(fault.seconds);
  switch (fault.kind) {
    case FaultKind::kKill:
    case FaultKind::kPower:
      KillAll(fault.machine);
      if (fault.kind == FaultKind::kPower) {
        disk_.CutPower(VolumeOf(fault.machine));
      }
      return StartAfter(fault.machine, fault.seconds);
    case FaultKind::kHalt:
      if (life != nullptr) scheduler_.HaltUntil(life->process, until);
      return;
    case FaultKind::kReplace:
      return Replace(fault.machine, until + Seconds(kLockPatience));
    case FaultKind::kCut:
      return CutLinks(fault);
    case FaultKind::kAstray:
      return network_.LeadAstray(fault.machine, until);
    case FaultKind::kSlow:
      slow_until_[fault.machine] = until;
      return;
    case FaultKind::kClock:
      return scheduler_.SetWallClockError(fault.machine, Seconds(fault.seconds));
  }
}

// The shard's process hangs and is thought dead; when it wakes, some addresses still lead to it.
void World::Replace(int machine, SteadyTime until) {
  if (Life* const old = current_[machine]; old != nullptr) {
    scheduler_.HaltUntil(old->process, until);
    scheduler_.At(until, [this, until] {
      for (int client = plan_.shards; client < plan_.shards + plan_.bundles; ++client) {
        const double draw =
            UnitOf(DrawBits({plan_.seed, kAstray, static_cast<std::uint64_t>(client),
                             static_cast<std::uint64_t>(next_spare_)}));
        if (draw < 0.5) network_.LeadAstray(client, until + Seconds(1));
      }
    });
  }
  StartShard(machine, next_spare_++);
}

void World::CutLinks(const Fault& fault) {
  std::vector<int> others = {fault.to};
  if (fault.to < 0) {
    others.resize(static_cast<std::size_t>(plan_.shards + plan_.bundles));
    std::iota(others.begin(), others.end(), 0);
  }
  for (const int other : others) {
    network_.Cut(fault.machine, other);
    scheduler_.At(scheduler_.Now() + Seconds(fault.seconds),
                  [this, from = fault.machine, other] { network_.Mend(from, other); });
  }
}

// From now on nothing fails, and what is down comes back.
void World::Settle() {
  network_.MendAll();
  network_.Heal();
  disk_.Heal();
  slow_until_.clear();
}

void World::CheckLiveness() {
  for (const auto& [machine, life] : current_) {
    if (starting_.contains(machine)) {
      oracle_.Violated(fmt::format("machine {} has no process at the end", machine));
      continue;
    }
    if (IsShard(machine) || life->updates - life->updates_at_check >= kLeastUpdates) continue;
    oracle_.Violated(
        fmt::format("bundle {} made {} updates in the last {} s of settling; its threads wait: {}",
                    machine - plan_.shards, life->updates - life->updates_at_check, kLivenessWindow,
                    fmt::join(scheduler_.Waiting(life->process), ", ")));
  }
}

WorldResult World::Run() {
  for (int machine = 0; machine < plan_.shards + plan_.bundles; ++machine) Start(machine);
  for (const Fault& fault : plan_.faults) {
    scheduler_.At(begin_ + Seconds(fault.at), [this, &fault] { Apply(fault); });
  }
  double longest = plan_.seconds;
  for (const Fault& fault : plan_.faults) {
    if (fault.kind != FaultKind::kClock) longest = std::max(longest, fault.at + fault.seconds);
  }
  const SteadyTime healed = begin_ + Seconds(longest);
  const SteadyTime end = healed + Seconds(plan_.settling + kLivenessWindow);
  scheduler_.At(healed, [this] { Settle(); });
  scheduler_.At(end - Seconds(kLivenessWindow), [this] {
    for (const auto& [machine, life] : current_) life->updates_at_check = life->updates;
  });
  scheduler_.Run(end);
  if (scheduler_.stuck()) oracle_.Violated("time does not pass: threads go round in circles");
  if (oracle_.violations().empty()) CheckLiveness();
  return Result();
}

std::map<std::string, std::int64_t> World::Counts() const {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [kind, count] : faults_) counts["fault " + kind] = count;
  const OracleCounters& oracle = oracle_.counters();
  counts["gradients accepted"] = oracle.accepted;
  counts["gradients stale"] = oracle.stale;
  counts["gradients repeated"] = oracle.repeated;
  counts["generations"] = oracle.generations;
  counts["generations from a snapshot"] = oracle.restored;
  counts["snapshots"] = oracle.snapshots;
  counts["calls refused by a shard"] = oracle.refused;
  const NetworkCounters& network = network_.counters();
  counts["calls"] = network.calls;
  counts["calls to nobody"] = network.unreachable;
  counts["calls cut off"] = network.cut;
  counts["connections broken before the work"] = network.broken_before;
  counts["connections broken after the work"] = network.broken_after;
  counts["requests lost"] = network.lost_before;
  counts["answers lost"] = network.lost_after;
  counts["requests after the caller gave up"] = network.late;
  counts["calls to an old process"] = network.led_astray;
  const DiskCounters& disk = disk_.counters();
  counts["disk failures"] = disk.failures;
  counts["names lost with the power"] = disk.names_lost;
  counts["files torn with the power"] = disk.files_torn;
  counts["processes started again"] = restarts_;
  return counts;
}

WorldResult World::Result() {
  return {.violations = oracle_.violations(),
          .hash = scheduler_.hash(),
          .steps = scheduler_.steps(),
          .seconds = At(scheduler_.Now()),
          .counts = Counts(),
          .log = std::move(said_)};
}

}  // namespace

StatusOr<WorldResult> RunWorld(const Plan& plan, bool log) {
  const MeantLeaks leaks;
  auto* const world = new World(plan, log);  // kept: killed processes' memory refers to it
  GORILA_RETURN_IF_ERROR(world->SetUp());
  WorldResult result = world->Run();
  rpc::simulated_network = nullptr;
  simulated_files = nullptr;
  return result;
}

}  // namespace gorila::simulation
