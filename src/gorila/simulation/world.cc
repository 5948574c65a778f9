#include "gorila/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "gorila/base/crash_point.h"
#include "gorila/simulation/cluster.h"
#include "gorila/simulation/disk.h"
#include "gorila/simulation/draws.h"
#include "gorila/simulation/meant_leaks.h"
#include "gorila/simulation/network.h"
#include "gorila/simulation/oracle.h"
#include "gorila/simulation/scheduler.h"

namespace gorila::simulation {
namespace {

enum Purpose : std::uint64_t { kAstray = 101, kSwizzleCut, kSwizzleMend, kCrash };

// Seconds after which a process replaces one that does not give its lock up, and then some.
constexpr double kLockPatience = 2.5;
// A call's deadline, the longest retry and a restart: in which work must get on.
constexpr double kLivenessWindow = 30;
// In which workers end that are asked to, and servers: the last report is tried for 3 s, a lookup
// takes up to 10 s.
constexpr double kEndingWindow = 20;
constexpr double kAfterCrash = 1;
// Machines beyond those of the plan's processes: of second processes for a shard.
constexpr int kFirstSpareMachine = 1'000'000;

class World final : public CrashPoints {
 public:
  World(const Plan& plan, bool log)
      : plan_(plan),
        scheduler_({.seed = plan.seed, .yield = plan.yield, .demote_every = plan.demote_every}),
        oracle_(scheduler_),
        network_(scheduler_,
                 {.seed = plan.seed,
                  .latency = plan.latency,
                  .broken = plan.broken,
                  .lost = plan.lost,
                  .update = plan.update,
                  .near = plan.near},
                 &oracle_),
        disk_(scheduler_,
              {.seed = plan.seed,
               .latency = plan.disk_latency,
               .fails = plan.disk_fails,
               .journal = plan.disk_journal},
              &oracle_),
        cluster_(plan, log, scheduler_, oracle_),
        begin_(scheduler_.Now()),
        crash_(plan.crash) {
    simulated_crash_points = this;
  }

  Status SetUp() { return cluster_.SetUp(); }
  WorldResult Run();
  // The next world of this thread may begin.
  void LeaveThread() {
    rpc::simulated_network = nullptr;
    simulated_files = nullptr;
    simulated_descriptors = nullptr;
    simulated_crash_points = nullptr;
    cluster_.LeaveThread();
  }

 private:
  double At(SteadyTime time) const { return std::chrono::duration<double>(time - begin_).count(); }
  void Apply(const Fault& fault);
  void Replace(int machine, SteadyTime until);
  void CutLinks(const Fault& fault);
  void Swizzle(const Fault& fault);
  void Reached(std::string_view name) override;
  void Settle();
  void PlanEnd(SteadyTime healed);
  std::map<std::string, std::int64_t> Counts() const;
  WorldResult Result();

