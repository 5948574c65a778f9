// Gradients and parameters between processes, against a raw socket that moves as many bytes.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "gorila/base/denormals.h"
#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/benchmark/wire_processes.h"
#include "gorila/benchmark/workload.h"
#include "gorila/parameter_server/remote/remote_store.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/rpc/certificates.h"

namespace gorila {
namespace {

constexpr int kMostShards = 4;
constexpr char kLearnerRole[] = "learner";

// An empty folder that is removed with its contents.
class ScratchFolder {
 public:
  static StatusOr<std::unique_ptr<ScratchFolder>> Make() {
    std::string path = std::filesystem::temp_directory_path() / "gorila-wire-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return Unavailable("cannot make '{}': {}", path, std::strerror(errno));
    }
    return std::unique_ptr<ScratchFolder>(new ScratchFolder(std::move(path)));
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path path_;
};

StatusOr<WireRun> MakeRun(const std::filesystem::path& folder) {
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network,
                          MakeNetworkSpec("nature_dqn", PublishedEnvironment("nature_dqn")));
  const std::array<std::string, 2> roles = {kParameterServerRole, kLearnerRole};
  GORILA_ASSIGN_OR_RETURN(const rpc::RunCertificates made,
                          rpc::MakeCertificates(roles, /*days=*/1));
  const auto identity = [&made](const rpc::PemPair& role) {
    return rpc::TlsIdentity{role.certificate, role.key, made.authority.certificate};
  };
  return WireRun{.parameters = MakeParameterLayout(network).size,
                 .folder = folder,
                 .parameter_server = identity(made.roles[0]),
                 .learner = identity(made.roles[1])};
}

// All other ends, started before this process's gRPC is.
struct OtherEnds {
  std::vector<ShardProcess> shards;
  std::vector<SocketLimit> limits;  // by SocketKind
};

StatusOr<OtherEnds> StartOtherEnds(const WireRun& run) {
  OtherEnds ends;
  ends.shards.reserve(kMostShards);
  for (int i = 0; i < kMostShards; ++i) {
    GORILA_ASSIGN_OR_RETURN(ShardProcess shard, ShardProcess::Start(run));
    ends.shards.push_back(std::move(shard));
  }
  for (const SocketKind kind : {SocketKind::kUnix, SocketKind::kTcp}) {
    GORILA_ASSIGN_OR_RETURN(SocketLimit limit,
                            SocketLimit::Start(kind, run.parameters * sizeof(float)));
    ends.limits.push_back(std::move(limit));
  }
  return ends;
}

StatusOr<std::unique_ptr<RemoteParameterStore>> ConnectTo(OtherEnds& ends, const WireRun& run,
                                                          int shards, WireKind kind) {
  RemoteStoreOptions options{.endpoints = {},
                             .token = run.token,
                             .layout = run.layout,
                             .parameters = run.parameters,
                             .client = 1,
                             .retry = {.patience = std::chrono::seconds(10)},
                             .shared_memory = kind.shared_memory};
  if (kind.tls) options.tls = run.learner;
  for (int i = 0; i < shards; ++i) {
    GORILA_ASSIGN_OR_RETURN(rpc::Endpoint endpoint,
                            ends.shards[static_cast<std::size_t>(i)].Serve(i, shards, kind));
    options.endpoints.push_back(std::move(endpoint));
  }
  return RemoteParameterStore::Connect(options);
}

// A learner's exchange with the parameter server: a gradient there, the parameters back.
class Exchange {
 public:
  explicit Exchange(RemoteParameterStore& store)
      : store_(store),
        gradient_(store.size(), 1e-3F),
        parameters_(store.size()),
        versions_(static_cast<std::size_t>(store.num_shards()), -1) {
    Pull();
    for (int i = 0; i < kFirstCalls; ++i) Call();
  }

  void Call() {
    const auto outcome = store_.Push(gradient_, versions_);
    GORILA_CHECK(outcome.ok(), "{}", outcome.status().ToString());
    GORILA_CHECK(outcome->accepted == store_.num_shards(), "{} accepted", outcome->accepted);
    Pull();
  }

 private:
  static constexpr int kFirstCalls = 4;  // until memory is shared, if it is

  void Pull() {
    const auto changed = store_.Pull(parameters_, versions_);
    GORILA_CHECK(changed.ok() && *changed, "{}", changed.status().ToString());
  }

  RemoteParameterStore& store_;
  std::vector<float> gradient_, parameters_;
  ShardVersions versions_;
};

StatusOr<BenchmarkResult> MeasureWire(OtherEnds& ends, const WireRun& run, int shards,
                                      WireKind kind, double seconds) {
  GORILA_ASSIGN_OR_RETURN(const auto store, ConnectTo(ends, run, shards, kind));
  Exchange exchange(*store);
  SocketLimit& socket = ends.limits[static_cast<std::size_t>(kind.socket)];
  const double amount = 2e-9 * sizeof(float) * static_cast<double>(run.parameters);
  const TimedWork limit{.call = [&] { socket.Call(); }, .amount = amount};
  const std::string_view socket_name = kind.socket == SocketKind::kUnix ? "unix" : "tcp";
  const std::string_view name = kind.shared_memory ? "memory" : socket_name;
  return Measure({.name = fmt::format("wire/{}/{}/{}", name, kind.tls ? "tls" : "plain", shards),
                  .unit = "GB/s",
                  .limit_name = "raw socket"},
                 seconds, WallSeconds, {.call = [&] { exchange.Call(); }, .amount = amount},
                 &limit);
}

}  // namespace

// 1, 2 and 4 shards with plain descent, each in a process of its own; the limit is one socket of
// the same kind (TCP for shared memory) without TLS.
StatusOr<std::vector<BenchmarkResult>> RunWireBenchmark(const BenchmarkOptions& options) {
  FlushDenormalsInThisThread();
  GORILA_ASSIGN_OR_RETURN(const auto folder, ScratchFolder::Make());
  GORILA_ASSIGN_OR_RETURN(const WireRun run, MakeRun(folder->path()));
  GORILA_ASSIGN_OR_RETURN(OtherEnds ends, StartOtherEnds(run));
  std::vector<BenchmarkResult> results;
  for (WireKind kind : {WireKind{.shared_memory = true}, WireKind{.socket = SocketKind::kTcp},
                        WireKind{.socket = SocketKind::kUnix}}) {
    for (const bool tls : {false, true}) {
      kind.tls = tls;
      for (int shards = 1; shards <= kMostShards; shards *= 2) {
        GORILA_ASSIGN_OR_RETURN(BenchmarkResult result,
                                MeasureWire(ends, run, shards, kind, options.seconds));
        results.push_back(std::move(result));
      }
    }
  }
  return results;
}

}  // namespace gorila
