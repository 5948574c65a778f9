#include "gorila/launch/capacity_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "gorila/base/json.h"
#include "gorila/parameter_server/optimizer.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kEnough = 0.95;                  // of what any number of shards gives
constexpr double kManyCalls = 0.2;                // of a bundle's time
constexpr int kCallsAtOnce = 1024;                // at a shard; more are refused as busy
constexpr double kNatureBytes = 4.0 * 1'693'362;  // what benchmarks of wire and shard move
constexpr int kMostWireShards = 4;

std::string Percent(double part) { return fmt::format("{:.1f} %", 100 * part); }

// How old gradients are, about, in updates; and what max_staleness they need.
int TypicalStaleness(int pushers, bool overlap) { return overlap ? 2 * pushers : pushers; }
std::int64_t StalenessRoom(int pushers, bool overlap) {
  return std::int64_t{5} * TypicalStaleness(pushers, overlap) / 4;
}

// The share that no number of shards exceeds: a bundle's own link, and what a push costs a shard
// however small its slice is.
double ShareLimit(const CapacityRequest& request) {
  const CapacityFigures& figures = request.figures;
  const double byte_seconds = 8 / (kLinkPayload * request.nic_bits);
  const double transfer = byte_seconds * figures.parameter_bytes;
  const double piece = std::min(byte_seconds * kModelledPieceBytes, transfer);
  const double compute = figures.gradient_seconds;
  const double cycle =
      request.overlap ? std::max(compute, transfer + piece) : compute + 2 * transfer;
  return compute / std::max(cycle, request.bundles * figures.push_seconds);
}

CapacityRequest WithRoomForEveryGradient(CapacityRequest request) {
  request.max_staleness = std::numeric_limits<std::int64_t>::max();
  return request;
}

// Without calls, whose cost rises with the shards, and with room for every gradient: a refused one
// costs a shard no update.
int SmallestEnough(const CapacityRequest& request) {
  const double enough = kEnough * ShareLimit(request);
  CapacityRequest plain = WithRoomForEveryGradient(request);
  plain.figures.call_seconds = 0;
  const auto suffices = [&](int shards) {
    plain.shards = shards;
    return ModelCapacity(plain).share >= enough;
  };
  const CapacityFigures& figures = request.figures;
  const double pushes = request.bundles * enough / figures.gradient_seconds;  // a second
  const double least =
      pushes * std::max(8 * figures.parameter_bytes / (kLinkPayload * request.nic_bits),
                        figures.update_seconds);
  int low = std::clamp(static_cast<int>(least), 1, kMostPlannedShards) - 1;  // does not suffice
  int high = low + 1;
  while (high < kMostPlannedShards && !suffices(high)) {
    low = high;
    high = std::min(high + std::max(high / 4, 1), kMostPlannedShards);
  }
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (suffices(middle) ? high : low) = middle;
  }
  return high;
}

CapacityRow MakeCapacityRow(CapacityRequest request, int shards) {
  request.shards = shards;
  CapacityRow row{.shards = shards, .result = ModelCapacity(request)};
  const CapacityResult& result = row.result;
  const double calls = 2.0 * shards * request.figures.call_seconds;
  const double compute = request.figures.gradient_seconds;
  if (result.share >= kEnough * compute / (compute + calls)) {
    row.bound_by = compute / (compute + calls) < kEnough ? "calls" : "gradients";
    return row;
  }
  const std::pair<double, const char*> waits[] = {{result.shard_link_waits, "shard link"},
                                                  {result.update_waits, "update"},
                                                  {result.bundle_link_waits, "bundle link"}};
  row.bound_by = std::max_element(std::begin(waits), std::end(waits))->second;
  return row;
}

// Links and shards that are busy all of the time make gradients older than they usually are.
std::int64_t RoomWith(const CapacityRequest& request, int shards) {
  CapacityRequest every = WithRoomForEveryGradient(request);
  every.shards = shards;
  const std::int64_t usual = StalenessRoom(request.bundles, request.overlap);
  const std::int64_t oldest = ModelCapacity(every).staleness_99;
  return oldest <= usual ? usual : 5 * oldest / 4;
}

