#include "gorila/launch/roles.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace gorila {
namespace {

constexpr std::array kRoles = {
    RoleRow{Role::kParameterServer, "parameter-server", true,
            [](const Config& config) { return NumberOfShards(config); }},
    RoleRow{Role::kReplay, "replay", true,
            [](const Config& config) { return config.cluster.replays; }},
    RoleRow{Role::kMember, "member", true,
            [](const Config& config) {
              return (config.run.bundles + config.cluster.learners) * (config.learner.members - 1);
            }},
    RoleRow{Role::kBundle, "bundle", false,
            [](const Config& config) { return config.run.bundles; }},
    RoleRow{Role::kActor, "actor", false,
            [](const Config& config) { return config.cluster.actors; }},
    RoleRow{Role::kLearner, "learner", false,
            [](const Config& config) { return config.cluster.learners; }},
};

int CountAll(const Config& config, bool serves) {
  return std::accumulate(kRoles.begin(), kRoles.end(), 0, [&](int sum, const RoleRow& row) {
    return row.serves == serves ? sum + row.count(config) : sum;
  });
}

void Append(std::vector<std::string>& arguments, std::vector<std::string> more) {
  arguments.insert(arguments.end(), std::make_move_iterator(more.begin()),
                   std::make_move_iterator(more.end()));
}

void AppendCredentials(const RoleContext& context, std::string_view name,
                       std::vector<std::string>& arguments) {
  if (!context.metrics.empty()) Append(arguments, {"--metrics-listen", context.metrics});
  Append(arguments, {"--token-file", context.token});
  if (context.tls_folder.empty()) return;
  const std::string stem = fmt::format("{}/{}", context.tls_folder, name);
  Append(arguments, {"--tls-cert", stem + ".crt", "--tls-key", stem + ".key", "--tls-ca",
                     context.tls_folder + "/ca.crt"});
}

std::string_view IndexFlag(Role role) {
  switch (role) {
    case Role::kParameterServer:
      return "--shard";
    case Role::kReplay:
      return "--replay-index";
    case Role::kMember:
      return "--member-index";
    case Role::kBundle:
      return "--bundle-index";
    case Role::kActor:
      return "--actor-index";
    case Role::kLearner:
      return "--learner-index";
  }
  return "";
}

std::vector<std::string> CommandBegin(const RoleContext& context, Role role,
                                      const std::string& index) {
  return {context.program, std::string(RowOf(role).name), "--config",
          context.config,  std::string(IndexFlag(role)),  index};
}

}  // namespace

std::span<const RoleRow> RoleTable() { return kRoles; }

const RoleRow& RowOf(Role role) { return kRoles[static_cast<std::size_t>(role)]; }

std::string ProcessName(Role role, int index) {
  return fmt::format("{}-{}", RowOf(role).name, index);
}

int MetricsPlace(const Config& config, Role role, int index) {
  int place = 1;
  for (const RoleRow& row : kRoles) {
    if (row.role == role) break;
    place += row.count(config);
  }
  return place + index;
}

Status CheckMetricsPorts(const Config& config) {
  const int port = config.cluster.metrics_port;
  const int processes = 1 + CountServers(config) + CountWorkers(config);
  if (port == 0 || port + processes - 1 <= 65535) return OkStatus();
  return InvalidArgument("cluster.metrics_port is {}; expected 0 or at most {}, for {} processes",
                         port, 65536 - processes, processes);
}

int CountServers(const Config& config) { return CountAll(config, true); }
int CountWorkers(const Config& config) { return CountAll(config, false); }

std::vector<std::string> ServerCommand(const RoleContext& context, Role role,
                                       const std::string& index, const ServerContext& server) {
  std::vector<std::string> arguments = CommandBegin(context, role, index);
  Append(arguments, {"--listen", server.listen});
  if (role == Role::kMember) {
    Append(arguments, {"--parameter-servers", context.parameter_servers});
  } else {
    Append(arguments, {"--state-dir", server.state_folder});
  }
  if (!server.address_file.empty()) Append(arguments, {"--address-file", server.address_file});
  AppendCredentials(context, RowOf(role).name, arguments);
  return arguments;
}

std::vector<std::string> WorkerCommand(const RoleContext& context, const Config& config, Role role,
                                       const std::string& index) {
  std::vector<std::string> arguments = CommandBegin(context, role, index);
  if (role == Role::kActor) Append(arguments, {"--actors", std::to_string(config.cluster.actors)});
  Append(arguments, {"--parameter-servers", context.parameter_servers});
  if (role != Role::kBundle) Append(arguments, {"--replays", context.replays});
  if (role != Role::kActor && config.learner.members > 1) {
    Append(arguments, {"--members", context.members});
  }
  AppendCredentials(context, RowOf(role).name, arguments);
  return arguments;
}

std::vector<std::string> CoordinatorCommand(const RoleContext& context,
                                            const std::string& run_folder) {
  std::vector<std::string> arguments = {context.program,
                                        kCoordinatorName,
                                        "--config",
                                        context.config,
                                        "--run-dir",
                                        run_folder,
                                        "--parameter-servers",
                                        context.parameter_servers};
  if (!context.replays.empty()) Append(arguments, {"--replays", context.replays});
  AppendCredentials(context, kOperatorName, arguments);
  return arguments;
}

std::vector<std::string> CertificateNames() {
  std::vector<std::string> names;
  names.reserve(kRoles.size() + 1);
  for (const RoleRow& row : kRoles) names.emplace_back(row.name);
  names.emplace_back(kOperatorName);
  return names;
}

std::string JoinEndpoints(const std::vector<rpc::Endpoint>& endpoints) {
  std::vector<std::string> texts;
  texts.reserve(endpoints.size());
  for (const rpc::Endpoint& endpoint : endpoints) texts.push_back(rpc::ToString(endpoint));
  return fmt::format("{}", fmt::join(texts, ","));
}

}  // namespace gorila
