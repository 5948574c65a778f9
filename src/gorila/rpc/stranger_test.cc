// What callers without the run's token can do to a real server, and what they cannot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "gorila/rpc/certificates.h"
#include "gorila/rpc/channel.h"
#include "gorila/rpc/raw_frames.h"
#include "gorila/rpc/server.h"

namespace gorila::rpc {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{60'000};
const RunIdentity kIdentity = {.token = "0123456789abcdef", .layout = 77};

class StrangerTest : public testing::Test {
 protected:
  // A server whose method "test/Wait" answers when `open_`, with what came.
  void Start(ServerOptions options = {}) {
    if (options.listen.host.empty()) options.listen = {.host = "127.0.0.1"};
    options.identity = kIdentity;
    auto server =
        Server::Start(options, {{.name = "test/Wait",
                                 .max_payload_bytes = 1 << 24,
                                 .roles = {"bundle"},
                                 .handle = [this](const Request& request) -> StatusOr<Response> {
                                   entered_ = true;
                                   while (!open_ && !request.cancelled()) std::this_thread::yield();
                                   return Response{std::to_string(request.payload.size()), nullptr};
                                 }}});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  Channel Connect(const std::optional<TlsIdentity>& tls = {}) const {
    return Channel({.endpoint = server_->endpoint(),
                    .role = "server",
                    .tls = tls,
                    .identity = kIdentity,
                    .shared_memory = false});
  }

  PendingCall StartCall(Channel& channel, std::size_t bytes = 0) {
    CallOptions call{.method = "test/Wait", .header = "x", .timeout = kLong};
    if (bytes > 0) call.payload = std::make_shared<Payload>(bytes);
    return channel.Start(std::move(call));
  }

  int port() const { return server_->endpoint().port; }

  std::atomic<bool> entered_{false};
  std::atomic<bool> open_{true};
  std::unique_ptr<Server> server_;  // last: its handlers use all others
};

TEST_F(StrangerTest, AFloodIsCutAndReachesGrpcNever) {
  Start();
  const std::string floods[] = {RawFrame(1, 4, 1, RawField(":path", "/test/Wait")),
                                RawFrame(9, 0, 1, std::string(1000, 'x'))};
  for (const std::string& frame : floods) {
    RawPeer stranger(port());
    ASSERT_TRUE(stranger.Send(RawOpening()));
    std::string many;
    while (many.size() < 100'000) many += frame;
    int sent = 0;
    while (stranger.Send(many)) ASSERT_LT(++sent, 1000);
  }
  EXPECT_EQ(server_->traffic().calls, 1) << "of each connection one call at most";
  EXPECT_EQ(server_->refusals().count(Refusal::kToken), 1);
}

TEST_F(StrangerTest, WhoHasTheTokenMaySendMuchMore) {
  Start();
  Channel channel = Connect();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(StartCall(channel, 5'000'000).Wait().value(), "5000000");
  }
  EXPECT_EQ(server_->refusals().Total(), 0);
}

TEST_F(StrangerTest, ManyWhoSayNothingKeepNobodyOut) {
  ServerOptions options;
  options.max_strangers = 4;
  Start(options);
  std::deque<RawPeer> strangers;
  for (int i = 0; i < 20; ++i) strangers.emplace_back(port());
  Channel channel = Connect();
  EXPECT_TRUE(StartCall(channel).Wait().ok());
  for (int i = 0; i < 15; ++i) strangers[static_cast<std::size_t>(i)].ReadToEnd();
}

TEST_F(StrangerTest, StopEndsWhileTheirConnectionsAreOpen) {
  Start();
  RawPeer silent(port()), slow(port());
  ASSERT_TRUE(slow.Send(RawOpening()));
  silent.Read(9);
  Channel channel = Connect();
  ASSERT_TRUE(StartCall(channel).Wait().ok());
  server_->Stop(milliseconds(1));
  EXPECT_EQ(silent.ReadToEnd(), "");
}

class TlsStrangerTest : public StrangerTest {
 protected:
  static TlsIdentity Identity(const RunCertificates& run, std::size_t role) {
    return {run.roles[role].certificate, run.roles[role].key, run.authority.certificate};
  }

  const std::vector<std::string> roles_ = {"server", "bundle"};
  const RunCertificates run_ = MakeCertificates(roles_, 1).value();
};

TEST_F(TlsStrangerTest, ACallerIsNoStrangerAnyLonger) {
  open_ = false;
  ServerOptions options;
  options.tls = Identity(run_, 0);
  options.max_strangers = 1;
  Start(options);
  Channel channel = Connect(Identity(run_, 1));
  PendingCall call = StartCall(channel);
  while (!entered_ && !call.done()) std::this_thread::yield();
  RawPeer first(port()), second(port());
  first.ReadToEnd();
  EXPECT_TRUE(second.IsOpen());
  open_ = true;
  const auto answer = call.Wait();
  EXPECT_TRUE(answer.ok()) << answer.status() << ": its connection is the oldest, and was cut";
}

}  // namespace
}  // namespace gorila::rpc