// Nothing where none is refused.
std::optional<std::string> RefusalWarning(const CapacityRequest& request,
                                          const CapacityPlan& plan) {
  auto usual = StalenessWarning(request.bundles, request.overlap, request.max_staleness);
  if (usual.has_value() || plan.chosen().result.refused == 0) return usual;
  return fmt::format(
      "parameter_server.max_staleness is {}: with {} shards it refuses {} of the gradients; "
      "expected {} or more",
      request.max_staleness, plan.shards, Percent(plan.chosen().result.refused),
      plan.max_staleness);
}

std::vector<std::string> WarningsOf(const CapacityRequest& request, const CapacityPlan& plan,
                                    bool searched) {
  std::vector<std::string> warnings;
  const CapacityRow& row = plan.chosen();
  const CapacityResult& result = row.result;
  if (searched && row.bound_by != "gradients" && row.bound_by != "calls") {
    warnings.push_back(fmt::format(
        "bundles make {:.0f} % of the gradients that they could, bound by the {}; more shards do "
        "not help",
        100 * result.share, row.bound_by));
  }
  if (result.call_share > kManyCalls) {
    warnings.push_back(fmt::format("calls to {} shards take {:.0f} % of each bundle's time",
                                   row.shards, 100 * result.call_share));
  }
  const auto stale = RefusalWarning(request, plan);
  if (stale.has_value()) warnings.push_back(*stale);
  if (request.bundles > kCallsAtOnce) {
    warnings.push_back(fmt::format(
        "a shard takes {} calls at once and refuses others as busy, which are tried again",
        kCallsAtOnce));
  }
  return warnings;
}

StatusOr<double> RateOf(std::span<const MeasuredRate> rates, std::string_view name) {
  for (const MeasuredRate& rate : rates) {
    if (rate.name == name && rate.value > 0) return rate.value;
  }
  return InvalidArgument(
      "measurement '{}' is missing; expected all of gorila benchmark learner shard wire", name);
}

// Bytes that an update of the shard benchmark moves, for a byte of parameters.
StatusOr<double> BytesOfUpdate(const std::string& optimizer) {
  GORILA_ASSIGN_OR_RETURN(const auto made, MakeOptimizer({.name = optimizer}, 1));
  return 3.0 + 2.0 * static_cast<double>(made->slots().size());
}

}  // namespace

const CapacityRow& CapacityPlan::chosen() const {
  for (const CapacityRow& row : rows) {
    if (row.shards == shards) return row;
  }
  GORILA_CHECK(false, "no row of {} shards", shards);
  return rows.front();
}

CapacityPlan PlanCapacity(const CapacityRequest& request, std::optional<int> shards) {
  CapacityPlan plan{.shards = shards.has_value() ? *shards : SmallestEnough(request)};
  std::vector<int> numbers = {plan.shards};
  if (!shards.has_value()) {
    if (plan.shards > 1) numbers.insert(numbers.begin(), plan.shards / 2);
    if (plan.shards <= kMostPlannedShards / 2) numbers.push_back(2 * plan.shards);
  }
  for (const int number : numbers) plan.rows.push_back(MakeCapacityRow(request, number));
  plan.max_staleness = RoomWith(request, plan.shards);
  plan.warnings = WarningsOf(request, plan, !shards.has_value());
  return plan;
}

std::optional<std::string> StalenessWarning(int pushers, bool overlap, std::int64_t max_staleness) {
  const std::int64_t room = StalenessRoom(pushers, overlap);
  if (max_staleness >= room) return std::nullopt;
  return fmt::format(
      "parameter_server.max_staleness is {}: gradients of {} processes are about {} updates "
      "old{}, and older ones are refused; expected {} or more",
      max_staleness, pushers, TypicalStaleness(pushers, overlap),
      overlap ? " with parameter_server.overlap" : "", room);
}

StatusOr<MeasuredFigures> FiguresOf(std::span<const MeasuredRate> rates, std::string_view network,
                                    const CapacityFigures& defaults) {
  MeasuredFigures measured{.figures = defaults};
  GORILA_ASSIGN_OR_RETURN(const double gradients,
                          RateOf(rates, fmt::format("learner/{}/1", network)));
  GORILA_ASSIGN_OR_RETURN(const double update, RateOf(rates, "shard/rmsprop"));
  GORILA_ASSIGN_OR_RETURN(const double one, RateOf(rates, "wire/tcp/plain/1"));
  GORILA_ASSIGN_OR_RETURN(const double several,
                          RateOf(rates, fmt::format("wire/tcp/plain/{}", kMostWireShards)));
  GORILA_ASSIGN_OR_RETURN(const double moved, BytesOfUpdate("rmsprop"));
  measured.figures.gradient_seconds = 1 / gradients;
  measured.figures.update_seconds = moved * defaults.parameter_bytes / (update * 1e9);
  // An exchange moves as many bytes with any number of shards; what more of them cost is calls.
  const double seconds = 2 * kNatureBytes / 1e9 * (1 / several - 1 / one);
  const double call = seconds / (2 * (kMostWireShards - 1));
  if (call > 0) {
    measured.figures.call_seconds = call;
  } else {
    measured.note = fmt::format(
        "an exchange with {} shards took no longer than with one, so the {:.0f} us of a call are "
        "the default",
        kMostWireShards, 1e6 * defaults.call_seconds);
  }
  return measured;
}

