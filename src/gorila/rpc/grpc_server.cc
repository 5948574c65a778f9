#include <grpcpp/resource_quota.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gorila/rpc/call_threads.h"
#include "gorila/rpc/network.h"
#include "gorila/rpc/server_call.h"

namespace gorila::rpc {
namespace {

using SystemClock = std::chrono::system_clock;
using Acceptor = grpc::experimental::ExternalConnectionAcceptor;

// For all connections together: what gRPC buffers for calls in progress.
constexpr std::size_t kTransportBytes = std::size_t{512} << 20;
// Calls per connection; a process has a handful.
constexpr int kMaxStreams = 256;
// A peer that acknowledges nothing for this long is gone.
constexpr std::chrono::duration<int, std::milli> kPeerTimeout{5000};
// Ours are a token of at most 256 characters, the layout and a few of gRPC's own.
constexpr int kMaxMetadataBytes = 4 << 10;

// Leaves descriptors for callers with the token: with TLS a stranger takes two.
std::size_t FewerThanDescriptors(std::size_t strangers) {
  rlimit descriptors{};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return strangers;
  return std::clamp<std::size_t>(descriptors.rlim_cur / 4, 1, strangers);
}

// For a call that the gate refuses, which is the only one of its connection.
Status CheckToken(ServerState& state, std::string_view token) {
  Status status = CheckIdentity(state.options.identity, token, {}, /*layout_optional=*/true);
  if (status.ok()) return status;
  state.calls.fetch_add(1);
  state.refusals.Count(Refusal::kToken);
  return status;
}

// A value from a call's metadata; empty when missing.
std::string_view Find(const grpc::GenericCallbackServerContext& context, const char* key) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

class Service final : public grpc::CallbackGenericService {
 public:
  explicit Service(ServerState& state) : state_(state) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    state_.calls.fetch_add(1);
    const bool tls = state_.options.tls.has_value();
    std::string role = tls ? PeerRole(*context->auth_context()) : "";
    const StatusOr<const Method*> method =
        state_.admission->Admit({.method = MethodOf(*context),
                                 .token = Find(*context, kTokenKey),
                                 .layout = Find(*context, kLayoutKey),
                                 .role = role,
                                 .deadline = context->deadline()});
    if (tls && RefusalOf(method.status()) != Refusal::kToken) {
      state_.gate->MarkKnown(context->peer());
    }
    if (!method.ok()) return new RefusedCall(state_, method.status(), *context);
    return new ServerCall(state_, **method, std::move(role), *context);
  }

 private:
  // Without the slash that gRPC begins it with.
  static std::string_view MethodOf(const grpc::GenericCallbackServerContext& context) {
    const std::string_view path = context.method();
    return path.starts_with('/') ? path.substr(1) : path;
  }

  ServerState& state_;
};

// Adds the method that offers memory, open to every role that may call any of the methods.
std::vector<Method> WithShare(ServerState& state, std::vector<Method> methods) {
  if (!state.options.shared_memory) return methods;
  Method share{
      .name = kShareMethod, .layout_optional = true, .handle = [&state](const Request& request) {
        return state.memories.Share(request);
      }};
  for (const Method& method : methods) {
    share.roles.insert(share.roles.end(), method.roles.begin(), method.roles.end());
  }
  methods.push_back(std::move(share));
  return methods;
}

// Of callers with the token or, under TLS, a certificate: others do not get past the gate.
void SetLimits(grpc::ServerBuilder& builder, std::chrono::milliseconds patience) {
  grpc::ResourceQuota quota("gorila_server");
  quota.Resize(kTransportBytes);
  builder.SetResourceQuota(quota);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreams);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             static_cast<int>(patience.count()));
}

void SetArguments(grpc::ServerBuilder& builder, const Endpoint& endpoint) {
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  if (!endpoint.unix_socket) {
    builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  }
  // Notices a peer that vanished (its machine was cut off, the process stopped).
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 2000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPeerTimeout.count());
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Allows the clients' own pings.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 200);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
}

