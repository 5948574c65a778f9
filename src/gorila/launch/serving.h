// What the processes that serve (parameter shards, replay shards) have in common.
#ifndef GORILA_LAUNCH_SERVING_H_
#define GORILA_LAUNCH_SERVING_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/checkpoint/state_lock.h"
#include "gorila/launch/role_options.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/server.h"

namespace gorila {

struct ServingOptions {
  int index = 0;  // among the run's servers of this role
  rpc::Endpoint listen;
  bool insecure = false;               // off loopback without TLS
  std::filesystem::path state_folder;  // snapshots and generation; made when it is missing
  // Where it listens is written here, as one line, once it serves. Empty: nowhere.
  std::filesystem::path address_file;
  RoleCredentials credentials;
  // Of parameter servers: what the run stored that it begins with (run/initial_network.h). Empty:
  // they read network.init_from themselves.
  std::filesystem::path initial = {};
};

// The state folder's lock, which the process must hold before it reads there. Blocks until a
// process before it has ended, or as StateLock says.
StatusOr<std::unique_ptr<StateLock>> LockState(const ServingOptions& options,
                                               const RoleHooks& hooks);

// The server of a role, which its handlers may read. One thread; handlers run in others.
class RoleServer {
 public:
  // Gives nothing until the server runs.
  using Lookup = std::function<const rpc::Server*()>;

  // Starts serving what `make_methods` returns, and writes the address file. `layout`: fingerprint
  // of the parameter layout. Errors as rpc::Server::Start.
  Status Start(const ServingOptions& options, std::uint64_t layout, int workers,
               const std::function<std::vector<rpc::Method>(Lookup)>& make_methods);
  // Blocks for at most 2 s, and until running handlers return.
  void Stop();

  // Null until the server runs.
  const rpc::Server* server() const { return serving_.load() ? server_.get() : nullptr; }

  // As text.
  std::string address() const { return rpc::ToString(server_->endpoint()); }

 private:
  std::atomic<bool> serving_{false};  // whether server_ may be read by its own handlers
  std::unique_ptr<rpc::Server> server_;
};

struct SnapshotSchedule {
  double every_seconds = 0;           // 0: none
  std::function<Status()> check;      // FailedPrecondition when this process was replaced
  std::function<Status()> take;       // writes a snapshot
  std::function<Status()> look = {};  // asked several times a second; an error ends the process
  std::chrono::milliseconds check_every{1000};
};

// Takes snapshots until a stop is requested (OK), `look` fails, or `check` or `take` returns
// FailedPrecondition, which means that this process was replaced. Other errors of these two are
// reported, and the next interval tries again: a full disk may have room later. Blocks.
Status TakeSnapshotsUntilStopped(const SnapshotSchedule& schedule, const RoleHooks& hooks);

}  // namespace gorila

#endif  // GORILA_LAUNCH_SERVING_H_
