#include "gorila/launch/roles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

const RoleContext kContext = {.program = "gorila",
                              .config = "run.toml",
                              .token = "token",
                              .tls_folder = {},
                              .parameter_servers = "a:1,b:2",
                              .replays = "c:3"};

TEST(RolesTest, TheTableIsInTheOrderOfTheRoles) {
  for (std::size_t i = 0; i < RoleTable().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(RoleTable()[i].role), i);
  }
}

TEST(RolesTest, CountsComeFromTheConfiguration) {
  Config config;
  config.parameter_server.shards = 3;
  config.cluster.replays = 2;
  config.run.bundles = 4;
  config.cluster.actors = 5;
  config.cluster.learners = 1;
  EXPECT_EQ(CountServers(config), 5);
  EXPECT_EQ(CountWorkers(config), 10);
}

TEST(RolesTest, AServerIsToldWhereItListensAndKeepsItsState) {
  EXPECT_THAT(ServerCommand(kContext, Role::kReplay, "1", {"h:0", "state", "address"}),
              ElementsAre("gorila", "replay", "--config", "run.toml", "--replay-index", "1",
                          "--listen", "h:0", "--state-dir", "state", "--address-file", "address",
                          "--token-file", "token"));
  EXPECT_THAT(ServerCommand(kContext, Role::kParameterServer, "0", {"h:0", "state", ""}),
              Not(Contains("--address-file")));
}

TEST(RolesTest, WorkersAreToldWhomTheyCall) {
  Config config;
  config.cluster.actors = 5;
  EXPECT_THAT(
      WorkerCommand(kContext, config, Role::kActor, "4"),
      ElementsAre("gorila", "actor", "--config", "run.toml", "--actor-index", "4", "--actors", "5",
                  "--parameter-servers", "a:1,b:2", "--replays", "c:3", "--token-file", "token"));
  EXPECT_THAT(WorkerCommand(kContext, config, Role::kBundle, "0"), Not(Contains("--replays")));
}

TEST(RolesTest, GroupsHaveMembersThatServeTheirLeaders) {
  Config config;
  config.run.bundles = 2;
  config.cluster.learners = 1;
  EXPECT_EQ(RowOf(Role::kMember).count(config), 0);
  EXPECT_THAT(WorkerCommand(kContext, config, Role::kBundle, "0"), Not(Contains("--members")));
  config.learner.members = 3;
  EXPECT_EQ(RowOf(Role::kMember).count(config), 6);
  RoleContext context = kContext;
  context.members = "d:4,e:5";
  EXPECT_THAT(ServerCommand(context, Role::kMember, "1", {"h:0", "state", "address"}),
              ElementsAre("gorila", "member", "--config", "run.toml", "--member-index", "1",
                          "--listen", "h:0", "--parameter-servers", "a:1,b:2", "--address-file",
                          "address", "--token-file", "token"));
  EXPECT_THAT(WorkerCommand(context, config, Role::kLearner, "0"), Contains("d:4,e:5"));
  EXPECT_THAT(WorkerCommand(context, config, Role::kActor, "0"), Not(Contains("--members")));
}

TEST(RolesTest, EachShowsTheCertificateOfItsRole) {
  RoleContext context = kContext;
  context.tls_folder = "certs";
  EXPECT_THAT(WorkerCommand(context, Config(), Role::kLearner, "0"), Contains("certs/learner.crt"));
  EXPECT_THAT(CoordinatorCommand(context, "run"), Contains("certs/operator.key"));
  EXPECT_THAT(CertificateNames(), ElementsAre("parameter-server", "replay", "member", "bundle",
                                              "actor", "learner", "operator"));
}

}  // namespace
}  // namespace gorila