class GrpcServer final : public Server {
 public:
  GrpcServer(const ServerOptions& options, std::vector<Method> methods)
      : endpoint_(options.listen), state_(options), service_(state_) {
    state_.admission =
        std::make_unique<Admission>(state_.options, WithShare(state_, std::move(methods)));
  }
  ~GrpcServer() override { StopServing(std::chrono::seconds(1)); }

  Status Listen();

  const Endpoint& endpoint() const override { return endpoint_; }
  ServerTraffic traffic() const override;
  const RefusalCounters& refusals() const override { return state_.refusals; }
  void Stop(std::chrono::milliseconds grace) override { StopServing(grace); }

 private:
  StatusOr<std::unique_ptr<Gate>> OpenGate(std::shared_ptr<Acceptor> acceptor,
                                           ListeningSockets sockets);
  void StopServing(std::chrono::milliseconds grace);

  Endpoint endpoint_;
  ServerState state_;
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

Status GrpcServer::Listen() {
  GORILA_ASSIGN_OR_RETURN(ListeningSockets sockets, ListeningSockets::Open(endpoint_));
  endpoint_ = sockets.endpoint();
  grpc::ServerBuilder builder;
  SetArguments(builder, endpoint_);
  SetLimits(builder, state_.options.stranger_patience);
  std::shared_ptr<Acceptor> acceptor = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      MakeServerCredentials(state_.options.tls));
  builder.RegisterCallbackGenericService(&service_);
  state_.workers = std::make_unique<WorkerPool>();
  GORILA_RETURN_IF_ERROR(state_.workers->Start(state_.options.workers));
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    return Unavailable("cannot serve at '{}': certificate and key do not belong together",
                       ToString(endpoint_));
  }
  // Calls that the gate admits use it, so it is stored before its thread starts.
  GORILA_ASSIGN_OR_RETURN(state_.gate, OpenGate(std::move(acceptor), std::move(sockets)));
  return state_.gate->Start();
}

StatusOr<std::unique_ptr<Gate>> GrpcServer::OpenGate(std::shared_ptr<Acceptor> acceptor,
                                                     ListeningSockets sockets) {
  ServerState& state = state_;
  return Gate::Open(
      {.tls = state.options.tls.has_value(),
       .max_strangers = FewerThanDescriptors(state.options.max_strangers),
       .patience = state.options.stranger_patience,
       .peer_timeout = kPeerTimeout,
       .check = [&state](std::string_view token) { return CheckToken(state, token); },
       .admit =
           [acceptor = std::move(acceptor)](Descriptor socket, std::string_view read) {
             Acceptor::NewConnectionParameters connection;
             connection.fd = socket.Release();
             const grpc::Slice slice(read.data(), read.size());
             if (!read.empty()) connection.read_buffer = grpc::ByteBuffer(&slice, 1);
             acceptor->HandleNewConnection(&connection);
           }},
      std::move(sockets));
}

ServerTraffic GrpcServer::traffic() const {
  return {state_.calls.load(), state_.bytes_received.load(), state_.bytes_sent.load(),
          state_.bytes_shared.load()};
}

void GrpcServer::StopServing(std::chrono::milliseconds grace) {
  if (state_.gate != nullptr) state_.gate->Stop();
  if (server_ != nullptr) {
    server_->Shutdown(SystemClock::now() + grace);
    server_->Wait();
    server_.reset();
  }
  state_.workers.reset();
}

}  // namespace

StatusOr<std::unique_ptr<Server>> GrpcNetwork::Listen(const ServerOptions& options,
                                                      std::vector<Method> methods) {
  GORILA_RETURN_IF_ERROR(CheckCallThreads());
  auto server = std::make_unique<GrpcServer>(options, std::move(methods));
  GORILA_RETURN_IF_ERROR(server->Listen());
  return server;
}

}  // namespace gorila::rpc
