#include "gorila/rpc/role_status.h"

#include <fmt/format.h>

#include "gorila/base/resource_usage.h"

namespace gorila::rpc {

void AddProcessUsage(v1::RoleStatus& status) {
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

}  // namespace gorila::rpc
