#include "gorila/simulation/search.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include "gorila/base/json.h"

namespace gorila::simulation {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kTwiceEvery = 20;

std::string Encode(const WorldResult& result) {
  return DumpJson(Json{{"violations", result.violations},
                       {"hash", result.hash},
                       {"steps", result.steps},
                       {"seconds", result.seconds},
                       {"counts", result.counts}});
}

WorldResult Decode(const std::string& text) {
  const Json json = ParseJsonOrThrow<Json>(text);
  WorldResult result;
  result.violations = json.at("violations").get<std::vector<std::string>>();
  result.hash = json.at("hash");
  result.steps = json.at("steps");
  result.seconds = json.at("seconds");
  result.counts = json.at("counts").get<std::map<std::string, std::int64_t>>();
  return result;
}

// All that comes until the other end is closed.
std::string ReadAll(int file) {
  std::string text;
  char buffer[1 << 14];
  for (;;) {
    const ssize_t count = ::read(file, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
  }
}

[[noreturn]] void RunInChild(const Plan& plan, int out, pid_t parent) {
  // Nobody wants the result of a parent that was killed.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const StatusOr<WorldResult> result = RunWorld(plan);
  std::string text = result.ok() ? Encode(*result) : result.status().ToString();
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = ::write(out, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) ::_exit(1);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  ::_exit(result.ok() ? 0 : 1);
}

StatusOr<WorldResult> ResultOf(int status, const std::string& text) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Decode(text);
  if (WIFSIGNALED(status)) {
    WorldResult crashed;
    crashed.violations = {fmt::format("the simulation ended by signal {}", WTERMSIG(status))};
    return crashed;
  }
  return absl::InternalError(text.empty() ? "the simulation ended early" : text);
}

void Add(const WorldResult& result, SearchResult& search) {
  ++search.seeds;
  search.virtual_seconds += result.seconds;
  search.steps += result.steps;
  for (const auto& [name, count] : result.counts) search.counts[name] += count;
  const auto accepted = result.counts.find("gradients accepted");
  if (accepted != result.counts.end() && accepted->second == 0) ++search.wasted;
}

// Without what chunk `part` of `parts` has.
Plan WithoutFaults(const Plan& plan, std::size_t part, std::size_t parts) {
  Plan fewer = plan;
  const std::size_t count = plan.faults.size();
  const auto at = [&](std::size_t i) {
    return fewer.faults.begin() + static_cast<std::ptrdiff_t>(count * i / parts);
  };
  fewer.faults.erase(at(part), at(part + 1));
  return fewer;
}

// The faults of `plan` in a smaller one, without those of the machines that it has not.
Plan WithFaultsOf(const Plan& plan, Plan smaller) {
  smaller.faults.clear();
  const auto move = [&](int& machine) {
    if (machine < 0) return true;
    const Place place = PlaceOf(plan, machine);
    machine = MachineOf(smaller, place);
    if (machine >= CountMachines(smaller)) return false;
    const Place there = PlaceOf(smaller, machine);
    return there.role == place.role && there.coordinator == place.coordinator;
  };
  for (Fault fault : plan.faults) {
    if (move(fault.machine) && move(fault.to)) smaller.faults.push_back(fault);
  }
  return smaller;
}

Plan WithFewerBundles(const Plan& plan) {
  Plan fewer = plan;
  fewer.bundles = std::max(1, plan.bundles / 2);
  return WithFaultsOf(plan, std::move(fewer));
}

Plan WithoutReplay(const Plan& plan) {
  Plan fewer = plan;
  fewer.replays = fewer.actors = fewer.learners = 0;
  return WithFaultsOf(plan, std::move(fewer));
}

Plan WithoutCoordinator(const Plan& plan) {
  Plan fewer = plan;
  fewer.frames = 0;
  return WithFaultsOf(plan, std::move(fewer));
}

std::vector<Plan> PlainerConditions(const Plan& plan) {
  const Plan usual;
  std::vector<Plan> plainer(16, plan);
  plainer[0].broken = 0;
  plainer[1].lost = 0;
  plainer[2].disk_fails = 0;
  plainer[3].yield = 0;
  plainer[4].latency = usual.latency;
  plainer[5].disk_latency = usual.disk_latency;
  plainer[6].compute = usual.compute;
  plainer[7].snapshot_seconds = usual.snapshot_seconds;
  plainer[8].overlap = usual.overlap;
  plainer[9].encoding = usual.encoding;
  plainer[10] = WithoutReplay(plan);
  plainer[11] = WithoutReplay(plan);
  plainer[11].model = true;
  plainer[12].crash = usual.crash;
  plainer[13].update = usual.update;
  plainer[14].demote_every = usual.demote_every;
  plainer[15] = WithoutCoordinator(plan);
  return plainer;
}

class Shrinker {
 public:
  Shrinker(const Plan& plan, const std::function<bool()>& still) : plan_(plan), still_(still) {}

