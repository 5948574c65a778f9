// The options that the verbs of a distributed run share: the run's token and certificates.
#ifndef GORILA_CLI_ROLE_FLAGS_H_
#define GORILA_CLI_ROLE_FLAGS_H_

#include <filesystem>

#include "gorila/base/status.h"
#include "gorila/rpc/security.h"
#include "gorila/runtime/distributed/role_options.h"

namespace CLI {
class App;
}

namespace gorila::cli {

// Not copied while CLI11 refers to it.
class CredentialFlags {
 public:
  void AddTo(CLI::App& app);
  StatusOr<RoleCredentials> Load() const;

 private:
  std::filesystem::path token_file_;
  rpc::TlsFiles tls_;
};

// Stops at the first SIGINT or SIGTERM; messages go to stderr, a line each with the time.
RoleHooks MakeRoleHooks();

}  // namespace gorila::cli

#endif  // GORILA_CLI_ROLE_FLAGS_H_
