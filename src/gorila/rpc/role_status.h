// The part of a RoleStatus that every process reports, whatever its role.
#ifndef GORILA_RPC_ROLE_STATUS_H_
#define GORILA_RPC_ROLE_STATUS_H_

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

}  // namespace gorila::rpc

#endif  // GORILA_RPC_ROLE_STATUS_H_
