// The gate on real loopback connections, with this test in gRPC's place.
#include "gorila/rpc/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "gorila/rpc/call_opening.h"
#include "gorila/rpc/raw_frames.h"
#include "gorila/rpc/refusal.h"

namespace gorila::rpc {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kToken[] = "0123456789abcdef";

std::string Call(std::string_view token) {
  return RawFrame(1, 4, 1, RawField("gorila-token", token));
}

class GateTest : public testing::Test {
 protected:
  void Open(GateOptions options, const char* listen = "127.0.0.1:0") {
    options.check = [this](std::string_view token) {
      ++checked_;
      if (token == kToken) return OkStatus();
      return Refused(Refusal::kToken, absl::UnauthenticatedError("not this run's token"));
    };
    options.admit = [this](Descriptor socket, std::string_view read) {
      const MutexLock lock(mutex_);
      admitted_.emplace_back(std::move(socket), std::string(read));
      changed_.NotifyAll();
    };
    auto sockets = ListeningSockets::Open(ParseEndpoint(listen, true).value());
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    port_ = sockets->endpoint().port;
    auto gate = Gate::Open(std::move(options), *std::move(sockets));
    ASSERT_TRUE(gate.ok()) << gate.status();
    gate_ = *std::move(gate);
    ASSERT_TRUE(gate_->Start().ok());
  }

  // Blocks until a connection is admitted; what was read of it.
  std::pair<Descriptor, std::string> TakeAdmitted() {
    const MutexLock lock(mutex_);
    while (admitted_.empty()) changed_.Wait(mutex_);
    auto taken = std::move(admitted_.front());
    admitted_.pop_front();
    return taken;
  }

  std::size_t admitted() {
    const MutexLock lock(mutex_);
    return admitted_.size();
  }

  void WaitForStrangers(std::size_t count) const {
    while (gate_->strangers() != count) std::this_thread::yield();
  }

