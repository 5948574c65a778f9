#include <fmt/format.h>

#include <CLI/App.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/cli/command.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/simulation/search.h"

namespace gorila::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr FileKind kPlanFile{"a plan", std::int64_t{64} << 20};
constexpr double kShrinkMinutes = 2;

struct SimulateOptions {
  std::string seeds = "1";
  int shards = 4;
  int bundles = 20;
  int replays = 2;
  int actors = 3;
  int learners = 2;
  bool model = false;
  bool coordinator = false;
  double seconds = 120;
  double minutes = 0;  // of real time; 0 = until all seeds ran
  std::vector<std::string> faults;
  std::string plan;
  std::string failure = "failure.json";
  bool log = false;
};

struct SeedRange {
  std::uint64_t first = 1, last = 1;
};

// "7" or "1..100".
StatusOr<SeedRange> ParseSeeds(const std::string& text) {
  SeedRange range;
  const char* const end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, range.first);
  range.last = range.first;
  const bool has_last =
      parsed.ec == std::errc() && end - parsed.ptr > 2 && std::string_view(parsed.ptr, 2) == "..";
  if (has_last) parsed = std::from_chars(parsed.ptr + 2, end, range.last);
  if (parsed.ec == std::errc() && parsed.ptr == end && range.first <= range.last) return range;
  return InvalidArgument("--seed is '{}'; expected a number, or a range such as 1..100", text);
}

void PrintCounts(const std::map<std::string, std::int64_t>& counts) {
  for (const auto& [name, count] : counts) {
    if (count > 0) fmt::print("  {:<40} {:>12}\n", name, count);
  }
}

void PrintViolations(const simulation::WorldResult& result) {
  for (const std::string& violation : result.violations) fmt::print("violated: {}\n", violation);
}

StatusOr<int> RepeatPlan(const SimulateOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const std::string text, ReadFileOf(kPlanFile, options.plan));
  StatusOr<simulation::Plan> plan = simulation::DecodePlan(text);
  if (!plan.ok()) return Annotate(plan.status(), options.plan);
  GORILA_ASSIGN_OR_RETURN(const simulation::WorldResult result,
                          simulation::RunWorld(*plan, options.log));
  for (const std::string& line : result.log) fmt::print("{}\n", line);
  fmt::print("{:.0f} virtual seconds, {} steps, hash {:016x}\n", result.seconds, result.steps,
             result.hash);
  PrintCounts(result.counts);
  PrintViolations(result);
  return result.violations.empty() ? kSuccess : kFailure;
}

// The smallest plan that fails, into the file that was asked for.
Status KeepFailure(const SimulateOptions& options, const simulation::Plan& plan) {
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(options.failure, simulation::EncodePlan(plan)));
  fmt::print("plan: {}, with {} faults; looking for a smaller one\n", options.failure,
             plan.faults.size());
  std::fflush(stdout);
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double, std::ratio<60>>(kShrinkMinutes));
  GORILA_ASSIGN_OR_RETURN(const simulation::Plan smaller, simulation::Shrink(plan, [end] {
                            return Clock::now() < end && !StopRequested();
                          }));
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(options.failure, simulation::EncodePlan(smaller)));
  fmt::print(
      "plan: {}, with {} faults and {} bundles; see it with: gorila simulate --plan {} --log\n",
      options.failure, smaller.faults.size(), smaller.bundles, options.failure);
  return OkStatus();
}

// What the seeds of a search have in common.
StatusOr<simulation::PlanOptions> MakePlanOptions(const SimulateOptions& options) {
  simulation::PlanOptions plan{.shards = options.shards,
                               .bundles = options.bundles,
                               .replays = options.model ? 0 : options.replays,
                               .actors = options.model ? 0 : options.actors,
                               .learners = options.model ? 0 : options.learners,
                               .model = options.model,
                               .coordinator = options.coordinator,
                               .seconds = options.seconds};
  const bool any = plan.replays + plan.actors + plan.learners > 0;
  if (any && (plan.replays == 0 || plan.actors == 0 || plan.learners == 0)) {
    return InvalidArgument(
        "--replays {}, --actors {} and --learners {}; expected 1 or more of each, or 0 of all "
        "three",
        plan.replays, plan.actors, plan.learners);
  }
  for (const std::string& name : options.faults) {
    GORILA_ASSIGN_OR_RETURN(plan.kinds.emplace_back(), simulation::FindFault(name));
    if (plan.kinds.back() == simulation::FaultKind::kFolder && !any && !plan.coordinator) {
      return InvalidArgument(
          "--faults folder needs replay shards or a coordinator; expected --replays 1 or more, or "
          "--coordinator");
    }
  }
  return plan;
}

