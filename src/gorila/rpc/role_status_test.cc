#include "gorila/rpc/role_status.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gorila/rpc/part.h"

namespace gorila::rpc {
namespace {

// Of processes that report about as much as a bundle does, and of one that has no number.
std::vector<v1::RoleStatus> MakeRoles(int count) {
  std::vector<v1::RoleStatus> roles(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    v1::RoleStatus& role = roles[static_cast<std::size_t>(i)];
    role.set_role("bundle");
    role.set_index(i);
    role.set_process(static_cast<std::uint64_t>(i));
    role.set_waiting(std::string(500, 'x'));
  }
  return roles;
}

TEST(RoleStatusTest, AFewRolesAreOnePage) {
  const v1::StatusResponse page = StatusPage(MakeRoles(3), 0);
  EXPECT_EQ(page.roles_size(), 3);
  EXPECT_EQ(page.next(), 0);
}

TEST(RoleStatusTest, PagesOfManyRolesHaveEachOnceAndFitIntoAHeader) {
  const std::vector<v1::RoleStatus> roles = MakeRoles(10'000);
  std::int64_t first = 0;
  int pages = 0, seen = 0;
  do {
    const v1::StatusResponse page = StatusPage(roles, first);
    ASSERT_LE(page.ByteSizeLong(), kMaxHeaderBytes);
    for (const v1::RoleStatus& role : page.roles()) ASSERT_EQ(role.index(), seen++);
    first = page.next();
    ++pages;
  } while (first > 0);
  EXPECT_EQ(seen, 10'000);
  EXPECT_GT(pages, 5);
}

TEST(RoleStatusTest, APlaceBeyondTheEndHasNothing) {
  EXPECT_EQ(StatusPage(MakeRoles(3), 3).roles_size(), 0);
  EXPECT_EQ(StatusPage(MakeRoles(3), 1'000'000).roles_size(), 0);
  EXPECT_EQ(StatusPage(MakeRoles(3), -1).roles_size(), 3);
}

TEST(RoleStatusTest, AskingPutsThePagesTogether) {
  const std::vector<v1::RoleStatus> roles = MakeRoles(5000);
  Method method{.name = kStatusMethod,
                .layout_optional = true,
                .handle = [&roles](const Request& request) -> StatusOr<Response> {
                  GORILA_ASSIGN_OR_RETURN(const auto asked,
                                          ParseHeader<v1::StatusRequest>(request));
                  return Response{.header = StatusPage(roles, asked.first()).SerializeAsString(),
                                  .payload = nullptr};
                }};
  const auto server = Server::Start({.listen = {.host = "127.0.0.1", .port = 0}}, {method}).value();
  Channel channel({.endpoint = server->endpoint(), .role = "replay", .identity = {}});
  const auto all = AskStatus(channel, std::chrono::milliseconds(10'000));
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->roles_size(), 5000);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(all->roles(i).index(), i);
}

}  // namespace
}  // namespace gorila::rpc
