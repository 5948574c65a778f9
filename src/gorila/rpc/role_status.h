// The part of a RoleStatus that every process reports, whatever its role.
#ifndef GORILA_RPC_ROLE_STATUS_H_
#define GORILA_RPC_ROLE_STATUS_H_

#include <chrono>
#include <cstdint>
#include <span>

#include "gorila/rpc/channel.h"
#include "gorila/rpc/server.h"
#include "gorila/v1/role.pb.h"

namespace gorila::rpc {

inline constexpr char kStatusMethod[] = "gorila.v1.Role/GetStatus";

// Names in a RoleStatus: processor time of all threads since the process began, a gauge in seconds;
// memory in RAM, a counter in bytes.
inline constexpr char kCpuSeconds[] = "cpu_seconds";
inline constexpr char kResidentBytes[] = "resident_bytes";

// Of this process.
void AddProcessUsage(v1::RoleStatus& status);

// Calls, bytes and refusals by reason ("refused_<reason>", those that came) since the process
// started. Nothing when `server` is null.
void AddServerTraffic(const Server* server, v1::RoleStatus& status);

// Of `roles` from `first` on as many as fit into a message, and where the rest begins.
v1::StatusResponse StatusPage(std::span<const v1::RoleStatus> roles, std::int64_t first);

// What the server answers to kStatusMethod, all pages together: thousands of processes take
// several. A process that moved from one page to the next meanwhile is there once, or missing.
// `timeout`: of each call. Blocks; errors as Channel::Call.
StatusOr<v1::StatusResponse> AskStatus(Channel& channel, std::chrono::milliseconds timeout,
                                       const StopPredicate& stop = {});

}  // namespace gorila::rpc

#endif  // GORILA_RPC_ROLE_STATUS_H_
