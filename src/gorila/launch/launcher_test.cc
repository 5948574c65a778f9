#include "gorila/launch/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "gorila/config/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

Config LaunchConfig() {
  Config config = testing_config::SmallConfig();
  config.run.deterministic = false;
  return config;
}

TEST(LauncherTest, CommandsNameOneProcessForEachRole) {
  const Config config = LaunchConfig();
  const LaunchFiles files("run");
  const LocalAddresses addresses{
      .parameter_servers = rpc::ParseEndpoints("127.0.0.1:5,127.0.0.1:6").value(), .replays = {}};
  const auto servers = LocalServers("gorila", config, files, addresses);
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[1].arguments[1], "parameter-server");
  EXPECT_THAT(servers[1].arguments, Contains("127.0.0.1:6"));
  EXPECT_THAT(servers[1].arguments, Contains("run/servers/parameter-server-1"));
  EXPECT_EQ(servers[1].kind, ChildKind::kServer);
  const auto bundles = LocalWorkers("gorila", config, files, addresses);
  ASSERT_EQ(bundles.size(), 2u);
  EXPECT_EQ(bundles[0].arguments[1], "bundle");
  EXPECT_THAT(bundles[0].arguments, Contains("127.0.0.1:5,127.0.0.1:6"));
  EXPECT_EQ(bundles[0].kind, ChildKind::kWorker);
}

TEST(LauncherTest, ActorsAndLearnersHaveTheReplayShardsAddresses) {
  Config config = LaunchConfig();
  config.run.bundles = 0;
  config.cluster.actors = 2;
  config.cluster.learners = 1;
  config.cluster.replays = 2;
  const LaunchFiles files("run");
  LocalAddresses addresses = AnyLocalAddresses(config);
  EXPECT_EQ(LocalServers("gorila", config, files, addresses).size(), 4u);
  addresses.replays = rpc::ParseEndpoints("127.0.0.1:8,127.0.0.1:9").value();
  const auto workers = LocalWorkers("gorila", config, files, addresses);
  ASSERT_EQ(workers.size(), 3u);
  for (const ChildCommand& worker : workers) {
    EXPECT_THAT(worker.arguments, Contains("127.0.0.1:8,127.0.0.1:9"));
  }
}

TEST(LauncherTest, EveryProcessServesMetricsOnAPortOfItsOwn) {
  Config config = LaunchConfig();
  config.cluster = {.actors = 1, .learners = 1, .replays = 1, .metrics_port = 9100};
  const LaunchFiles files("run");
  const LocalAddresses addresses = AnyLocalAddresses(config);
  auto commands = LocalServers("gorila", config, files, addresses);
  for (const ChildCommand& worker : LocalWorkers("gorila", config, files, addresses)) {
    commands.push_back(worker);
  }
  // 9100 is the coordinator's, which is not among them.
  for (std::size_t i = 0; i < commands.size(); ++i) {
    EXPECT_THAT(commands[i].arguments, Contains(fmt::format("127.0.0.1:{}", 9101 + i)));
  }
  EXPECT_TRUE(CheckLaunch(config).ok()) << CheckLaunch(config);
  config.cluster.metrics_port = 65530;
  EXPECT_EQ(CheckLaunch(config).message(),
            "cluster.metrics_port is 65530; expected 0 or at most 65528, for 8 processes");
}

TEST(LauncherTest, ADeterministicRunCannotBeLaunched) {
  const Status status = CheckLaunch(testing_config::SmallConfig());
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("run.deterministic"));
  EXPECT_TRUE(CheckLaunch(LaunchConfig()).ok());
}

TEST(LauncherTest, AllReplayMemoryOfThisMachineIsCounted) {
  Config config = LaunchConfig();
  config.replay.byte_budget = 1'000'000;
  ASSERT_TRUE(CheckLocalLaunch(config).ok()) << CheckLocalLaunch(config);
  config.cluster = {.actors = 1, .learners = 1, .replays = 4000};
  const Status status = CheckLocalLaunch(config);
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("4002 memories"));
}

// Else learners would end with an error once the first minibatch was there.
TEST(LauncherTest, AMinibatchFitsIntoOneAnswerOfAReplayShard) {
  Config config = LaunchConfig();
  config.environment.name = "pixel/breakout";
  config.network.preset = "mlp";
  config.network.hidden = {};
  config.cluster = {.actors = 1, .learners = 1, .replays = 1};
  config.run.frames = 1'000'000;
  config.learner.agent.algorithm = "vtrace";
  config.learner.agent.unroll = 1000;
  config.replay.options.transition.n_step = 1;
  config.replay.prefetch = false;
  config.replay.options.selector.name = "queue";
  config.replay.options.capacity = 200'000;
  config.replay.options.rate.insert_lead = 80'000;
  config.learner.batch_size = 37;
  EXPECT_EQ(CheckLaunch(config), OkStatus());
  config.learner.batch_size = 38;
  EXPECT_EQ(CheckLaunch(config).message(),
            "learner.batch_size is 38 of learner.unroll 1000 with cluster.replays; expected at "
            "most 37: a replay shard sends 268435456 bytes at once, and an unroll takes 7104240");
  config.cluster = {};
  EXPECT_EQ(CheckLaunch(config), OkStatus());
}

TEST(LauncherTest, AddressesAreReadBackAndAMissingOneIsNotFound) {
  Config config = LaunchConfig();
  config.parameter_server.shards = 1;
  const LaunchFiles files(fs::path(testing::TempDir()) / "gorila_launcher_test");
  fs::remove_all(files.run);
  ASSERT_TRUE(MakeLaunchFolders(files).ok());
  std::ofstream(files.addresses() / "parameter-server-0") << "127.0.0.1:7001\n";
  EXPECT_EQ(ReadAddresses(files, config, Role::kParameterServer).value().front().port, 7001);
  EXPECT_TRUE(ReadAddresses(files, config, Role::kReplay).value().empty());
  config.parameter_server.shards = 2;
  EXPECT_TRUE(absl::IsNotFound(ReadAddresses(files, config, Role::kParameterServer).status()));
  fs::remove_all(files.run);
}

}  // namespace
}  // namespace gorila