  const Plan& plan_;
  Scheduler scheduler_;
  Oracle oracle_;
  SimulatedNetwork network_;
  SimulatedDisk disk_;
  Cluster cluster_;
  const SteadyTime begin_;
  double crash_;
  std::uint64_t passes_ = 0;                     // of crash points
  std::map<std::string, std::int64_t> crashes_;  // by their names
  std::uint64_t swizzles_ = 0;
  std::map<std::string, std::int64_t> faults_;
  int next_spare_ = kFirstSpareMachine;
};

void World::Apply(const Fault& fault) {
  ++faults_[std::string(FaultName(fault.kind))];
  const SteadyTime until = scheduler_.Now() + Seconds(fault.seconds);
  switch (fault.kind) {
    case FaultKind::kKill:
    case FaultKind::kPower:
      cluster_.KillAll(fault.machine);
      if (fault.kind == FaultKind::kPower) disk_.CutPower(cluster_.VolumeOf(fault.machine));
      return cluster_.StartAfter(fault.machine, fault.seconds);
    case FaultKind::kHalt:
      if (Life* const life = cluster_.Current(fault.machine); life != nullptr) {
        scheduler_.HaltUntil(life->process, until);
      }
      return;
    case FaultKind::kReplace:
      return Replace(fault.machine, until + Seconds(kLockPatience));
    case FaultKind::kCut:
      return CutLinks(fault);
    case FaultKind::kAstray:
      return network_.LeadAstray(fault.machine, until);
    case FaultKind::kSlow:
      return cluster_.Slow(fault.machine, until);
    case FaultKind::kSwizzle:
      return Swizzle(fault);
    case FaultKind::kFolder:
      cluster_.KillAll(fault.machine);
      disk_.Erase(cluster_.VolumeOf(fault.machine));
      cluster_.LoseFolder(fault.machine);
      return cluster_.StartAfter(fault.machine, fault.seconds);
    case FaultKind::kClock:
      return scheduler_.SetWallClockError(fault.machine, Seconds(fault.seconds));
  }
}

// The shard's process hangs and is thought dead; when it wakes, some addresses still lead to it.
void World::Replace(int machine, SteadyTime until) {
  if (Life* const old = cluster_.Current(machine); old != nullptr) {
    scheduler_.HaltUntil(old->process, until);
    scheduler_.At(until, [this, until] {
      for (int client = 0; client < CountMachines(plan_); ++client) {
        const double draw =
            UnitOf(DrawBits({plan_.seed, kAstray, static_cast<std::uint64_t>(client),
                             static_cast<std::uint64_t>(next_spare_)}));
        if (!HasDisk(plan_, client) && draw < 0.5) network_.LeadAstray(client, until + Seconds(1));
      }
    });
  }
  cluster_.Start(machine, next_spare_++);
}

void World::CutLinks(const Fault& fault) {
  std::vector<int> others = {fault.to};
  if (fault.to < 0) {
    others.resize(static_cast<std::size_t>(CountMachines(plan_)));
    std::iota(others.begin(), others.end(), 0);
  }
  for (const int other : others) {
    network_.Cut(fault.machine, other);
    scheduler_.At(scheduler_.Now() + Seconds(fault.seconds),
                  [this, from = fault.machine, other] { network_.Mend(from, other); });
  }
}

void World::Swizzle(const Fault& fault) {
  const auto draw = [&](std::uint64_t purpose, int other) {
    return fault.seconds *
           UnitOf(DrawBits({plan_.seed, purpose, swizzles_, static_cast<std::uint64_t>(other)}));
  };
  ++swizzles_;
  for (int other = 0; other < CountMachines(plan_); ++other) {
    const SteadyTime cut = scheduler_.Now() + Seconds(draw(kSwizzleCut, other));
    const SteadyTime mend = scheduler_.Now() + Seconds(fault.seconds + draw(kSwizzleMend, other));
    scheduler_.At(cut, [this, from = fault.machine, other] {
      network_.Cut(from, other);
      network_.Cut(other, from);
    });
    scheduler_.At(mend, [this, from = fault.machine, other] {
      network_.Mend(from, other);
      network_.Mend(other, from);
    });
  }
}

// At a CrashPoint() of the process that runs: killed with its machine's other processes, half of
// the time by a power cut.
void World::Reached(std::string_view name) {
  const ProcessId process = scheduler_.current_process();
  if (crash_ == 0 || process == 0) return;
  const std::uint64_t bits = DrawBits({plan_.seed, kCrash, process, passes_++});
  if (UnitOf(bits) >= crash_) return;
  ++crashes_[std::string(name)];
  scheduler_.At(scheduler_.Now(), [this, process, bits] {
    const int machine = cluster_.MachineOf(process);
    cluster_.KillAll(machine);
    if (HasDisk(plan_, machine) && Mix(bits) % 2 == 0) disk_.CutPower(cluster_.VolumeOf(machine));
    cluster_.StartAfter(machine, kAfterCrash);
  });
  scheduler_.Block(this, SteadyTime::max());
}

// From now on nothing fails, and what is down comes back.
void World::Settle() {
  network_.MendAll();
  network_.Heal();
  disk_.Heal();
  cluster_.SpeedUpAll();
  crash_ = 0;
}

// Without faults: work gets on, then everything ends.
void World::PlanEnd(SteadyTime healed) {
  const SteadyTime settled = healed + Seconds(plan_.settling);
  const SteadyTime stop = settled + Seconds(kLivenessWindow);
  const SteadyTime workers_ended = stop + Seconds(kEndingWindow);
  scheduler_.At(healed, [this] { Settle(); });
  scheduler_.At(settled, [this] { cluster_.BeginLivenessCheck(); });
  scheduler_.At(stop, [this] {
    cluster_.CheckLiveness(kLivenessWindow);
    cluster_.StopWorkers();
  });
  scheduler_.At(workers_ended - Seconds(1), [this] { cluster_.CheckCounts(); });
  scheduler_.At(workers_ended, [this] { cluster_.StopServers(); });
  scheduler_.Run(workers_ended + Seconds(kEndingWindow));
}

WorldResult World::Run() {
  cluster_.StartAll();
  double longest = plan_.seconds;
  for (const Fault& fault : plan_.faults) {
    scheduler_.At(begin_ + Seconds(fault.at), [this, &fault] { Apply(fault); });
    if (fault.kind == FaultKind::kClock) continue;
    const double lasts = fault.kind == FaultKind::kSwizzle ? 2 * fault.seconds : fault.seconds;
    longest = std::max(longest, fault.at + lasts);
  }
  PlanEnd(begin_ + Seconds(longest));
  if (scheduler_.stuck()) oracle_.Violated("time does not pass: threads go round in circles");
  if (oracle_.violations().empty()) cluster_.CheckEnded();
  if (plan_.frames > 0) oracle_.run().CheckFiles(disk_.FilesIn("/coordinator/run"));
  return Result();
}

std::map<std::string, std::int64_t> World::Counts() const {
  std::map<std::string, std::int64_t> counts;
  for (const auto& [kind, count] : faults_) counts["fault " + kind] = count;
  for (const auto& [name, count] : crashes_) counts["killed at: " + name] = count;
  const OracleCounters& oracle = oracle_.counters();
  counts["gradients accepted"] = oracle.accepted;
  counts["gradients stale"] = oracle.stale;
  counts["gradients repeated"] = oracle.repeated;
  counts["reports counted once"] = oracle.counted_reports;
  counts["gradients answered with parameters"] = oracle.answered;
  counts["generations"] = oracle.generations;
  counts["generations from a snapshot"] = oracle.restored;
  counts["snapshots"] = oracle.snapshots;
  counts["calls refused by a shard"] = oracle.refused;
  counts["sums of staleness compared"] = oracle.staleness_checks;
  const ReplayCounters& replay = oracle_.replay().counters();
  counts["rows accepted"] = replay.accepted;
  counts["rows lost, as actors say"] = replay.lost;
  counts["rows that were there already"] = replay.repeated;
  counts["rows that had to wait"] = replay.held;
  counts["minibatches of replay shards"] = replay.minibatches;
  counts["generations of replay shards"] = replay.generations;
  const RunCounters& run = oracle_.run().counters();
  counts["looks of the coordinator"] = run.looks;
  counts["periodic evaluations"] = run.evaluations;
  counts["runs that the coordinator finished"] = run.finished;
  counts["runs that were stopped"] = run.stopped;
  counts["networks in files at the end"] = run.networks;
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
  counts["processes started again"] = cluster_.restarts();
  return counts;
}

WorldResult World::Result() {
  return {.violations = oracle_.violations(),
          .hash = scheduler_.hash(),
          .steps = scheduler_.steps(),
          .seconds = At(scheduler_.Now()),
          .counts = Counts(),
          .log = cluster_.TakeLog()};
}

}  // namespace

StatusOr<WorldResult> RunWorld(const Plan& plan, bool log) {
  const MeantLeaks leaks;
  auto* const world = new World(plan, log);  // kept: killed processes' memory refers to it
  Status ready = world->SetUp();
  WorldResult result;
  if (ready.ok()) result = world->Run();
  world->LeaveThread();
  GORILA_RETURN_IF_ERROR(ready);
  return result;
}

}  // namespace gorila::simulation
