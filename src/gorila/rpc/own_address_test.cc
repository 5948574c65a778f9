#include "gorila/rpc/own_address.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace gorila::rpc {
namespace {

Endpoint At(const std::string& text) { return ParseEndpoint(text).value(); }

TEST(OwnAddressTest, LoopbackAndUnixSocketsAreOwn) {
  for (const char* const peer : {"unix:", "unix:/run/x", "ipv4:127.0.0.1:4000", "ipv4:127.3.2.1:1",
                                 "ipv6:[::1]:1", "ipv6:%5B::1%5D:1", "ipv6:[::ffff:127.0.0.1]:9"}) {
    EXPECT_TRUE(IsOwnPeer(peer)) << peer;
  }
  for (const char* const text : {"127.0.0.1:7000", "[::1]:7000", "localhost:7000", "unix:/x"}) {
    EXPECT_TRUE(IsOwnEndpoint(At(text))) << text;
  }
}

// 192.0.2.0/24 and 2001:db8::/32 are for documentation: no machine has them.
TEST(OwnAddressTest, OthersAreNot) {
  for (const char* const peer : {"ipv4:192.0.2.1:4000", "ipv4:12.7.0.1:1", "ipv6:[2001:db8::1]:1",
                                 "ipv6:%5B2001:db8::1%5D:1", "", "ipv4:", "ipv6:[::1",
                                 "ipv4:localhost:1", "vsock:1:2", "ipv6:::1"}) {
    EXPECT_FALSE(IsOwnPeer(peer)) << peer;
  }
  EXPECT_FALSE(IsOwnEndpoint(At("192.0.2.1:7000")));
  EXPECT_FALSE(IsOwnEndpoint(At("no-such-host.invalid:7000")));
}

TEST(OwnAddressTest, TheMachinesOwnNameIsOwnWhereItIsKnown) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  const bool known = IsOwnEndpoint(At(std::string(name.data()) + ":7000"));
  if (!known) GTEST_SKIP() << "this machine's name '" << name.data() << "' is not an address of it";
}

}  // namespace
}  // namespace gorila::rpc
