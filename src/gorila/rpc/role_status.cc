#include "gorila/rpc/role_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "gorila/base/resource_usage.h"
#include "gorila/base/runtime.h"
#include "gorila/rpc/part.h"

namespace gorila::rpc {
namespace {

// A header's limit, with room for what is around it.
constexpr std::size_t kPageBytes = kMaxHeaderBytes / 2;
constexpr std::size_t kRoleOverhead = 8;

}  // namespace

void AddProcessUsage(v1::RoleStatus& status) {
  if (simulated_runtime != nullptr) return;  // this process is all of them
  (*status.mutable_gauges())[kCpuSeconds] = CpuSeconds();
  (*status.mutable_counters())[kResidentBytes] = static_cast<std::int64_t>(ResidentBytes());
}

void AddServerTraffic(const Server* server, v1::RoleStatus& status) {
  if (server == nullptr) return;
  auto& counters = *status.mutable_counters();
  const ServerTraffic traffic = server->traffic();
  counters["calls"] = traffic.calls;
  counters["bytes_received"] = traffic.bytes_received;
  counters["bytes_sent"] = traffic.bytes_sent;
  counters["bytes_shared"] = traffic.bytes_shared;
  counters["refused"] = server->refusals().Total();
  for (int i = 0; i < kRefusals; ++i) {
    const auto refusal = static_cast<Refusal>(i);
    const std::int64_t count = server->refusals().count(refusal);
    if (count > 0) counters[fmt::format("refused_{}", RefusalName(refusal))] = count;
  }
}

v1::StatusResponse StatusPage(std::span<const v1::RoleStatus> roles, std::int64_t first) {
  v1::StatusResponse page;
  std::size_t bytes = 0;
  const auto begin =
      static_cast<std::size_t>(std::clamp<std::int64_t>(first, 0, std::ssize(roles)));
  for (std::size_t i = begin; i < roles.size(); ++i) {
    bytes += roles[i].ByteSizeLong() + kRoleOverhead;
    if (bytes > kPageBytes && i > begin) {
      page.set_next(static_cast<std::int64_t>(i));
      break;
    }
    *page.add_roles() = roles[i];
  }
  return page;
}

StatusOr<v1::StatusResponse> AskStatus(Channel& channel, std::chrono::milliseconds timeout,
                                       const StopPredicate& stop) {
  v1::StatusResponse all;
  std::unordered_set<std::uint64_t> seen;
  for (v1::StatusRequest request;;) {
    GORILA_ASSIGN_OR_RETURN(v1::StatusResponse page, channel.CallProto<v1::StatusResponse>(
                                                         kStatusMethod, request, timeout, stop));
    for (v1::RoleStatus& role : *page.mutable_roles()) {
      const bool is_new = role.process() == 0 || seen.insert(role.process()).second;
      if (is_new) *all.add_roles() = std::move(role);
    }
    // A server that does not go forward has no more.
    if (page.next() <= request.first()) return all;
    request.set_first(page.next());
  }
}

}  // namespace gorila::rpc
