// The other ends of the wire benchmark: parameter shards and a raw socket, in processes of their
// own. All must be started before gRPC is.
#ifndef GORILA_BENCHMARK_WIRE_PROCESSES_H_
#define GORILA_BENCHMARK_WIRE_PROCESSES_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/benchmark/forked_process.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/security.h"

namespace gorila {

// What the shards and their client agree on.
struct WireRun {
  std::size_t parameters = 0;    // floats in the flat vector
  std::filesystem::path folder;  // of Unix sockets
  rpc::TlsIdentity parameter_server, learner;
  std::string token = "benchmark-of-the-wire";
  std::uint64_t layout = 1;
};

// One transport that is measured.
struct WireKind {
  SocketKind socket = SocketKind::kTcp;
  bool tls = false;
  bool shared_memory = false;  // for what the socket would carry otherwise
};

// A process that serves one shard at a time, with plain descent. One thread at a time.
class ShardProcess {
 public:
  // Borrows `run`.
  static StatusOr<ShardProcess> Start(const WireRun& run);

  // Serves shard `index` of `shards`, at version 0, in the place of what it served before. Gives
  // where. Blocks until it listens; Unavailable with the process's own reason when it cannot.
  StatusOr<rpc::Endpoint> Serve(int index, int shards, WireKind kind);

 private:
  ShardProcess(OwnedSocket socket, ForkedProcess process, const WireRun& run)
      : run_(&run), socket_(std::move(socket)), process_(std::move(process)) {}

  const WireRun* run_;
  OwnedSocket socket_;
  ForkedProcess process_;
};

// As many bytes there and back again through one socket, blocking send and recv alone: what the
// system can do. One thread at a time.
class SocketLimit {
 public:
  static StatusOr<SocketLimit> Start(SocketKind kind, std::size_t bytes);
  // Sends them all, then receives as many.
  void Call();

 private:
  SocketLimit(OwnedSocket socket, ForkedProcess process, std::size_t bytes)
      : socket_(std::move(socket)), process_(std::move(process)), bytes_(bytes) {}

  OwnedSocket socket_;
  ForkedProcess process_;
  std::vector<std::byte> bytes_;
};

}  // namespace gorila

#endif  // GORILA_BENCHMARK_WIRE_PROCESSES_H_
