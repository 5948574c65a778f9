#include "gorila/parameter_server/snapshot_check.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>

namespace gorila {
namespace {

Status CheckPart(std::string_view name, std::span<const float> values) {
  const auto wrong = std::count_if(values.begin(), values.end(),
                                   [](float value) { return !std::isfinite(value); });
  if (wrong == 0) return OkStatus();
  return DataLoss("the shard's {} has {} of {} values that are not finite (NaN or infinite)", name,
                  wrong, values.size());
}

}  // namespace

Status CheckFinite(const ShardSnapshot& snapshot) {
  GORILA_RETURN_IF_ERROR(CheckPart("slice of the parameters", snapshot.values));
  GORILA_RETURN_IF_ERROR(CheckPart("slice of the target network", snapshot.target));
  for (const ShardSnapshot::NamedSlot& slot : snapshot.optimizer) {
    GORILA_RETURN_IF_ERROR(CheckPart(fmt::format("optimizer state '{}'", slot.name), slot.values));
  }
  return OkStatus();
}

Status CheckWritable(const ShardSnapshot& snapshot) {
  const Status finite = CheckFinite(snapshot);
  if (finite.ok()) return OkStatus();
  return Unavailable("{}; what was written before is kept; lower optimizer.learning_rate",
                     std::string(finite.message()));
}

}  // namespace gorila
