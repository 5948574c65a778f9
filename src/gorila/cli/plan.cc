#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/benchmark/benchmark.h"
#include "gorila/cli/command.h"
#include "gorila/cli/machine.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config.h"
#include "gorila/launch/capacity_plan.h"

namespace gorila::cli {
namespace {

constexpr FileKind kFiguresFile{"measurements of gorila benchmark", std::int64_t{64} << 20};
constexpr const char* kMeasuredGroups[] = {"learner", "shard", "wire"};
constexpr double kMeasuredSeconds = 0.5;  // each
constexpr double kMostActorSteps = 1000;

// A network whose learner is measured, and what a gradient of it took (docs/performance.md).
struct PlannedNetwork {
  const char* name;
  double parameters;
  double gradient_seconds;
};
constexpr PlannedNetwork kPlannedNetworks[] = {
    {.name = "nature_dqn", .parameters = 1'693'362, .gradient_seconds = 25e-3},
    {.name = "minatar_dqn", .parameters = 132'566, .gradient_seconds = 0.86e-3}};

struct PlanOptions {
  int bundles = 0;
  double nic_gbit = 0;
  std::string network = kPlannedNetworks[0].name;
  std::optional<int> shards;
  bool measure = false;
  std::filesystem::path figures;
  std::optional<std::uint64_t> parameters;
  std::optional<double> gradient_ms, update_ms, call_us;
  double steps_per_gradient = CapacityRequest().steps_per_gradient;
  std::int64_t max_staleness = ParameterServerSection().options.max_staleness;
  bool no_overlap = false;
  bool json = false;
};

Status CheckPositive(const char* flag, std::optional<double> value) {
  if (!value.has_value() || (*value > 0 && *value < 1e9)) return OkStatus();
  return InvalidArgument("{} is {}; expected more than 0 and less than 1e9", flag, *value);
}

Status CheckPlan(const PlanOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckPositive("--nic", options.nic_gbit));
  GORILA_RETURN_IF_ERROR(CheckPositive("--gradient-ms", options.gradient_ms));
  GORILA_RETURN_IF_ERROR(CheckPositive("--update-ms", options.update_ms));
  GORILA_RETURN_IF_ERROR(CheckPositive("--call-us", options.call_us));
  if (!(options.steps_per_gradient >= 0 && options.steps_per_gradient <= kMostActorSteps)) {
    return InvalidArgument("--actor-steps is {}; expected 0 to {}", options.steps_per_gradient,
                           kMostActorSteps);
  }
  if (!options.measure || options.figures.empty()) return OkStatus();
  return InvalidArgument("--measure measures what --figures reads; expected one of them");
}

CapacityFigures DefaultFigures(const PlanOptions& options) {
  CapacityFigures figures;
  const double nature_bytes = figures.parameter_bytes;
  for (const PlannedNetwork& network : kPlannedNetworks) {
    if (options.network != network.name) continue;
    figures.parameter_bytes = sizeof(float) * network.parameters;
    figures.gradient_seconds = network.gradient_seconds;
  }
  if (options.parameters.has_value()) {
    figures.parameter_bytes = sizeof(float) * static_cast<double>(*options.parameters);
  }
  figures.update_seconds *= figures.parameter_bytes / nature_bytes;
  return figures;
}

StatusOr<std::vector<MeasuredRate>> MeasureHere() {
  std::vector<MeasuredRate> rates;
  for (const char* const group : kMeasuredGroups) {
    GORILA_ASSIGN_OR_RETURN(const BenchmarkRow* const row, FindBenchmark(group));
    fmt::print(stderr, "{}: {}\n", row->name, row->summary);
    GORILA_ASSIGN_OR_RETURN(const auto results,
                            row->run({.seconds = kMeasuredSeconds, .cores = 1}));
    for (const BenchmarkResult& result : results) rates.push_back({result.name, result.value});
  }
  return rates;
}

StatusOr<std::vector<MeasuredRate>> ReadRates(const std::filesystem::path& path) {
  GORILA_ASSIGN_OR_RETURN(const std::string text, ReadFileOf(kFiguresFile, path));
  const auto json = ParseJson<nlohmann::json>(text);
  const auto no_results = [&path] {
    return InvalidArgument(
        "'{}': expected what 'gorila benchmark learner shard wire --json FILE' "
        "writes",
        path.string());
  };
  if (!json.is_object() || !json.contains("results") || !json["results"].is_array()) {
    return no_results();
  }
  std::vector<MeasuredRate> rates;
  for (const auto& row : json["results"]) {
    if (!row.is_object() || !row.contains("name") || !row["name"].is_string() ||
        !row.contains("value") || !row["value"].is_number()) {
      return no_results();
    }
    rates.push_back({row["name"].get<std::string>(), row["value"].get<double>()});
  }
  return rates;
}

// The figures, and where they come from.
StatusOr<std::pair<CapacityFigures, std::string>> ChooseFigures(const PlanOptions& options) {
  std::pair<CapacityFigures, std::string> chosen = {DefaultFigures(options), "defaults"};
  if (options.measure || !options.figures.empty()) {
    GORILA_ASSIGN_OR_RETURN(const std::vector<MeasuredRate> rates,
                            options.measure ? MeasureHere() : ReadRates(options.figures));
    GORILA_ASSIGN_OR_RETURN(const MeasuredFigures measured,
                            FiguresOf(rates, options.network, chosen.first));
    if (!measured.note.empty()) fmt::print(stderr, "note: {}\n", measured.note);
    chosen = {measured.figures, options.measure ? "measured here" : options.figures.string()};
  }
  CapacityFigures& figures = chosen.first;
  if (options.gradient_ms.has_value()) figures.gradient_seconds = *options.gradient_ms * 1e-3;
  if (options.update_ms.has_value()) figures.update_seconds = *options.update_ms * 1e-3;
  if (options.call_us.has_value()) figures.call_seconds = *options.call_us * 1e-6;
  if (options.gradient_ms.has_value() || options.update_ms.has_value() ||
      options.call_us.has_value()) {
    chosen.second += " and flags";
  }
  return chosen;
}

StatusOr<int> Plan(const PlanOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckPlan(options));
  GORILA_ASSIGN_OR_RETURN(const auto chosen, ChooseFigures(options));
  const CapacityRequest request{.figures = chosen.first,
                                .bundles = options.bundles,
                                .nic_bits = options.nic_gbit * 1e9,
                                .overlap = !options.no_overlap,
                                .steps_per_gradient = options.steps_per_gradient,
                                .max_staleness = options.max_staleness};
  const CapacityPlan plan = PlanCapacity(request, options.shards);
  if (options.json) {
    fmt::print("{}", CapacityJson(request, plan, chosen.second));
    return kSuccess;
  }
  fmt::print("{}", CapacityText(request, plan, chosen.second));
  std::fflush(stdout);
  for (const std::string& warning : plan.warnings) fmt::print(stderr, "warning: {}\n", warning);
  return kSuccess;
}

constexpr CommandText kPlanText = {
    .name = "plan",
    .summary = "Say how many parameter shards a cluster needs, and what limits it",
    .details =
        R"(Models N bundles, each on a machine of its own, and parameter shards on others, with links of GBIT
each way, and prints the smallest number of shards that costs bundles at most 5 % of their updates,
beside half and twice as many. Nothing is started. Columns:

  share         gradients that are pushed, of those that bundles would make if they never waited
  link, update  how busy the links, and the shards with updates, are; calls: a bundle with its calls
  staleness     by how many updates gradients lag behind: median, 90th and 99th percentile
  refused       gradients that are older than parameter_server.max_staleness
  bound by      what keeps bundles from more; gradients: nothing but computing them

The times are those of docs/performance.md, or --measure's, or a file's that gorila benchmark wrote.
They are of one core; say what a gradient takes your bundles with --gradient-ms.
)",
    .examples = R"(gorila plan --bundles 100 --nic 10
gorila plan --bundles 100 --nic 10 --measure
gorila plan --bundles 1000 --nic 25 --gradient-ms 8 --max-staleness 3000
gorila plan --bundles 2 --nic 2 --shards 1 --no-overlap --json
)"};

std::vector<std::string> NetworkNames() {
  std::vector<std::string> names;
  for (const PlannedNetwork& network : kPlannedNetworks) names.emplace_back(network.name);
  return names;
}

}  // namespace

