#include "gorila/cli/remote_flags.h"

#include <CLI/App.hpp>

#include "gorila/rpc/endpoint.h"

namespace gorila::cli {

void RemoteFlags::AddTo(CLI::App& app, Learns learns) {
  app.add_option("--parameter-servers", parameter_servers_,
                 "Addresses of all parameter servers, in their order")
      ->required()
      ->type_name("ADDRESS,...");
  app.add_option("--replays", replays_,
                 "Addresses of all replay shards, in the same order for every process")
      ->required()
      ->type_name("ADDRESS,...");
  if (learns == Learns::kYes) AddMembersTo(app, members_);
  role_.AddTo(app, kInsecureMetrics);
}

void RemoteFlags::AddMembersTo(CLI::App& app, std::string& members) {
  app.add_option("--members", members,
                 "With learner.members: addresses of the members of all groups, in their order")
      ->type_name("ADDRESS,...");
}

StatusOr<std::vector<rpc::Endpoint>> ParseMembers(std::string_view text) {
  auto members = rpc::ParseEndpoints(text);
  if (!members.ok()) return Annotate(members.status(), "--members");
  return members;
}

StatusOr<RemoteParts> RemoteFlags::Load() const {
  RemoteParts parts;
  GORILA_ASSIGN_OR_RETURN(parts.parameter_servers, rpc::ParseEndpoints(parameter_servers_));
  GORILA_ASSIGN_OR_RETURN(parts.replays, rpc::ParseEndpoints(replays_));
  if (!members_.empty()) {
    GORILA_ASSIGN_OR_RETURN(parts.members, ParseMembers(members_));
  }
  GORILA_ASSIGN_OR_RETURN(parts.credentials, role_.Load());
  return parts;
}

}  // namespace gorila::cli
