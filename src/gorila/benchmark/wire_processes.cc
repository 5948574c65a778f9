#include "gorila/benchmark/wire_processes.h"

#include <grpc/grpc.h>

#include <array>
#include <memory>
#include <span>

#include "gorila/launch/run_progress.h"
#include "gorila/parameter_server/optimizer.h"
#include "gorila/parameter_server/partition.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/rpc/server.h"

namespace gorila {
namespace {

// What travels between the processes as it lies in memory.
struct ShardOrder {
  int index = 0;
  int shards = 1;
  WireKind kind;
};
struct ShardAnswer {
  int port = 0;                   // of TCP
  std::array<char, 200> error{};  // ends with a zero; empty: none
};

template <typename Value>
std::span<std::byte> BytesOf(Value& value) {
  return std::as_writable_bytes(std::span<Value>(&value, 1));
}

rpc::Endpoint EndpointOf(const WireRun& run, const ShardOrder& order, int port) {
  if (order.kind.socket == SocketKind::kTcp) return {.host = "127.0.0.1", .port = port};
  return {.host = run.folder / fmt::format("{}-{}", order.shards, order.index),
          .unix_socket = true};
}

// A shard with its server.
struct ServedShard {
  std::unique_ptr<ShardService> service;
  std::unique_ptr<rpc::Server> server;  // gone before the service it calls
};

StatusOr<std::unique_ptr<ServedShard>> ServeShard(const WireRun& run, const ShardOrder& order) {
  GORILA_ASSIGN_OR_RETURN(const std::vector<Slice> partition,
                          MakePartition(run.parameters, order.shards));
  const Slice slice = partition[static_cast<std::size_t>(order.index)];
  const ShardOptions options{.optimizer = {.name = "sgd", .learning_rate = 1e-4}};
  GORILA_ASSIGN_OR_RETURN(auto optimizer, MakeOptimizer(options.optimizer, slice.size()));
  const std::vector<float> values(slice.size(), 0.5F);
  auto served = std::make_unique<ServedShard>();
  served->service = std::make_unique<ShardService>(
      ShardPlace{order.index, order.shards, run.parameters, slice}, /*generation=*/1,
      std::make_unique<ParameterShard>(options, values, std::move(optimizer)),
      std::make_unique<RunProgress>());
  rpc::ServerOptions server{.listen = EndpointOf(run, order, 0),
                            .identity = {.token = run.token, .layout = run.layout}};
  if (order.kind.tls) server.tls = run.parameter_server;
  GORILA_ASSIGN_OR_RETURN(served->server, rpc::Server::Start(server, served->service->Methods()));
  return served;
}

// The child's side: one order after another.
void ServeOrders(const WireRun& run, int socket) {
  // Or gRPC would end with each server, and wait 10 s for connections that their clients still
  // hold.
  grpc_init();
  std::unique_ptr<ServedShard> served;
  ShardOrder order;
  while (ReceiveAll(socket, BytesOf(order)).ok()) {
    served.reset();
    auto next = ServeShard(run, order);
    ShardAnswer answer;
    if (next.ok()) {
      served = *std::move(next);
      answer.port = served->server->endpoint().port;
    } else {
      next.status().message().copy(answer.error.data(), answer.error.size() - 1);
    }
    if (!SendAll(socket, BytesOf(answer)).ok()) return;
  }
}

// The other child's side.
void SendBack(int socket, std::size_t size) {
  std::vector<std::byte> bytes(size);
  while (ReceiveAll(socket, bytes).ok() && SendAll(socket, bytes).ok()) continue;
}

}  // namespace

StatusOr<ShardProcess> ShardProcess::Start(const WireRun& run) {
  GORILA_ASSIGN_OR_RETURN(SocketPair pair, ConnectedSockets(SocketKind::kUnix));
  const int there = pair.there.fd();
  GORILA_ASSIGN_OR_RETURN(ForkedProcess process,
                          ForkedProcess::Start([&run, there] { ServeOrders(run, there); }));
  return ShardProcess(std::move(pair.here), std::move(process), run);
}

StatusOr<rpc::Endpoint> ShardProcess::Serve(int index, int shards, WireKind kind) {
  ShardOrder order{.index = index, .shards = shards, .kind = kind};
  GORILA_RETURN_IF_ERROR(SendAll(socket_.fd(), BytesOf(order)));
  ShardAnswer answer;
  GORILA_RETURN_IF_ERROR(ReceiveAll(socket_.fd(), BytesOf(answer)));
  if (answer.error.front() != 0) return Unavailable("{}", answer.error.data());
  return EndpointOf(*run_, order, answer.port);
}

StatusOr<SocketLimit> SocketLimit::Start(SocketKind kind, std::size_t bytes) {
  GORILA_ASSIGN_OR_RETURN(SocketPair pair, ConnectedSockets(kind));
  const int there = pair.there.fd();
  GORILA_ASSIGN_OR_RETURN(ForkedProcess process,
                          ForkedProcess::Start([there, bytes] { SendBack(there, bytes); }));
  return SocketLimit(std::move(pair.here), std::move(process), bytes);
}

void SocketLimit::Call() {
  Status status = SendAll(socket_.fd(), bytes_);
  if (status.ok()) status = ReceiveAll(socket_.fd(), bytes_);
  GORILA_CHECK(status.ok(), "{}", status.ToString());
}

}  // namespace gorila
