#include "gorila/rpc/refusal.h"

#include <absl/strings/cord.h>

#include <algorithm>

namespace gorila::rpc {
namespace {

using namespace std::string_view_literals;

constexpr std::array<std::string_view, kRefusals> kNames = {
    "token"sv, "role"sv,       "layout"sv,   "method"sv, "deadline"sv, "malformed"sv, "oversized"sv,
    "shape"sv, "generation"sv, "sequence"sv, "busy"sv,   "memory"sv,   "incomplete"sv};

constexpr char kPayloadUrl[] = "gorila.v1/refusal";

}  // namespace

std::string_view RefusalName(Refusal refusal) { return kNames[static_cast<std::size_t>(refusal)]; }

std::optional<Refusal> FindRefusal(std::string_view name) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Refusal>(found - kNames.begin());
}

Status Refused(Refusal refusal, Status status) {
  GORILA_CHECK(!status.ok(), "a refusal is an error");
  status.SetPayload(kPayloadUrl, absl::Cord(std::string(RefusalName(refusal))));
  return status;
}

std::optional<Refusal> RefusalOf(const Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return std::nullopt;
  return FindRefusal(std::string(*payload));
}

std::int64_t RefusalCounters::Total() const {
  std::int64_t total = 0;
  for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
  return total;
}

}  // namespace gorila::rpc
