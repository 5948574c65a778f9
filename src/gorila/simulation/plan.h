// What happens in a simulated run: its size, its conditions and its faults, as text that repeats
// it.
#ifndef GORILA_SIMULATION_PLAN_H_
#define GORILA_SIMULATION_PLAN_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/launch/roles.h"

namespace gorila::simulation {

enum class FaultKind {
  kKill,   // a process is killed, and comes back after `seconds`
  kPower,  // its machine loses power, and what was not synced; only of shards, of parameters or of
           // the replay, and of the coordinator
  kHalt,   // it does nothing for `seconds`, then continues
  kReplace,  // a shard's process halts for `seconds` and is replaced meanwhile; when it wakes,
             // some addresses still lead to it
  kCut,      // from its machine to `to` nothing arrives for `seconds`; to = -1: to none
  kAstray,   // for its machine, addresses lead to the oldest process for `seconds`
  kSlow,     // a worker computes `seconds` long ten times as slowly
  kSwizzle,  // its links are cut one by one in `seconds`, and mended in another order in as many
  kFolder,   // a replay shard or the coordinator is killed, and what it has stored is lost
  kClock,    // its machine's wall clock is `seconds` off from now on
};
inline constexpr int kFaultKinds = static_cast<int>(FaultKind::kClock) + 1;

// "kill", "power", ...
std::string_view FaultName(FaultKind kind);
// InvalidArgument with the nearest name.
StatusOr<FaultKind> FindFault(std::string_view name);

struct Fault {
  double at = 0;  // seconds
  FaultKind kind = FaultKind::kKill;
  int machine = 0;
  int to = -1;  // of kCut
  double seconds = 1;
};

struct Plan {
  std::uint64_t seed = 1;
  int shards = 4;
  int bundles = 20;
  int replays = 0;  // of the global replay, with actors and learners or without both
  int actors = 0;
  int learners = 0;
  bool model = true;       // bundles are ModelBundles, else the real ones
  double seconds = 120;    // of virtual time, in which faults happen
  double settling = 30;    // after that, without faults
  double compute = 0.025;  // seconds that a gradient takes
  double snapshot_seconds = 10;
  double latency = 1e-4;  // of the network, one way, median
  double broken = 0;      // share of calls whose connection breaks
  double lost = 0;        // share of calls of which nothing is heard
  double disk_latency = 1e-3;
  double disk_fails = 0;  // share of writes and syncs
  bool disk_journal = true;
  double yield = 0;      // share of locks before which another thread runs
  double crash = 0;      // share of passes of a CrashPoint() at which the process is killed
  double update = 0;     // seconds that a shard works on a gradient
  int demote_every = 0;  // SchedulerOptions
  bool overlap = false;  // parameter_server.overlap and replay.prefetch
  bool near = false;     // gradients are answered with parameters, as on one machine
  std::string encoding = "float32";  // parameter_server.encoding
  std::int64_t frames = 0;           // of the run, which has a coordinator then; 0: it never ends
  std::vector<Fault> faults = {};
};

// Machines are numbered role by role: parameter shards, bundles, replay shards, actors, learners;
// the coordinator's comes last.
struct Place {
  Role role = Role::kParameterServer;
  int index = 0;
  bool coordinator = false;  // which has no role

  bool is(Role other) const { return !coordinator && role == other; }
  bool serves() const { return !coordinator && RowOf(role).serves; }
};
int CountMachines(const Plan& plan);
Place PlaceOf(const Plan& plan, int machine);
int MachineOf(const Plan& plan, const Place& place);
// Whether its processes keep state on a disk.
bool HasDisk(const Plan& plan, int machine);

struct PlanOptions {
  int shards = 4;
  int bundles = 20;
  int replays = 0;
  int actors = 0;
  int learners = 0;
  bool model = false;
  bool coordinator = false;
  double seconds = 120;
  std::vector<FaultKind> kinds = {};  // empty: all
};

// Draws a plan. Each seed has conditions of its own: some kinds of faults are left out, others come
// in swarms. Pure.
Plan DrawPlan(std::uint64_t seed, const PlanOptions& options);

std::string EncodePlan(const Plan& plan);
// InvalidArgument, naming what is wrong, for text that is not a plan.
StatusOr<Plan> DecodePlan(std::string_view text);

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_PLAN_H_
