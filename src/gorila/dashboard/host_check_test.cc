#include "gorila/dashboard/host_check.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

TEST(HostCheckTest, AddressesLocalhostAndNamesPass) {
  const HostCheck check({"node-7", "Runs.Example"});
  for (const char* const host :
       {"", "127.0.0.1", "10.1.2.3:7733", "[::1]", "[fe80::1]:80", "localhost", "LOCALHOST:1",
        "a.localhost", "localhost.", "node-7", "node-7:7733", "runs.example:443"}) {
    EXPECT_TRUE(check.CheckHost(host).ok()) << host;
  }
  for (const char* const host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                                 "node-70", "notlocalhost", "1", "[", "[::1", "::1]", "a:b:c"}) {
    EXPECT_TRUE(absl::IsPermissionDenied(check.CheckHost(host))) << host;
  }
}

TEST(HostCheckTest, PagesOfOtherOriginsDoNotPass) {
  const HostCheck check({"runs.example"});
  EXPECT_TRUE(check.CheckOrigin("", "127.0.0.1:7733").ok());
  EXPECT_TRUE(check.CheckOrigin("http://127.0.0.1:7733", "127.0.0.1:7733").ok());
  EXPECT_TRUE(check.CheckOrigin("https://runs.example", "127.0.0.1:7733").ok());
  for (const char* const origin : {"null", "http://127.0.0.1:80", "http://localhost:7733",
                                   "https://evil.example", "://", "127.0.0.1:7733"}) {
    EXPECT_FALSE(check.CheckOrigin(origin, "127.0.0.1:7733").ok()) << origin;
  }
}

}  // namespace
}  // namespace gorila
