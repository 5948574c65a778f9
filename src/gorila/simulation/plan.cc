#include "gorila/simulation/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gorila/base/json.h"
#include "gorila/base/nearest.h"
#include "gorila/base/random.h"
#include "gorila/parameter_server/gradient_codec.h"

namespace gorila::simulation {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kFaultKinds> kNames = {
    "kill", "power", "halt", "replace", "cut", "astray", "slow", "swizzle", "folder", "clock"};
constexpr int kFormatVersion = 1;

// How long a fault of the kind lasts, in seconds: mostly short, at times longer than a call's
// deadline and than the patience of a lock.
double DrawLength(FaultKind kind, RandomStream& random) {
  if (kind == FaultKind::kClock) return (random.Uniform() - 0.5) * 7200;
  const double longest = random.Uniform() < 0.2 ? 40 : 6;
  return 0.1 + longest * random.Uniform();
}

// Of all machines: those that a fault of the kind may happen to.
std::vector<int> Candidates(const Plan& plan, FaultKind kind) {
  std::vector<int> machines;
  for (int machine = 0; machine < CountMachines(plan); ++machine) {
    const bool parameters = PlaceOf(plan, machine).is(Role::kParameterServer);
    const bool fits = kind == FaultKind::kReplace  ? parameters
                      : kind == FaultKind::kFolder ? HasDisk(plan, machine) && !parameters
                      : kind == FaultKind::kPower  ? HasDisk(plan, machine)
                      : kind == FaultKind::kSlow   ? !HasDisk(plan, machine)
                                                   : true;
    if (fits) machines.push_back(machine);
  }
  return machines;
}

int Any(const std::vector<int>& machines, RandomStream& random) {
  return machines[static_cast<std::size_t>(random.Integer(0, static_cast<int>(machines.size())))];
}

Fault DrawFault(double at, FaultKind kind, const Plan& plan, RandomStream& random) {
  Fault fault{.at = at, .kind = kind};
  std::vector<int> machines = Candidates(plan, kind);
  // Half of all faults are of servers, which are few.
  if (kind != FaultKind::kSlow && random.Uniform() < 0.5) {
    std::erase_if(machines, [&plan](int machine) { return !HasDisk(plan, machine); });
  }
  fault.machine = Any(machines, random);
  if (kind == FaultKind::kCut && random.Uniform() < 0.6) {
    fault.to = random.Integer(0, CountMachines(plan));
  }
  fault.seconds = DrawLength(kind, random);
  return fault;
}

// Links that are cut one after the other and mended in another order.
void AddSwarm(double at, FaultKind kind, Plan& plan, RandomStream& random) {
  const int count = random.Integer(2, 9);
  for (int i = 0; i < count; ++i) {
    plan.faults.push_back(DrawFault(at + random.Uniform() * 3, kind, plan, random));
  }
}

void DrawConditions(Plan& plan, RandomStream& random) {
  const auto sometimes = [&random](double share, double most) {
    return random.Uniform() < share ? most * std::pow(random.Uniform(), 3) : 0.0;
  };
  plan.compute = 0.005 * std::pow(60, random.Uniform());
  plan.snapshot_seconds = 1 + 20 * random.Uniform();
  plan.latency = 5e-5 * std::pow(200, random.Uniform());
  plan.broken = sometimes(0.5, 0.05);
  plan.lost = sometimes(0.3, 0.02);
  plan.disk_latency = 2e-4 * std::pow(500, random.Uniform());
  plan.disk_fails = sometimes(0.3, 0.05);
  plan.disk_journal = random.Uniform() < 0.5;
  plan.yield = std::array{0.0, 0.05, 0.3}[static_cast<std::size_t>(random.Integer(0, 3))];
  // Once in some thousand to in some ten passes.
  plan.crash = random.Uniform() < 0.25 ? 1e-4 * std::pow(200, random.Uniform()) : 0;
  plan.update = random.Uniform() < 0.5 ? 2e-3 * random.Uniform() : 0;
  plan.demote_every = random.Uniform() < 0.5 ? 0 : random.Integer(10, 1000);
  plan.overlap = random.Uniform() < 0.5;
  const double encoding = random.Uniform();
  plan.encoding = GradientEncodingName(encoding < 0.05  ? GradientEncoding::kTopK
                                       : encoding < 0.4 ? GradientEncoding::kBf16
                                                        : GradientEncoding::kFloat32);
}

// A run that ends while things fail, or soon after that, or not at all.
void DrawFrames(Plan& plan, RandomStream& random) {
  const double of_one = (plan.model ? 4.0 : 1.0) / plan.compute;
  const double all = of_one * (plan.bundles + plan.actors) * (plan.seconds + plan.settling);
  plan.frames = std::max<std::int64_t>(1, std::llround(all * (0.05 + 1.2 * random.Uniform())));
  // A coordinator waits for updates that learners owe.
  if (plan.replays > 0) plan.settling = 150;
}

std::vector<FaultKind> DrawKinds(const PlanOptions& options, const Plan& plan,
                                 RandomStream& random) {
  std::vector<FaultKind> kinds = options.kinds;
  if (kinds.empty()) {
    for (int i = 0; i < kFaultKinds; ++i) kinds.push_back(static_cast<FaultKind>(i));
  }
  std::vector<FaultKind> drawn;
  for (const FaultKind kind : kinds) {
    if (random.Uniform() < 0.6) drawn.push_back(kind);
  }
  if (drawn.empty()) drawn = kinds;
  std::erase_if(drawn, [&plan](FaultKind kind) { return Candidates(plan, kind).empty(); });
  return drawn;
}

Status CheckNumber(std::string_view name, double value, double low, double high) {
  if (value >= low && value <= high) return OkStatus();
  return InvalidArgument("plan: {} is {}; expected {} to {}", name, value, low, high);
}

Status CheckPlan(const Plan& plan) {
  GORILA_RETURN_IF_ERROR(CheckNumber("shards", plan.shards, 1, 256));
  GORILA_RETURN_IF_ERROR(CheckNumber("bundles", plan.bundles, 1, 100'000));
  const bool replay = plan.replays + plan.actors + plan.learners > 0;
  GORILA_RETURN_IF_ERROR(CheckNumber("replays", plan.replays, replay, replay ? 256 : 0));
  GORILA_RETURN_IF_ERROR(CheckNumber("actors", plan.actors, replay, replay ? 100'000 : 0));
  GORILA_RETURN_IF_ERROR(CheckNumber("learners", plan.learners, replay, replay ? 100'000 : 0));
  if (plan.model && replay) {
    return InvalidArgument("plan: model is true with {} replay shards; expected none of them",
                           plan.replays);
  }
  GORILA_RETURN_IF_ERROR(ParseGradientEncoding(plan.encoding).status());
  GORILA_RETURN_IF_ERROR(CheckNumber("frames", static_cast<double>(plan.frames), 0, 1e15));
  GORILA_RETURN_IF_ERROR(CheckNumber("seconds", plan.seconds, 0, 1e7));
  GORILA_RETURN_IF_ERROR(CheckNumber("settling", plan.settling, 0, 1e5));
  GORILA_RETURN_IF_ERROR(CheckNumber("compute", plan.compute, 1e-6, 1e4));
  GORILA_RETURN_IF_ERROR(CheckNumber("snapshot_seconds", plan.snapshot_seconds, 0.01, 1e6));
  GORILA_RETURN_IF_ERROR(CheckNumber("latency", plan.latency, 0, 10));
  GORILA_RETURN_IF_ERROR(CheckNumber("broken", plan.broken, 0, 1));
  GORILA_RETURN_IF_ERROR(CheckNumber("lost", plan.lost, 0, 1));
  GORILA_RETURN_IF_ERROR(CheckNumber("disk_latency", plan.disk_latency, 0, 10));
  GORILA_RETURN_IF_ERROR(CheckNumber("disk_fails", plan.disk_fails, 0, 1));
  GORILA_RETURN_IF_ERROR(CheckNumber("yield", plan.yield, 0, 1));
  GORILA_RETURN_IF_ERROR(CheckNumber("crash", plan.crash, 0, 1));
  GORILA_RETURN_IF_ERROR(CheckNumber("update", plan.update, 0, 10));
  GORILA_RETURN_IF_ERROR(CheckNumber("demote_every", plan.demote_every, 0, 1e9));
  for (const Fault& fault : plan.faults) {
    const int machines = CountMachines(plan);
    GORILA_RETURN_IF_ERROR(CheckNumber("a fault's time", fault.at, 0, plan.seconds + 100));
    GORILA_RETURN_IF_ERROR(CheckNumber("a fault's machine", fault.machine, 0, machines - 1));
    GORILA_RETURN_IF_ERROR(CheckNumber("a fault's other machine", fault.to, -1, machines - 1));
    const std::vector<int> fit = Candidates(plan, fault.kind);
    if (std::find(fit.begin(), fit.end(), fault.machine) == fit.end()) {
      return InvalidArgument("plan: a fault '{}' of machine {}; expected one of {}",
                             FaultName(fault.kind), fault.machine, fmt::join(fit, ", "));
    }
    GORILA_RETURN_IF_ERROR(CheckNumber("a fault's seconds", fault.seconds, -1e6, 1e6));
  }
  return OkStatus();
}

// Of a plan's numbers: their names and places.
template <typename PlanType, typename Visit>
void VisitNumbers(PlanType& plan, Visit visit) {
  visit("seconds", plan.seconds);
  visit("settling", plan.settling);
  visit("compute", plan.compute);
  visit("snapshot_seconds", plan.snapshot_seconds);
  visit("latency", plan.latency);
  visit("broken", plan.broken);
  visit("lost", plan.lost);
  visit("disk_latency", plan.disk_latency);
  visit("disk_fails", plan.disk_fails);
  visit("yield", plan.yield);
}

StatusOr<Fault> DecodeFault(const Json& json) {
  Fault fault;
  GORILA_ASSIGN_OR_RETURN(fault.kind, FindFault(json.at("kind").get<std::string>()));
  fault.at = json.at("at");
  fault.machine = json.at("machine");
  fault.to = json.value("to", -1);
  fault.seconds = json.at("seconds");
  return fault;
}

// What plans of earlier days lack.
void DecodeLater(const Json& json, Plan& plan) {
  plan.replays = json.value("replays", plan.replays);
  plan.actors = json.value("actors", plan.actors);
  plan.learners = json.value("learners", plan.learners);
  plan.model = json.value("model", plan.model);
  plan.overlap = json.value("overlap", plan.overlap);
  plan.near = json.value("near", plan.near);
  plan.crash = json.value("crash", plan.crash);
  plan.update = json.value("update", plan.update);
  plan.demote_every = json.value("demote_every", plan.demote_every);
  plan.encoding = json.value("encoding", plan.encoding);
  plan.frames = json.value("frames", plan.frames);
}

struct RoleSize {
  Role role;
  int size;
};

std::array<RoleSize, 5> Sizes(const Plan& plan) {
  return {{{Role::kParameterServer, plan.shards},
           {Role::kBundle, plan.bundles},
           {Role::kReplay, plan.replays},
           {Role::kActor, plan.actors},
           {Role::kLearner, plan.learners}}};
}

}  // namespace

int CountMachines(const Plan& plan) {
  int count = 0;
  for (const RoleSize& row : Sizes(plan)) count += row.size;
  return plan.frames > 0 ? count + 1 : count;
}

Place PlaceOf(const Plan& plan, int machine) {
  int first = 0;
  for (const RoleSize& row : Sizes(plan)) {
    if (machine < first + row.size) return {.role = row.role, .index = machine - first};
    first += row.size;
  }
  GORILA_CHECK(plan.frames > 0 && machine == first, "machine {} of {}", machine, first);
  return {.coordinator = true};
}

int MachineOf(const Plan& plan, const Place& place) {
  int first = 0;
  for (const RoleSize& row : Sizes(plan)) {
    if (place.is(row.role)) break;
    first += row.size;
  }
  return first + place.index;
}

bool HasDisk(const Plan& plan, int machine) {
  const Place place = PlaceOf(plan, machine);
  return place.serves() || place.coordinator;
}

std::string_view FaultName(FaultKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

StatusOr<FaultKind> FindFault(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found != kNames.end()) return static_cast<FaultKind>(found - kNames.begin());
  return InvalidArgument("unknown fault '{}'; did you mean '{}'? expected some of {}", name,
                         NearestName(name, kNames), fmt::join(kNames, ", "));
}

Plan DrawPlan(std::uint64_t seed, const PlanOptions& options) {
  RandomStream random = RandomStream::Derive(seed, "plan");
  Plan plan{.seed = seed,
            .shards = options.shards,
            .bundles = options.bundles,
            .replays = options.replays,
            .actors = options.actors,
            .learners = options.learners,
            .model = options.model,
            .seconds = options.seconds};
  DrawConditions(plan, random);
  if (options.coordinator) DrawFrames(plan, random);
  const std::vector<FaultKind> kinds = DrawKinds(options, plan, random);
  const double pause = 1 + 20 * random.Uniform();
  const double swarms = random.Uniform() < 0.5 ? 0.3 : 0;
  double at = 2;
  for (; !kinds.empty(); at += -pause * std::log(1 - random.Uniform())) {
    if (at >= plan.seconds) break;
    const FaultKind kind =
        kinds[static_cast<std::size_t>(random.Integer(0, static_cast<int>(kinds.size())))];
    if (random.Uniform() < swarms) {
      AddSwarm(at, kind, plan, random);
    } else {
      plan.faults.push_back(DrawFault(at, kind, plan, random));
    }
  }
  std::stable_sort(plan.faults.begin(), plan.faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at < b.at; });
  plan.near = random.Uniform() < 0.5;
  return plan;
}

std::string EncodePlan(const Plan& plan) {
  Json json;
  json["format_version"] = kFormatVersion;
  json["seed"] = plan.seed;
  json["shards"] = plan.shards;
  json["bundles"] = plan.bundles;
  VisitNumbers(plan, [&json](const char* name, double value) { json[name] = value; });
  json["disk_journal"] = plan.disk_journal;
  json["replays"] = plan.replays;
  json["actors"] = plan.actors;
  json["learners"] = plan.learners;
  json["model"] = plan.model;
  json["overlap"] = plan.overlap;
  json["near"] = plan.near;
  json["crash"] = plan.crash;
  json["update"] = plan.update;
  json["demote_every"] = plan.demote_every;
  json["encoding"] = plan.encoding;
  json["frames"] = plan.frames;
  json["faults"] = Json::array();
  for (const Fault& fault : plan.faults) {
    Json one = {{"at", fault.at}, {"kind", FaultName(fault.kind)}, {"machine", fault.machine}};
    if (fault.to >= 0) one["to"] = fault.to;
    one["seconds"] = fault.seconds;
    json["faults"].push_back(std::move(one));
  }
  return DumpJson(json, 2) + "\n";
}

StatusOr<Plan> DecodePlan(std::string_view text) {
  const Json json = ParseJson<Json>(text);
  if (!json.is_object() || json.value("format_version", 0) != kFormatVersion) {
    return InvalidArgument("not a plan of format version {}", kFormatVersion);
  }
  Plan plan;
  try {
    plan.seed = json.at("seed");
    plan.shards = json.at("shards");
    plan.bundles = json.at("bundles");
    VisitNumbers(plan, [&json](const char* name, double& value) { value = json.at(name); });
    plan.disk_journal = json.at("disk_journal");
    DecodeLater(json, plan);
    for (const Json& one : json.at("faults")) {
      GORILA_ASSIGN_OR_RETURN(plan.faults.emplace_back(), DecodeFault(one));
    }
  } catch (const nlohmann::json::exception& error) {
    return InvalidArgument("plan: {}", error.what());
  }
  GORILA_RETURN_IF_ERROR(CheckPlan(plan));
  return plan;
}

}  // namespace gorila::simulation