StatusOr<int> RunSeeds(const SimulateOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const SeedRange seeds, ParseSeeds(options.seeds));
  GORILA_ASSIGN_OR_RETURN(simulation::PlanOptions plan, MakePlanOptions(options));
  simulation::SearchOptions search{.first_seed = seeds.first,
                                   .last_seed = seeds.last,
                                   .plan = std::move(plan),
                                   .stopped = &StopRequested};
  const auto began = Clock::now();
  if (options.minutes > 0) {
    search.deadline = began + std::chrono::duration_cast<Clock::duration>(
                                  std::chrono::duration<double, std::ratio<60>>(options.minutes));
  }
  search.ran = [](std::uint64_t seed, const simulation::WorldResult& result) {
    fmt::print("seed {}: {:.0f} s, {} steps, hash {:016x}{}\n", seed, result.seconds, result.steps,
               result.hash, result.violations.empty() ? "" : ", VIOLATION");
    std::fflush(stdout);
  };
  GORILA_ASSIGN_OR_RETURN(const simulation::SearchResult found, simulation::Search(search));
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  fmt::print(
      "{} seeds ({} of them twice, {} without an accepted gradient), {:.0f} virtual seconds in "
      "{:.1f}, {:.0f} steps/s\n",
      found.seeds, found.repeated, found.wasted, found.virtual_seconds, seconds,
      static_cast<double>(found.steps) / seconds);
  PrintCounts(found.counts);
  if (!found.failed.has_value()) return StopRequested() ? kInterrupted : kSuccess;
  PrintViolations(found.failure);
  GORILA_RETURN_IF_ERROR(KeepFailure(options, *found.failed));
  return kFailure;
}

StatusOr<int> Simulate(const SimulateOptions& options) {
  CatchStopSignals();
  return options.plan.empty() ? RunSeeds(options) : RepeatPlan(options);
}

constexpr CommandText kSimulateText = {
    .name = "simulate",
    .summary = "Look for faults that break a cluster, in one process on virtual time",
    .details =
        R"(Runs parameter shards, bundles, replay shards, actors and learners, hundreds of processes, on a
simulated network, disks and clocks, and lets them fail: killed processes, power cuts, halted and
replaced processes, cut links, broken connections, full disks. The code of the processes is the real
one; only games and networks are replaced, by ones that take virtual time. With --model thousands of
bundles fit, which do no more than talk to parameter shards. With --coordinator there is a
coordinator too, which evaluates networks and ends the run. A seed takes the same steps again.
Stops at the first seed that breaks an invariant (docs/testing.md), makes its plan smaller and keeps
it. FAULTS: kill, power, halt, replace, cut, astray, slow, swizzle, folder, clock.
)",
    .examples = R"(gorila simulate --seed 7
gorila simulate --seed 1..10000 --minutes 10
gorila simulate --seed 1..100 --shards 8 --bundles 200 --faults kill,cut
gorila simulate --plan failure.json --log
)"};

}  // namespace

Verb AddSimulateVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kSimulateText);
  const auto options = std::make_shared<SimulateOptions>();
  app->add_option("--seed", options->seeds, "Seed, or a range of seeds: each is another run")
      ->type_name("N|N..M")
      ->capture_default_str();
  AddNumber(*app, "--shards", options->shards, {.low = 1, .high = 256}, "Parameter shards")
      ->capture_default_str();
  AddNumber(*app, "--bundles", options->bundles, {.low = 1, .high = 100'000}, "Bundles")
      ->capture_default_str();
  AddNumber(*app, "--replays", options->replays, {.low = 0, .high = 256}, "Replay shards")
      ->capture_default_str();
  AddNumber(*app, "--actors", options->actors, {.low = 0, .high = 100'000}, "Actors")
      ->capture_default_str();
  AddNumber(*app, "--learners", options->learners, {.low = 0, .high = 100'000}, "Learners")
      ->capture_default_str();
  app->add_flag("--model", options->model,
                "Bundles that only talk to parameter shards: more of them fit");
  app->add_flag("--coordinator", options->coordinator,
                "A coordinator, too, and a run that ends when it has its frames");
  app->add_option("--seconds", options->seconds, "Virtual time in which faults happen")
      ->check(CLI::Range(1.0, 1e7))
      ->type_name("S")
      ->capture_default_str();
  app->add_option("--minutes", options->minutes, "Begin no further seed after so much real time")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("M");
  app->add_option("--faults", options->faults, "Kinds of faults (default: all)")
      ->delimiter(',')
      ->type_name("KIND,...");
  app->add_option("--plan", options->plan, "Run this plan instead, event by event")
      ->type_name("FILE");
  app->add_option("--failure", options->failure, "Where the plan of a failure is kept")
      ->type_name("FILE")
      ->capture_default_str();
  app->add_flag("--log", options->log, "With --plan: print what the processes say, and when");
  return {app, [options](const Invocation&) { return Simulate(*options); }};
}

}  // namespace gorila::cli