std::string CapacityText(const CapacityRequest& request, const CapacityPlan& plan,
                         std::string_view source) {
  const CapacityFigures& figures = request.figures;
  std::string text = fmt::format(
      "{} bundles, links of {:g} Gbit/s, {:.2f} MB of parameters{}\n"
      "{:.2f} ms a gradient, {:.2f} ms an update, {:.0f} us a call ({})\n\n"
      "shards  updates/s  share  shard link  bundle link  update  calls  staleness 50/90/99 %  "
      "refused  bound by\n",
      request.bundles, request.nic_bits / 1e9, figures.parameter_bytes / 1e6,
      request.overlap ? ", computing while they travel" : "", 1e3 * figures.gradient_seconds,
      1e3 * figures.update_seconds, 1e6 * figures.call_seconds, source);
  for (const CapacityRow& row : plan.rows) {
    const CapacityResult& result = row.result;
    text += fmt::format(
        "{:>6}  {:>9.{}f}  {:>5.2f}  {:>10.2f}  {:>11.2f}  {:>6.2f}  {:>5.2f}  "
        "{:>20}  {:>7}  {}\n",
        row.shards, result.updates_per_second, result.updates_per_second < 10 ? 2 : 0, result.share,
        result.shard_link_busy, result.bundle_link_busy, result.update_busy, result.call_share,
        fmt::format("{}/{}/{}", result.staleness_median, result.staleness_90, result.staleness_99),
        Percent(result.refused), row.bound_by);
  }
  if (plan.rows.size() == 1) return text;
  text += fmt::format("\nsmallest number of shards that suffices: {}\nsettings: --shards {}",
                      plan.shards, plan.shards);
  if (request.overlap) text += " --set parameter_server.overlap=true";
  if (request.max_staleness < plan.max_staleness) {
    text += fmt::format(" --set parameter_server.max_staleness={}", plan.max_staleness);
  }
  return text + "\n";
}

std::string CapacityJson(const CapacityRequest& request, const CapacityPlan& plan,
                         std::string_view source) {
  const CapacityFigures& figures = request.figures;
  Json rows = Json::array();
  for (const CapacityRow& row : plan.rows) {
    const CapacityResult& result = row.result;
    rows.push_back({{"shards", row.shards},
                    {"updates_per_second", result.updates_per_second},
                    {"share", result.share},
                    {"bound_by", row.bound_by},
                    {"shard_link_busy", result.shard_link_busy},
                    {"bundle_link_busy", result.bundle_link_busy},
                    {"update_busy", result.update_busy},
                    {"call_share", result.call_share},
                    {"staleness_mean", result.staleness_mean},
                    {"staleness_median", result.staleness_median},
                    {"staleness_90", result.staleness_90},
                    {"staleness_99", result.staleness_99},
                    {"refused", result.refused}});
  }
  const Json document = {{"bundles", request.bundles},
                         {"nic_gbit", request.nic_bits / 1e9},
                         {"overlap", request.overlap},
                         {"max_staleness", request.max_staleness},
                         {"steps_per_gradient", request.steps_per_gradient},
                         {"figures",
                          {{"source", source},
                           {"parameter_bytes", figures.parameter_bytes},
                           {"gradient_seconds", figures.gradient_seconds},
                           {"update_seconds", figures.update_seconds},
                           {"push_seconds", figures.push_seconds},
                           {"call_seconds", figures.call_seconds}}},
                         {"shards", plan.shards},
                         {"max_staleness_needed", plan.max_staleness},
                         {"rows", std::move(rows)},
                         {"warnings", plan.warnings}};
  return DumpJson(document, 2) + "\n";
}

}  // namespace gorila
