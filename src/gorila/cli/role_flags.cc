#include "gorila/cli/role_flags.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

#include "gorila/cli/stop_signal.h"
#include "gorila/rpc/run_identity.h"

namespace gorila::cli {

void CredentialFlags::AddTo(CLI::App& app) {
  app.add_option("--token-file", token_file_,
                 "File with the run's token, the same for all its processes")
      ->type_name("FILE");
  app.add_option("--tls-cert", tls_.certificate,
                 "Certificate of this role; 'gorila certs' makes them")
      ->type_name("FILE");
  app.add_option("--tls-key", tls_.key, "Its private key")->type_name("FILE");
  app.add_option("--tls-ca", tls_.authority, "Certificate of the run's authority")
      ->type_name("FILE");
}

StatusOr<RoleCredentials> CredentialFlags::Load() const {
  RoleCredentials credentials;
  GORILA_ASSIGN_OR_RETURN(credentials.tls, rpc::LoadTls(tls_));
  if (!token_file_.empty()) {
    GORILA_ASSIGN_OR_RETURN(credentials.token, rpc::ReadToken(token_file_));
  }
  return credentials;
}

RoleHooks MakeRoleHooks() {
  CatchStopSignals();
  return {.stop_requested = &StopRequested, .message = [](std::string_view message) {
            const std::time_t now =
                std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
            // One write, so that lines of several threads stay whole.
            const std::string line =
                fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(now), message);
            std::fwrite(line.data(), 1, line.size(), stderr);
          }};
}

}  // namespace gorila::cli
