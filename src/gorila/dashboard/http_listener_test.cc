// What is answered is tested from outside, by tests/e2e/dashboard_test.py.
#include "gorila/dashboard/http_listener.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace gorila
