// Servers and channels together, over loopback and a Unix socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "gorila/base/mutex.h"
#include "gorila/rpc/certificates.h"
#include "gorila/rpc/channel.h"
#include "gorila/rpc/server.h"
#include "gorila/v1/role.pb.h"

namespace gorila::rpc {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr std::size_t kMaxPayload = 3'000'000;
constexpr milliseconds kLong{60'000};

const RunIdentity kIdentity = {.token = "0123456789abcdef", .layout = 77};

// Answers with the header and payload that came, unless the header names something else to do.
StatusOr<Response> Echo(const Request& request) {
  if (request.header == "fail") return Refused(Refusal::kShape, InvalidArgument("not like this"));
  if (request.header == "role") return Response{request.role, nullptr};
  return Response{std::string(request.header), CopyToPayload(request.payload)};
}

std::vector<Method> Methods() {
  return {
      {.name = "test/Echo", .max_payload_bytes = kMaxPayload, .roles = {"bundle"}, .handle = &Echo},
      {.name = "test/Status", .layout_optional = true, .roles = {"status"}, .handle = &Echo}};
}

ServerOptions Options(const std::string& listen = "127.0.0.1:0") {
  return {.listen = ParseEndpoint(listen, /*may_be_any_port=*/true).value(), .identity = kIdentity};
}

std::unique_ptr<Server> StartServer(const ServerOptions& options = Options(),
                                    std::vector<Method> methods = Methods()) {
  auto server = Server::Start(options, std::move(methods));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

Channel Connect(const Server& server, const RunIdentity& identity = kIdentity) {
  return Channel({.endpoint = server.endpoint(),
                  .role = "server",
                  .identity = identity,
                  .shared_memory = false});
}

StatusOr<std::string> CallEcho(Channel& channel, const std::string& header,
                               std::shared_ptr<const Payload> payload = nullptr,
                               std::vector<std::byte>* received = nullptr) {
  CallOptions call{.method = "test/Echo", .header = header, .payload = payload, .timeout = kLong};
  if (received != nullptr) {
    call.sink = [received](std::string_view, std::uint64_t bytes) {
      received->resize(bytes);
      return StatusOr<std::span<std::byte>>(*received);
    };
  }
  return channel.Call(std::move(call));
}

std::shared_ptr<const Payload> Numbers(std::size_t count) {
  auto payload = std::make_shared<Payload>(count * sizeof(float));
  for (std::size_t i = 0; i < count; ++i) payload->floats()[i] = static_cast<float>(i);
  return payload;
}

void ExpectPayloadsOfAllSizesCome(Channel& channel) {
  for (const std::size_t count : {0u, 1u, 1000u, 131072u, 131073u, 700001u}) {
    const auto payload = Numbers(count);
    std::vector<std::byte> received;
    const auto header = CallEcho(channel, "hello", payload, &received);
    ASSERT_TRUE(header.ok()) << header.status();
    EXPECT_EQ(*header, "hello");
    ASSERT_EQ(received.size(), payload->size());
    EXPECT_TRUE(std::equal(received.begin(), received.end(), payload->bytes().begin()));
  }
}

TEST(CallTest, HeadersAndPayloadsComeAndGo) {
  const auto server = StartServer();
  EXPECT_GT(server->endpoint().port, 0);
  Channel channel = Connect(*server);
  ExpectPayloadsOfAllSizesCome(channel);
  EXPECT_EQ(server->refusals().Total(), 0);
  EXPECT_EQ(server->traffic().calls, 6);
  EXPECT_EQ(server->traffic().bytes_received, server->traffic().bytes_sent);
}

TEST(CallTest, WorksOverAUnixSocket) {
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("gorila-call-test-{}", ::getpid());
  const auto server = StartServer(Options("unix:" + path.string()));
  Channel channel = Connect(*server);
  ExpectPayloadsOfAllSizesCome(channel);
}

TEST(CallTest, ManyCallersAtOnce) {
  const auto server = StartServer();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Channel channel = Connect(*server);
      for (int i = 0; i < 20; ++i) {
        const auto payload = Numbers(100'000);
        std::vector<std::byte> received;
        ASSERT_TRUE(CallEcho(channel, "x", payload, &received).ok());
        ASSERT_TRUE(std::equal(received.begin(), received.end(), payload->bytes().begin()));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(server->traffic().calls, 80);
}

// The status of a call that must be refused for `refusal`, which is counted once.
void ExpectCounted(const Server& server, const Status& status, Refusal refusal) {
  EXPECT_EQ(RefusalOf(status), refusal) << status;
  EXPECT_EQ(server.refusals().count(refusal), 1);
  EXPECT_EQ(server.refusals().Total(), 1);
}

TEST(CallTest, AnotherRunsTokenIsRefused) {
  const auto server = StartServer();
  Channel channel = Connect(*server, {.token = "fedcba9876543210", .layout = 77});
  const Status status = CallEcho(channel, "x").status();
  EXPECT_TRUE(absl::IsUnauthenticated(status));
  ExpectCounted(*server, status, Refusal::kToken);
}

TEST(CallTest, AnotherLayoutIsRefused) {
  const auto server = StartServer();
  Channel channel = Connect(*server, {.token = kIdentity.token, .layout = 78});
  const Status status = CallEcho(channel, "x").status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("000000000000004e"));
  ExpectCounted(*server, status, Refusal::kLayout);
}

TEST(CallTest, OnlySomeMethodsTakeCallersWithoutALayout) {
  const auto server = StartServer();
  Channel channel = Connect(*server, {.token = kIdentity.token, .layout = std::nullopt});
  EXPECT_TRUE(channel.Call({.method = "test/Status", .header = "x", .timeout = kLong}).ok());
  ExpectCounted(*server, CallEcho(channel, "x").status(), Refusal::kLayout);
}

TEST(CallTest, UnknownMethodsAreRefused) {
  const auto server = StartServer();
  Channel channel = Connect(*server);
  const Status status =
      channel.Call({.method = "test/Nothing", .header = "", .timeout = kLong}).status();
  EXPECT_TRUE(absl::IsUnimplemented(status));
  ExpectCounted(*server, status, Refusal::kMethod);
}

TEST(CallTest, OversizedPayloadsAreRefused) {
  const auto server = StartServer();
  Channel channel = Connect(*server);
  const Status status = CallEcho(channel, "x", std::make_shared<Payload>(kMaxPayload + 1)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("3000001"));
  ExpectCounted(*server, status, Refusal::kOversized);
}

TEST(CallTest, AHandlersRefusalIsCountedAndNamed) {
  const auto server = StartServer();
  Channel channel = Connect(*server);
  const Status status = CallEcho(channel, "fail").status();
  EXPECT_EQ(status.message(), "not like this");
  ExpectCounted(*server, status, Refusal::kShape);
}

TEST(CallTest, DeadlinesThatAreTooFarAwayAreRefused) {
  const auto server = StartServer();
  Channel channel = Connect(*server);
  const Status status =
      channel.Call({.method = "test/Echo", .header = "", .timeout = std::chrono::hours(1)})
          .status();
  ExpectCounted(*server, status, Refusal::kDeadline);
}

TEST(CallTest, ReceivingTooMuchAtOnceIsRefusedAsBusy) {
  ServerOptions options = Options();
  options.max_bytes = 1000;
  const auto server = StartServer(options);
  Channel channel = Connect(*server);
  const Status status = CallEcho(channel, "x", Numbers(1000)).status();
  EXPECT_TRUE(IsRetryable(status));
  ExpectCounted(*server, status, Refusal::kBusy);
}

TEST(CallTest, AMessageLargerThanGrpcAllowsIsRefused) {
  const auto server = StartServer();
  Channel channel = Connect(*server);
  EXPECT_FALSE(CallEcho(channel, std::string(kMaxPayload * 2, 'x')).ok());
  EXPECT_TRUE(CallEcho(channel, "x").ok()) << "the server goes on";
  EXPECT_EQ(server->traffic().calls, 2);
}

TEST(CallTest, AnUnexpectedPayloadOrTheSinksErrorFailsTheCall) {
  const auto server = StartServer();
  Channel channel = Connect(*server);
  EXPECT_TRUE(absl::IsDataLoss(CallEcho(channel, "x", Numbers(1)).status()));
  CallOptions call{.method = "test/Echo", .header = "x", .payload = Numbers(500'000)};
  call.timeout = kLong;
  call.sink = [](std::string_view, std::uint64_t) -> StatusOr<std::span<std::byte>> {
    return NotFound("no room");
  };
  EXPECT_TRUE(absl::IsNotFound(channel.Call(std::move(call)).status()));
}

// A handler that waits until the test lets it go, or the caller is gone.
class Gate {
 public:
  Method AsMethod() {
    return {.name = "test/Wait", .handle = [this](const Request& request) -> StatusOr<Response> {
              entered_ = true;
              while (!open_ && !request.cancelled()) std::this_thread::yield();
              left_ = true;
              return Response{};
            }};
  }
  void Open() { open_ = true; }
  void WaitUntilEntered() const {
    while (!entered_) std::this_thread::yield();
  }
  bool left() const { return left_; }

 private:
  std::atomic<bool> entered_{false};
  std::atomic<bool> open_{false};
  std::atomic<bool> left_{false};
};

TEST(CallTest, EndsAtItsDeadline) {
  Gate gate;
  const auto server = StartServer(Options(), {gate.AsMethod()});
  Channel channel = Connect(*server);
  const Status status =
      channel.Call({.method = "test/Wait", .header = "", .timeout = milliseconds(50)}).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
}

TEST(CallTest, StopEndsACall) {
  Gate gate;
  const auto server = StartServer(Options(), {gate.AsMethod()});
  Channel channel = Connect(*server);
  PendingCall call = channel.Start({.method = "test/Wait", .header = "", .timeout = kLong});
  gate.WaitUntilEntered();
  EXPECT_TRUE(absl::IsCancelled(call.Wait([] { return true; }).status()));
}

TEST(CallTest, AForgottenCallIsCancelled) {
  Gate gate;
  const auto server = StartServer(Options(), {gate.AsMethod()});
  Channel channel = Connect(*server);
  {
    const PendingCall call = channel.Start({.method = "test/Wait", .header = "", .timeout = kLong});
    gate.WaitUntilEntered();
  }
  while (!gate.left()) std::this_thread::yield();
}

TEST(CallTest, TooManyCallsAreRefusedAsBusy) {
  Gate gate;
  ServerOptions options = Options();
  options.max_calls = 1;
  const auto server = StartServer(options, {gate.AsMethod()});
  Channel channel = Connect(*server);
  PendingCall first = channel.Start({.method = "test/Wait", .header = "", .timeout = kLong});
  gate.WaitUntilEntered();
  const Status second =
      channel.Call({.method = "test/Wait", .header = "", .timeout = kLong}).status();
  ExpectCounted(*server, second, Refusal::kBusy);
  gate.Open();
  EXPECT_TRUE(first.Wait().ok());
}

TEST(CallTest, MoreMetadataThanACallNeedsIsRefused) {
  const RunIdentity identity{.token = std::string(5000, 'x'), .layout = 77};
  ServerOptions options = Options();
  options.identity = identity;  // or it would already be refused for its token
  const auto server = StartServer(options);
  Channel channel = Connect(*server, identity);
  EXPECT_FALSE(CallEcho(channel, "x").ok());
  EXPECT_EQ(server->traffic().calls, 0) << "it does not reach us";
}

TEST(CallTest, StoppingCancelsWhatDoesNotEndInTime) {
  Gate gate;
  const auto server = StartServer(Options(), {gate.AsMethod()});
  Channel channel = Connect(*server);
  PendingCall call = channel.Start({.method = "test/Wait", .header = "", .timeout = kLong});
  gate.WaitUntilEntered();
  server->Stop(milliseconds(1));
  const Status status = call.Wait().status();
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(IsRetryable(status)) << status;
  EXPECT_TRUE(gate.left());
}

TEST(CallTest, AnAbsentServerIsAnErrorThatMayPass) {
  auto server = StartServer();
  const Endpoint endpoint = server->endpoint();
  Channel channel = Connect(*server);
  ASSERT_TRUE(CallEcho(channel, "x").ok());
  server.reset();
  const Status status = CallEcho(channel, "x").status();
  EXPECT_TRUE(IsRetryable(status)) << status;
  // Back at the same address.
  server = StartServer(Options(ToString(endpoint)));
  EXPECT_TRUE(Retry({}, {}, [&] { return CallEcho(channel, "x").status(); }).ok());
}

TEST(CallTest, AnAddressIsNeverShared) {
  const auto server = StartServer();
  const auto second = Server::Start(Options(ToString(server->endpoint())), Methods());
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(ToString(server->endpoint())));
}

TEST(CallTest, OffLoopbackWithoutTlsIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(Server::Start(Options("0.0.0.0:0"), {}).status()));
}

TEST(CallTest, ProtobufMessagesAreChecked) {
  const auto server = StartServer();
  Channel channel = Connect(*server);
  v1::RoleStatus request;
  request.set_role("bundle");
  const auto same = channel.CallProto<v1::RoleStatus>("test/Echo", request, kLong);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(same->role(), "bundle");
  EXPECT_TRUE(absl::IsDataLoss(Channel::ParseResponse<v1::RoleStatus>("\xff\xff").status()));
}

class TlsCallTest : public testing::Test {
 protected:
  static TlsIdentity Identity(const RunCertificates& run, std::size_t role) {
    return {run.roles[role].certificate, run.roles[role].key, run.authority.certificate};
  }
  Channel ConnectAs(const Server& server, const TlsIdentity& tls,
                    const std::string& to = "server") {
    return Channel({.endpoint = server.endpoint(), .role = to, .tls = tls, .identity = kIdentity});
  }
  std::unique_ptr<Server> StartTlsServer() {
    ServerOptions options = Options();
    options.tls = Identity(run_, 0);
    return StartServer(options);
  }

  const std::vector<std::string> roles_ = {"server", "bundle", "intruder"};
  const RunCertificates run_ = MakeCertificates(roles_, 1).value();
};

TEST_F(TlsCallTest, RolesMeetAndPayloadsCome) {
  const auto server = StartTlsServer();
  Channel channel = ConnectAs(*server, Identity(run_, 1));
  ExpectPayloadsOfAllSizesCome(channel);
  EXPECT_EQ(CallEcho(channel, "role").value(), "bundle");
}

TEST_F(TlsCallTest, ARoleThatMayNotCallIsRefused) {
  const auto server = StartTlsServer();
  Channel channel = ConnectAs(*server, Identity(run_, 2));
  const Status status = CallEcho(channel, "x").status();
  EXPECT_TRUE(absl::IsPermissionDenied(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("'intruder'"));
  ExpectCounted(*server, status, Refusal::kRole);
}

TEST_F(TlsCallTest, CallersWithoutACertificateOfTheRunDoNotGetIn) {
  const auto server = StartTlsServer();
  const RunCertificates other = MakeCertificates(roles_, 1).value();
  TlsIdentity foreign = Identity(other, 1);
  foreign.authority = run_.authority.certificate;
  Channel with_foreign = ConnectAs(*server, foreign);
  EXPECT_FALSE(CallEcho(with_foreign, "x").ok());
  Channel without = Connect(*server);
  EXPECT_FALSE(CallEcho(without, "x").ok());
  EXPECT_EQ(server->traffic().calls, 0);
}

TEST_F(TlsCallTest, AServerOfAnotherRoleIsNotTrusted) {
  const auto server = StartTlsServer();
  Channel channel = ConnectAs(*server, Identity(run_, 1), "replay");
  EXPECT_FALSE(CallEcho(channel, "x").ok());
  EXPECT_EQ(server->traffic().calls, 0);
}

}  // namespace
}  // namespace gorila::rpc
