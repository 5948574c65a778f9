#include "gorila/rpc/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila::rpc {
namespace {

using ::testing::HasSubstr;

TEST(EndpointTest, ReadsWhatItWrites) {
  for (const char* const text : {"127.0.0.1:7000", "localhost:1", "shard-0.gorila.svc:65535",
                                 "[::1]:7000", "unix:/run/gorila/shard-0"}) {
    const StatusOr<Endpoint> endpoint = ParseEndpoint(text);
    ASSERT_TRUE(endpoint.ok()) << endpoint.status();
    EXPECT_EQ(ToString(*endpoint), text);
  }
}

TEST(EndpointTest, RefusesWhatIsNoEndpointAndSaysWhatWasGiven) {
  for (const char* const text :
       {"", ":", "host", "host:", ":7000", "host:x", "host:7x", "host:0", "host:-1", "host:65536",
        "host:99999999999", "a b:1", "[1.2.3.4]:1", "::1:7000", "[::1]", "-h:1",
        "unix:", "http://h:1"}) {
    const Status status = ParseEndpoint(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(fmt::format("'{}'", text)));
  }
}

TEST(EndpointTest, AnyPortIsForListeningOnly) {
  EXPECT_FALSE(ParseEndpoint("127.0.0.1:0").ok());
  EXPECT_EQ(ParseEndpoint("127.0.0.1:0", /*may_be_any_port=*/true).value().port, 0);
}

TEST(EndpointTest, ReadsListsAndNamesTheBadEntry) {
  EXPECT_EQ(ParseEndpoints("a:1,b:2").value().size(), 2u);
  for (const char* const text : {"", "a:1,", ",a:1", "a:1,,b:2", "a:1,b"}) {
    EXPECT_FALSE(ParseEndpoints(text).ok()) << text;
  }
}

TEST(EndpointTest, KnowsWhatOnlyThisMachineCanReach) {
  for (const char* const text :
       {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:x"}) {
    EXPECT_TRUE(IsLoopback(ParseEndpoint(text).value())) << text;
  }
  for (const char* const text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "128.0.0.1:1", "host:1"}) {
    EXPECT_FALSE(IsLoopback(ParseEndpoint(text).value())) << text;
  }
}

}  // namespace
}  // namespace gorila::rpc
