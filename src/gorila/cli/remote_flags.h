// The options of an actor or learner process: the addresses of its servers.
#ifndef GORILA_CLI_REMOTE_FLAGS_H_
#define GORILA_CLI_REMOTE_FLAGS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/cli/role_flags.h"
#include "gorila/launch/remote_parts.h"

namespace gorila::cli {

// The addresses of --members.
StatusOr<std::vector<rpc::Endpoint>> ParseMembers(std::string_view text);

// Not copied while CLI11 refers to it.
class RemoteFlags {
 public:
  enum class Learns { kNo, kYes };
  void AddTo(CLI::App& app, Learns learns);
  // The option of bundles and learners.
  static void AddMembersTo(CLI::App& app, std::string& members);
  StatusOr<RemoteParts> Load() const;
  StatusOr<std::unique_ptr<RoleMetrics>> StartMetrics() const { return role_.StartMetrics(); }

 private:
  std::string parameter_servers_;
  std::string replays_;
  std::string members_;
  RoleFlags role_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_REMOTE_FLAGS_H_
