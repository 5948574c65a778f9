// The processes of a distributed run, role by role, and how each is started: one table for every
// engine.
#ifndef GORILA_LAUNCH_ROLES_H_
#define GORILA_LAUNCH_ROLES_H_

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/rpc/endpoint.h"

namespace gorila {

enum class Role { kParameterServer, kReplay, kMember, kBundle, kActor, kLearner };

struct RoleRow {
  Role role;
  std::string_view name;  // the verb, and the role in its certificate
  bool serves;            // is called; else it calls, and ends with the run
  int (*count)(const Config& config);
};

// Servers first: the others need their addresses.
std::span<const RoleRow> RoleTable();
const RoleRow& RowOf(Role role);

// "bundle-0".
std::string ProcessName(Role role, int index);

// A run's processes have consecutive ports for /metrics where they share a machine: the coordinator
// the first, then servers, then workers, each role in the table's order. The place, from 0, of one
// of them.
int MetricsPlace(const Config& config, Role role, int index);
// InvalidArgument when there are not as many ports.
Status CheckMetricsPorts(const Config& config);

// The processes of all roles that serve, or of all that do not.
int CountServers(const Config& config);
int CountWorkers(const Config& config);

// What an engine decides: texts, because its script may fill them in later.
struct RoleContext {
  std::string program;
  std::string config;      // file
  std::string token;       // file
  std::string tls_folder;  // has ca.crt and of each role <name>.crt and .key; empty: no TLS
  std::string parameter_servers;
  std::string replays;
  std::string members = {};  // of all groups
  std::string metrics = {};  // HOST:PORT of the process's /metrics; empty: none
};

// The options of one server; an empty address file is not written.
struct ServerContext {
  std::string listen;
  std::string state_folder;
  std::string address_file;
};

// The program and its arguments. `index`: a number, or what becomes one.
std::vector<std::string> ServerCommand(const RoleContext& context, Role role,
                                       const std::string& index, const ServerContext& server);
std::vector<std::string> WorkerCommand(const RoleContext& context, const Config& config, Role role,
                                       const std::string& index);
// The process that watches the run into `run_folder` and evaluates it.
std::vector<std::string> CoordinatorCommand(const RoleContext& context,
                                            const std::string& run_folder);

inline constexpr char kCoordinatorName[] = "coordinator";
// Watches or scores a run: the coordinator, gorila status.
inline constexpr char kOperatorName[] = "operator";

// Of every certificate that a run may need.
std::vector<std::string> CertificateNames();

// As --parameter-servers and --replays read them.
std::string JoinEndpoints(const std::vector<rpc::Endpoint>& endpoints);

}  // namespace gorila

#endif  // GORILA_LAUNCH_ROLES_H_
