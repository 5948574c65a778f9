#include "gorila/replay/selector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/replay/game_selector.h"
#include "gorila/replay/prioritized_selector.h"
#include "gorila/replay/queue_selector.h"
#include "gorila/replay/uniform_selector.h"

namespace gorila {
namespace {

constexpr double kPriorityFloor = 1e-6;

template <typename Kind>
std::unique_ptr<Selector> MakeKind(const SelectorOptions&, std::size_t max_ids) {
  return std::make_unique<Kind>(max_ids);
}

std::unique_ptr<Selector> MakeQueue(const SelectorOptions& options, std::size_t max_ids) {
  return std::make_unique<QueueSelector>(max_ids, options);
}

template <typename Kind>
std::int64_t BytesPerId(const SelectorOptions&) {
  return Kind::kBytesPerId;
}

std::int64_t QueueBytesPerId(const SelectorOptions& options) {
  return QueueSelector::kBytesPerId +
         (options.replayed_share > 0 ? QueueSelector::kBytesPerDrawnId : 0);
}

constexpr std::array kSelectors = {
    SelectorRow{"uniform", "every transition with equal probability (the paper's)",
                &BytesPerId<UniformSelector>, &MakeKind<UniformSelector>},
    SelectorRow{"prioritized", "in proportion to the TD error to the power of priority_exponent",
                &BytesPerId<PrioritizedSelector>, &MakeKind<PrioritizedSelector>},
    SelectorRow{"queue", "each transition once, in order of arrival (on-policy)", &QueueBytesPerId,
                &MakeQueue},
};

}  // namespace

std::size_t FreshOf(const SelectorOptions& options, std::size_t count) {
  if (options.replayed_share <= 0 || count == 0) return count;
  const double replayed = std::floor(static_cast<double>(count) * options.replayed_share);
  return count - std::min(count - 1, static_cast<std::size_t>(replayed));
}

void Selector::InsertOfGame(int, std::uint32_t id) { Insert(id); }

int Selector::GameOf(std::uint32_t) const { return 0; }

double Selector::LargestPriority(int) const { return 1; }

void Selector::RaiseLargestPriority(int, double) {}

void Selector::MarkDrawn(std::uint32_t) { GORILA_CHECK(false, "not a queue"); }

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

std::unique_ptr<Selector> MakeSelector(const SelectorRow& row, const SelectorOptions& options,
                                       int games, std::size_t max_ids) {
  if (games < 2 || DrawsOnce(options)) return row.make(options, max_ids);
  return std::make_unique<GameSelector>(row, options, games, max_ids);
}

std::int64_t SelectorBytesPerId(const SelectorOptions& options, int games) {
  const StatusOr<const SelectorRow*> row = FindSelector(options.name);
  if (!row.ok()) return 0;
  const std::int64_t bytes = (*row)->bytes_per_id(options);
  if (games < 2 || DrawsOnce(options)) return bytes;
  return games * bytes + GameSelector::kBytesPerId;
}

}  // namespace gorila
