#include "gorila/cli/serving_flags.h"

#include <CLI/App.hpp>

#include "gorila/cli/number_flag.h"
#include "gorila/rpc/endpoint.h"

namespace gorila::cli {

void ServingFlags::AddTo(CLI::App& app, const std::string& index_flag, State state) {
  AddNumber(app, index_flag, index_, {.units = false},
            state == State::kKept ? "Which shard this is, from 0"
                                  : "Which member of all groups this is, from 0");
  if (state == State::kKept) {
    app.add_option("--state-dir", state_folder_, "Folder of this shard's snapshots")
        ->required()
        ->type_name("DIR");
  }
  app.add_option("--listen", listen_,
                 "host:port or unix:/path (default: any free port of 127.0.0.1)")
      ->type_name("ADDRESS");
  app.add_option("--address-file", address_file_, "Write the address to this file once it listens")
      ->type_name("FILE");
  role_.AddTo(
      app, "Listen off loopback without certificates: anybody on the network can read and write");
}

StatusOr<ServingOptions> ServingFlags::Load() const {
  ServingOptions options;
  options.index = index_;
  options.insecure = role_.insecure();
  options.state_folder = state_folder_;
  options.address_file = address_file_;
  GORILA_ASSIGN_OR_RETURN(options.listen, rpc::ParseEndpoint(listen_, /*may_be_any_port=*/true));
  GORILA_ASSIGN_OR_RETURN(options.credentials, role_.Load());
  return options;
}

}  // namespace gorila::cli
