// What is answered is tested from outside, by tests/e2e/dashboard_test.py.
#include "gorila/dashboard/http_listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace gorila {
namespace {

using ::testing::HasSubstr;

const ListenAddress kDefault{.host = "127.0.0.1", .port = 7733};

TEST(ListenAddressTest, TakesWhatIsMissingFromTheDefault) {
  const auto parse = [](const char* text) {
    const ListenAddress address = ParseListenAddress(text, kDefault).value();
    return fmt::format("{} {}", address.host, address.port);
  };
  EXPECT_EQ(parse(""), "127.0.0.1 7733");
  EXPECT_EQ(parse("example.org"), "example.org 7733");
  EXPECT_EQ(parse(":80"), "127.0.0.1 80");
  EXPECT_EQ(parse("0.0.0.0:0"), "0.0.0.0 0");
  EXPECT_EQ(parse("[::1]:443"), "::1 443");
  EXPECT_EQ(parse("[::1]"), "::1 7733");
}

TEST(ListenAddressTest, RefusesWhatIsNoAddress) {
  for (const char* text :
       {"host:", "host:x", "host:-1", "host:65536", "host:80x", "[::1", "[::1]80"}) {
    const auto address = ParseListenAddress(text, kDefault);
    EXPECT_TRUE(absl::IsInvalidArgument(address.status())) << text;
    EXPECT_THAT(std::string(address.status().message()), HasSubstr(text));
  }
}

TEST(ListenAddressTest, KnowsLoopback) {
  for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "192.168.0.1", "example.org", ""}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

TEST(HttpListenerTest, OffLoopbackItWantsTlsAndAToken) {
  ListenOptions options;
  options.address.host = "0.0.0.0";
  const auto refused = HttpListener::Bind(options);
  ASSERT_TRUE(absl::IsInvalidArgument(refused.status()));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("--tls-cert"));
  options.token = "a token alone is sent in the open";
  EXPECT_FALSE(HttpListener::Bind(options).ok());
  options.insecure = true;
  EXPECT_TRUE(HttpListener::Bind(options).ok());
}

TEST(HttpListenerTest, ACertificateNeedsItsKey) {
  ListenOptions options;
  options.tls_certificate = "certificate.pem";
  EXPECT_TRUE(absl::IsInvalidArgument(HttpListener::Bind(options).status()));
}

TEST(HttpListenerTest, APortInUseIsNamed) {
  const auto first = HttpListener::Bind(ListenOptions()).value();
  const std::string url = first->url();
  const std::size_t colon = url.rfind(':');
  ListenOptions options;
  options.address.port = std::stoi(url.substr(colon + 1));
  const auto second = HttpListener::Bind(options);
  ASSERT_TRUE(absl::IsInvalidArgument(second.status()));
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr(std::to_string(options.address.port)));
}

TEST(HttpListenerTest, StopsAtOnceAfterItsStart) {
  for (int i = 0; i < 20; ++i) {
    const auto listener = HttpListener::Bind(ListenOptions()).value();
    listener->Start();
  }
}

