#include "gorila/cli/remote_flags.h"

#include <CLI/App.hpp>

#include "gorila/rpc/endpoint.h"

namespace gorila::cli {

void RemoteFlags::AddTo(CLI::App& app) {
  app.add_option("--parameter-servers", parameter_servers_,
                 "Addresses of all parameter servers, in their order")
      ->required()
      ->type_name("ADDRESS,...");
  app.add_option("--replays", replays_,
                 "Addresses of all replay shards, in the same order for every process")
      ->required()
      ->type_name("ADDRESS,...");
  role_.AddTo(app, kInsecureMetrics);
}

StatusOr<RemoteParts> RemoteFlags::Load() const {
  RemoteParts parts;
  GORILA_ASSIGN_OR_RETURN(parts.parameter_servers, rpc::ParseEndpoints(parameter_servers_));
  GORILA_ASSIGN_OR_RETURN(parts.replays, rpc::ParseEndpoints(replays_));
  GORILA_ASSIGN_OR_RETURN(parts.credentials, role_.Load());
  return parts;
}

}  // namespace gorila::cli
