// What a launched run's directory has beside the files of a run in one process:
//
//   token                        the run's secret
//   certs/                       of a run over several machines: its authority and roles
//   addresses/<server>           where each server listens, as "host:port"
//   servers/<server>/            snapshots and generation of each server
//   servers/made_with.json       the keys that the snapshots depend on
//   logs/<process>.log           what each process said
//   initial.safetensors          what the run begins with, if that is another network's
//   milestones/                  networks that are kept for good (run/milestones.h)
//   best.safetensors             the best network of the periodic evaluations
//   pending-<frames>.safetensors networks that wait for their periodic evaluation
//
// <server> is parameter-server-<i> or replay-<i>.
#ifndef GORILA_LAUNCH_LAUNCH_FILES_H_
#define GORILA_LAUNCH_LAUNCH_FILES_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/launch/role_options.h"
#include "gorila/launch/roles.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/run/resume_rules.h"

namespace gorila {

struct LaunchFiles {
  explicit LaunchFiles(std::filesystem::path run_directory) : run(std::move(run_directory)) {}
  std::filesystem::path config() const { return run / "config.toml"; }
  std::filesystem::path token() const { return run / "token"; }
  std::filesystem::path certificates() const { return run / "certs"; }
  std::filesystem::path addresses() const { return run / "addresses"; }
  std::filesystem::path servers() const { return run / "servers"; }
  std::filesystem::path made_with() const { return servers() / "made_with.json"; }
  std::filesystem::path logs() const { return run / "logs"; }
  std::filesystem::path best() const { return run / "best.safetensors"; }
  std::filesystem::path pending(std::int64_t frames) const {
    return run / fmt::format("pending-{}.safetensors", frames);
  }
  // Whose networks wait, the smallest number of frames first.
  std::vector<std::filesystem::path> AllPending() const;

  std::filesystem::path run;
};

// Makes the folders among them.
Status MakeLaunchFolders(const LaunchFiles& files);

// What the servers' state depends on: what WriteMadeWith() wrote, else what `config`, the run's
// own, says. DataLoss for a damaged file.
StatusOr<MadeWith> ReadMadeWith(const LaunchFiles& files, const Config& config);
Status WriteMadeWith(const LaunchFiles& files, const Config& config);

// The addresses that the servers of a role wrote, in their order. NotFound when one is missing.
StatusOr<std::vector<rpc::Endpoint>> ReadAddresses(const LaunchFiles& files, const Config& config,
                                                   Role role);

// The credentials for watching a run: its token, and the operator's certificate where it has one.
StatusOr<RoleCredentials> OperatorCredentials(const LaunchFiles& files);

}  // namespace gorila

#endif  // GORILA_LAUNCH_LAUNCH_FILES_H_
