#include "gorila/replay/selector.h"

#include <array>
#include <cmath>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/replay/prioritized_selector.h"
#include "gorila/replay/queue_selector.h"
#include "gorila/replay/uniform_selector.h"

namespace gorila {
namespace {

constexpr double kPriorityFloor = 1e-6;

template <typename Kind>
std::unique_ptr<Selector> MakeSelector(std::size_t max_ids) {
  return std::make_unique<Kind>(max_ids);
}

constexpr std::array kSelectors = {
    SelectorRow{"uniform", "every transition with equal probability (the paper's)",
                UniformSelector::kBytesPerId, &MakeSelector<UniformSelector>},
    SelectorRow{"prioritized", "in proportion to the TD error to the power of priority_exponent",
                PrioritizedSelector::kBytesPerId, &MakeSelector<PrioritizedSelector>},
    SelectorRow{"queue", "each transition once, in order of arrival (on-policy)",
                QueueSelector::kBytesPerId, &MakeSelector<QueueSelector>},
};

}  // namespace

double PriorityOfError(const SelectorOptions& options, double error) {
  return std::pow(error + kPriorityFloor, options.priority_exponent);
}

Status CheckPriorityUpdate(std::span<const std::uint64_t> keys, std::span<const float> td_errors) {
  if (keys.size() != td_errors.size()) {
    return InvalidArgument("replay: {} TD errors for {} transitions", td_errors.size(),
                           keys.size());
  }
  for (const float error : td_errors) {
    if (std::isfinite(error) && error >= 0) continue;
    return InvalidArgument("replay: a TD error is {}; expected a finite number, 0 or more",
                           static_cast<double>(error));
  }
  return OkStatus();
}

std::span<const SelectorRow> SelectorTable() { return kSelectors; }

StatusOr<const SelectorRow*> FindSelector(std::string_view name) {
  std::vector<std::string_view> names;
  for (const SelectorRow& row : kSelectors) {
    if (row.name == name) return &row;
    names.push_back(row.name);
  }
  return InvalidArgument("replay.selector is '{}'; expected one of {}; did you mean '{}'?", name,
                         fmt::join(names, ", "), NearestName(name, names));
}

}  // namespace gorila