Verb AddPlanVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kPlanText);
  const auto options = std::make_shared<PlanOptions>();
  constexpr NumberRange kShardRange = {.low = 1, .high = kMostPlannedShards};
  AddNumber(*app, "--bundles", options->bundles, {.low = 1, .high = 20'000},
            "Bundles, or learners in processes of their own")
      ->required();
  app->add_option("--nic", options->nic_gbit, "Speed of each machine's link, each way")
      ->required()
      ->type_name("GBIT");
  app->add_option("--network", options->network, "Whose size and times")
      ->check(CLI::IsMember(NetworkNames()))
      ->capture_default_str();
  AddNumber(*app, "--shards", options->shards, kShardRange, "So many, without a search");
  app->add_flag("--measure", options->measure,
                "Measure the times on this machine first (a minute)");
  app->add_option("--figures", options->figures,
                  "Take the times that gorila benchmark learner shard wire --json wrote")
      ->type_name("FILE");
  AddNumber(*app, "--parameters", options->parameters, {.low = 1, .high = 10'000'000'000},
            "Parameters of another network");
  app->add_option("--gradient-ms", options->gradient_ms,
                  "Time between two gradients of a bundle that never waits")
      ->type_name("MS");
  app->add_option("--update-ms", options->update_ms,
                  "Time of an update of all parameters by one shard")
      ->type_name("MS");
  app->add_option("--call-us", options->call_us, "Processor time of a bundle's call to a shard")
      ->type_name("US");
  app->add_option("--actor-steps", options->steps_per_gradient,
                  "Steps of a bundle's actor for each gradient; without overlap each one pulls")
      ->type_name("N")
      ->capture_default_str();
  AddNumber(*app, "--max-staleness", options->max_staleness, {.low = 0, .high = 1'000'000'000'000},
            "parameter_server.max_staleness (default: 1000)");
  app->add_flag("--no-overlap", options->no_overlap, "parameter_server.overlap is false");
  app->add_flag("--json", options->json, "Print JSON");
  return {app, [options](const Invocation&) { return Plan(*options); }};
}

}  // namespace gorila::cli