  int port_ = 0;
  std::atomic<int> checked_{0};
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::pair<Descriptor, std::string>> admitted_ GORILA_GUARDED_BY(mutex_);
  std::unique_ptr<Gate> gate_;  // last: its thread uses all others
};

TEST_F(GateTest, AdmitsWhoShowsTheTokenWithAllThatWasRead) {
  Open({});
  RawPeer peer(port_);
  EXPECT_EQ(peer.Read(OpeningSettings().size()), OpeningSettings());
  ASSERT_TRUE(peer.Send(RawOpening() + RawFrame(4, 1, 0, "") + Call(kToken) + "more"));
  const auto [socket, read] = TakeAdmitted();
  EXPECT_EQ(read, RawOpening() + Call(kToken) + "more") << "without the acknowledgement";
  EXPECT_EQ(::send(socket.get(), "x", 1, 0), 1);
  EXPECT_EQ(peer.Read(1), "x");
  WaitForStrangers(0);
}

TEST_F(GateTest, AnswersOtherTokensItself) {
  Open({});
  for (const std::string token : {"", "fedcba9876543210"}) {
    RawPeer peer(port_);
    ASSERT_TRUE(peer.Send(RawOpening() + Call(token)));
    EXPECT_THAT(peer.ReadToEnd(), HasSubstr("not this run's token"));
  }
  EXPECT_EQ(checked_, 2);
  EXPECT_EQ(admitted(), 0u);
}

TEST_F(GateTest, AFloodIsCutSoonWhateverItIsMadeOf) {
  Open({});
  const std::string floods[] = {RawFrame(1, 4, 1, RawField("te", "trailers")),
                                RawFrame(1, 0, 1, std::string(1000, 'x')),
                                RawFrame(9, 0, 1, std::string(1000, 'x')),
                                RawFrame(4, 0, 0, ""),
                                RawFrame(6, 0, 0, "12345678"),
                                RawFrame(3, 0, 1, "1234"),
                                RawFrame(1, 4, 1, Call("wrong")),
                                std::string(1000, 'G')};
  for (const std::string& flood : floods) {
    RawPeer peer(port_);
    ASSERT_TRUE(peer.Send(RawOpening()));
    std::string many;
    while (many.size() < 100'000) many += flood;
    // What the system and the end of a refused call take, and no more.
    int sent = 0;
    while (peer.Send(many)) ASSERT_LT(++sent, 1000);
  }
  EXPECT_EQ(admitted(), 0u);
}

TEST_F(GateTest, EndsWhoSaysNothing) {
  Open({.patience = milliseconds(1)});
  RawPeer silent(port_), slow(port_);
  slow.Send(RawOpening());
  silent.ReadToEnd();
  slow.ReadToEnd();
  WaitForStrangers(0);
}

TEST_F(GateTest, WithTlsItEndsThemToo) {
  Open({.tls = true, .patience = milliseconds(1)});
  RawPeer silent(port_);
  EXPECT_EQ(silent.ReadToEnd(), "");
  WaitForStrangers(0);
}

TEST_F(GateTest, ANewcomerTakesThePlaceOfTheOldestStranger) {
  Open({.max_strangers = 3});
  std::deque<RawPeer> peers;
  for (int i = 0; i < 3; ++i) {
    peers.emplace_back(port_).Read(OpeningSettings().size());
  }
  WaitForStrangers(3);
  peers.emplace_back(port_).Read(OpeningSettings().size());
  EXPECT_EQ(peers.front().ReadToEnd(), "");
  WaitForStrangers(3);
  ASSERT_TRUE(peers.back().Send(RawOpening() + Call(kToken)));
  EXPECT_THAT(TakeAdmitted().second, StartsWith("PRI"));
  EXPECT_TRUE(peers[1].IsOpen());
  EXPECT_TRUE(peers[2].IsOpen());
}

TEST_F(GateTest, StopEndsStrangersAndListensNoMore) {
  Open({});
  RawPeer peer(port_);
  peer.Read(OpeningSettings().size());
  gate_->Stop();
  EXPECT_EQ(peer.ReadToEnd(), "");
  EXPECT_TRUE(ListeningSockets::Open({.host = "127.0.0.1", .port = port_}).ok());
}

TEST_F(GateTest, WithTlsWhoseTokenCameIsNoStranger) {
  Open({.tls = true, .max_strangers = 1});
  RawPeer known(port_);
  const auto [known_socket, nothing] = TakeAdmitted();
  EXPECT_EQ(nothing, "");
  sockaddr_in own{};
  socklen_t size = sizeof(own);
  ASSERT_EQ(::getsockname(known.fd(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  gate_->MarkKnown(fmt::format("ipv4:127.0.0.1:{}", ntohs(own.sin_port)));
  RawPeer first(port_), second(port_);
  EXPECT_EQ(first.ReadToEnd(), "");
  EXPECT_TRUE(second.IsOpen());
  EXPECT_TRUE(known.IsOpen()) << "though it is the oldest";
}

TEST_F(GateTest, WithTlsTheirNumberIsBoundedToo) {
  Open({.tls = true, .max_strangers = 2});
  std::deque<RawPeer> peers;
  std::vector<std::pair<Descriptor, std::string>> taken;
  for (int i = 0; i < 3; ++i) {
    peers.emplace_back(port_);
    taken.push_back(TakeAdmitted());
  }
  EXPECT_EQ(peers.front().ReadToEnd(), "");
  EXPECT_TRUE(peers[1].IsOpen());
  EXPECT_TRUE(peers[2].IsOpen());
}

TEST(ListeningSocketsTest, AnyAddressIsBothFamiliesAndNamesAreLookedUp) {
  for (const std::string listen : {"0.0.0.0:0", "localhost:0"}) {
    const auto sockets = ListeningSockets::Open(ParseEndpoint(listen, true).value());
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    RawPeer peer(sockets->endpoint().port);
    EXPECT_TRUE(peer.IsOpen());
  }
}

TEST(ListeningSocketsTest, SaysWhyAnAddressCannotBeHad) {
  const auto first = ListeningSockets::Open({.host = "127.0.0.1"});
  const Status taken = ListeningSockets::Open(first->endpoint()).status();
  EXPECT_TRUE(absl::IsUnavailable(taken));
  EXPECT_THAT(std::string(taken.message()), HasSubstr("in use"));
  const Status foreign = ListeningSockets::Open({.host = "192.0.2.1"}).status();
  EXPECT_THAT(std::string(foreign.message()), HasSubstr("192.0.2.1"));
  const Status unknown = ListeningSockets::Open({.host = "nowhere.invalid"}).status();
  EXPECT_TRUE(absl::IsUnavailable(unknown)) << unknown;
}

}  // namespace
}  // namespace gorila::rpc