// A browser's end of a connection.
class Peer {
 public:
  explicit Peer(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~Peer() {
    if (socket_ >= 0) ::close(socket_);
  }
  Peer(Peer&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // False when the server has closed.
  bool Send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // What comes until the server closes, or until `enough` is among it.
  std::string Receive(std::string_view enough = "") {
    std::string all;
    std::array<char, 4096> buffer{};
    while (enough.empty() || all.find(enough) == all.npos) {
      const ssize_t read = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (read <= 0) break;
      all.append(buffer.data(), static_cast<std::size_t>(read));
    }
    return all;
  }

 private:
  int socket_;
};

class ServingTest : public testing::Test {
 protected:
  void Serve(const ListenOptions& options = {}) {
    listener_ = HttpListener::Bind(options).value();
    listener_->Get("/page", [](const HttpRequest&) { return HttpResponse{.body = "the page"}; });
    listener_->Stream("/stream", kStreams, [](const HttpRequest&, EventSink& sink) {
      while (sink.open() && sink.Send("tick", "{}")) ::usleep(10'000);
    });
    listener_->Start();
    const std::string url = listener_->url();
    port_ = std::stoi(url.substr(url.rfind(':') + 1));
  }
  std::string Ask(const std::string& head, const std::string& path = "/page") const {
    Peer peer(port_);
    peer.Send("GET " + path + " HTTP/1.1\r\n" + head + "\r\n");
    return peer.Receive();
  }

  static constexpr int kStreams = 3;
  std::unique_ptr<HttpListener> listener_;
  int port_ = 0;
};

TEST_F(ServingTest, AnswersARequestAConnection) {
  Serve();
  const std::string answer = Ask("Host: localhost\r\n");
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
  EXPECT_THAT(answer, ::testing::EndsWith("the page"));
}

TEST_F(ServingTest, HeadersOverTheLimitAreRefused) {
  Serve();
  const std::string one = "X: " + std::string(60'000, 'x') + "\r\n";
  EXPECT_THAT(Ask(one), HasSubstr("431"));
  std::string many;
  while (many.size() < 60'000) many += "X: x\r\n";
  EXPECT_THAT(Ask(many), HasSubstr("431"));
  EXPECT_THAT(Ask("", "/" + std::string(60'000, 'x')), HasSubstr("431"));
  EXPECT_THAT(Ask("Host: localhost\r\n"), HasSubstr("the page"));
}

TEST_F(ServingTest, EndlessHeadersAreCutOff) {
  Serve();
  Peer peer(port_);
  peer.Send("GET /page HTTP/1.1\r\n");
  const std::string more = "X: " + std::string(10'000, 'x') + "\r\n";
  int sent = 0;
  while (peer.Send(more)) ASSERT_LT(++sent, 10'000) << "100 MB were taken";
}

TEST_F(ServingTest, BodiesAreRefusedUnread) {
  Serve();
  for (const char* const head : {"Content-Length: 1000000000000\r\n", "Content-Length: 5\r\n",
                                 "Transfer-Encoding: chunked\r\n"}) {
    EXPECT_THAT(Ask(head), HasSubstr("413")) << head;
  }
  Peer peer(port_);
  peer.Send("POST /page HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n");
  EXPECT_THAT(peer.Receive(), HasSubstr("405"));
}

TEST_F(ServingTest, RangesDoNotMultiplyAnAnswer) {
  Serve();
  std::string ranges = "Range: bytes=0-";
  for (int i = 0; i < 2000; ++i) ranges += ",0-";
  EXPECT_LT(Ask(ranges + "\r\n").size(), 2000u);
}

TEST_F(ServingTest, ThoseWhoSendNothingDoNotShutOutOthers) {
  Serve();
  std::vector<Peer> silent;
  for (int i = 0; i < 300; ++i) {
    silent.emplace_back(port_);
    if (i % 2 == 0) silent.back().Send("GET /page HTTP/1.1\r\nX: ");
    if (i % 50 == 0) {
      EXPECT_THAT(Ask("Host: localhost\r\n"), HasSubstr("the page"));
    }
  }
  EXPECT_THAT(Ask("Host: localhost\r\n"), HasSubstr("the page"));
}

TEST_F(ServingTest, StreamsLeaveRoomForPages) {
  Serve();
  const std::string request = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::vector<Peer> viewers;
  for (int i = 0; i < kStreams; ++i) {
    viewers.emplace_back(port_);
    viewers.back().Send(request);
    EXPECT_THAT(viewers.back().Receive("tick"), HasSubstr("tick"));
  }
  for (int i = 0; i < 200; ++i) {
    viewers.emplace_back(port_);
    viewers.back().Send(request);
  }
  EXPECT_THAT(Ask("Host: localhost\r\n"), HasSubstr("the page"));
  EXPECT_THAT(Ask("", "/stream"), HasSubstr("503"));
  EXPECT_THAT(viewers.front().Receive("tick"), HasSubstr("tick")) << "streams are not cut off";
}

TEST_F(ServingTest, OtherNamesAndOriginsAreRefused) {
  Serve();
  for (const char* const host : {"localhost", "localhost:7733", "127.0.0.1", "[::1]:80"}) {
    EXPECT_THAT(Ask(fmt::format("Host: {}\r\n", host)), HasSubstr("the page")) << host;
  }
  const std::string refused = Ask("Host: evil.example:7733\r\n");
  EXPECT_THAT(refused, HasSubstr("403"));
  EXPECT_THAT(refused, HasSubstr("--allow-host"));
  EXPECT_THAT(refused, ::testing::Not(HasSubstr("the page")));
  EXPECT_THAT(Ask("Host: localhost\r\nOrigin: http://evil.example\r\n"), HasSubstr("403"));
  EXPECT_THAT(Ask("Host: localhost\r\nOrigin: http://localhost\r\n"), HasSubstr("the page"));
}

TEST_F(ServingTest, NamesMayBeAllowedAndWithATokenAnyWillDo) {
  ListenOptions behind_proxy;
  behind_proxy.names = {"proxy.example"};
  Serve(behind_proxy);
  EXPECT_THAT(Ask("Host: Proxy.example\r\n"), HasSubstr("the page"));
  EXPECT_THAT(Ask("Host: 127.0.0.1\r\nOrigin: https://proxy.example\r\n"), HasSubstr("the page"));
  ListenOptions with_token;
  with_token.token = "0123456789abcdef";
  Serve(with_token);
  EXPECT_THAT(Ask("Host: any.example\r\nAuthorization: Bearer 0123456789abcdef\r\n"),
              HasSubstr("the page"));
  EXPECT_THAT(Ask("Host: any.example\r\n"), HasSubstr("401"));
}

}  // namespace
}  // namespace gorila
