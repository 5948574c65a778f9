// How many parameter shards a cluster needs, what limits it, and what its settings would refuse.
#ifndef GORILA_LAUNCH_CAPACITY_PLAN_H_
#define GORILA_LAUNCH_CAPACITY_PLAN_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/launch/capacity_model.h"

namespace gorila {

// More are not looked at.
inline constexpr int kMostPlannedShards = 1024;

struct CapacityRow {
  int shards = 1;
  CapacityResult result = {};
  // What keeps bundles from more updates: "shard link", "bundle link", "update", "calls", or
  // "gradients", which they make as fast as they can.
  std::string bound_by = {};
};

struct CapacityPlan {
  int shards = 1;                      // as asked for, or the smallest number that suffices
  std::vector<CapacityRow> rows = {};  // of it and, where it was searched, of half and twice it
  std::int64_t max_staleness = 0;      // that refuses no gradient, with room to spare
  std::vector<std::string> warnings = {};

  const CapacityRow& chosen() const;
};

// Of the smallest number of shards with which links and updates cost bundles at most 5 % of the
// updates that they could make with any number. `shards`: that number instead.
CapacityPlan PlanCapacity(const CapacityRequest& request, std::optional<int> shards);

// Nothing where so many processes that push lose no gradient for its age, unless links or shards
// are busy all of the time: they lag about two updates each behind where transfers overlap with
// computing, else one.
std::optional<std::string> StalenessWarning(int pushers, bool overlap, std::int64_t max_staleness);

// A measurement of `gorila benchmark`: "shard/rmsprop", and its value.
struct MeasuredRate {
  std::string name;
  double value = 0;
};

struct MeasuredFigures {
  CapacityFigures figures;
  std::string note = {};  // what could not be measured
};

// What `gorila benchmark learner shard wire` says of `network` ("nature_dqn"), whose parameters
// `defaults` has. InvalidArgument naming the measurement that is missing.
StatusOr<MeasuredFigures> FiguresOf(std::span<const MeasuredRate> rates, std::string_view network,
                                    const CapacityFigures& defaults);

// For people, and for programs. `source`: of the figures, in a few words.
std::string CapacityText(const CapacityRequest& request, const CapacityPlan& plan,
                         std::string_view source);
std::string CapacityJson(const CapacityRequest& request, const CapacityPlan& plan,
                         std::string_view source);

}  // namespace gorila

#endif  // GORILA_LAUNCH_CAPACITY_PLAN_H_