  StatusOr<Plan> Run() {
    GORILA_RETURN_IF_ERROR(ShrinkFaults());
    for (Plan fewer = WithFewerBundles(plan_); fewer.bundles < plan_.bundles;
         fewer = WithFewerBundles(plan_)) {
      GORILA_ASSIGN_OR_RETURN(const bool taken, TakeIfItFails(fewer));
      if (!taken) break;
    }
    const std::size_t conditions = PlainerConditions(plan_).size();
    for (std::size_t i = 0; i < conditions; ++i) {
      GORILA_RETURN_IF_ERROR(TakeIfItFails(PlainerConditions(plan_)[i]).status());
    }
    GORILA_RETURN_IF_ERROR(ShrinkFaults());
    return plan_;
  }

 private:
  Status ShrinkFaults() {
    std::size_t parts = 2;
    while (!plan_.faults.empty()) {
      parts = std::min(parts, plan_.faults.size());
      bool fewer = false;
      for (std::size_t part = 0; part < parts && !fewer; ++part) {
        GORILA_ASSIGN_OR_RETURN(fewer, TakeIfItFails(WithoutFaults(plan_, part, parts)));
      }
      if (fewer) {
        parts = std::max<std::size_t>(2, parts - 1);
      } else if (parts >= plan_.faults.size()) {
        break;
      } else {
        parts *= 2;
      }
    }
    return OkStatus();
  }

  StatusOr<bool> TakeIfItFails(const Plan& plan) {
    if (!still_()) return false;
    GORILA_ASSIGN_OR_RETURN(const WorldResult result, RunApart(plan));
    if (result.violations.empty()) return false;
    plan_ = plan;
    return true;
  }

  Plan plan_;
  const std::function<bool()>& still_;
};

}  // namespace

StatusOr<WorldResult> RunApart(const Plan& plan) {
  int ends[2];
  if (::pipe(ends) != 0) return Unavailable("no pipe to a child process: {}", std::strerror(errno));
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return Unavailable("no child process: {}", std::strerror(errno));
  if (child == 0) {
    ::close(ends[0]);
    RunInChild(plan, ends[1], parent);
  }
  ::close(ends[1]);
  const std::string text = ReadAll(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return ResultOf(status, text);
}

StatusOr<SearchResult> Search(const SearchOptions& options) {
  SearchResult search;
  for (std::uint64_t seed = options.first_seed; seed <= options.last_seed; ++seed) {
    const bool stopped = options.stopped && options.stopped();
    if (stopped || std::chrono::steady_clock::now() >= options.deadline) break;
    const Plan plan = DrawPlan(seed, options.plan);
    GORILA_ASSIGN_OR_RETURN(WorldResult result, RunApart(plan));
    if (result.violations.empty() && (seed - options.first_seed) % kTwiceEvery == 0) {
      GORILA_ASSIGN_OR_RETURN(const WorldResult again, RunApart(plan));
      ++search.repeated;
      if (again.hash != result.hash) {
        result.violations = {fmt::format(
            "the same plan took other steps: hash {:016x}, then {:016x}", result.hash, again.hash)};
      }
    }
    Add(result, search);
    if (options.ran) options.ran(seed, result);
    if (result.violations.empty()) continue;
    search.failed = plan;
    search.failure = std::move(result);
    break;
  }
  return search;
}

StatusOr<Plan> Shrink(const Plan& plan, const std::function<bool()>& still) {
  return Shrinker(plan, still).Run();
}

}  // namespace gorila::simulation
