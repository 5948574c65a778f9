#include "gorila/runtime/distributed/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "gorila/runtime/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

Config LaunchConfig() {
  Config config = testing_runtime::SmallConfig();
  config.run.deterministic = false;
  return config;
}

TEST(LauncherTest, CommandsNameOneProcessForEachRole) {
  const Config config = LaunchConfig();
  const LaunchFiles files("run");
  const std::vector<rpc::Endpoint> shards = rpc::ParseEndpoints("127.0.0.1:5,127.0.0.1:6").value();
  const auto servers = ShardCommands("gorila", config, files, shards);
  ASSERT_EQ(servers.size(), 2u);
  EXPECT_EQ(servers[1].arguments[1], "parameter-server");
  EXPECT_THAT(servers[1].arguments, Contains("127.0.0.1:6"));
  EXPECT_THAT(servers[1].arguments, Contains("run/shards/1"));
  EXPECT_FALSE(servers[1].may_finish);
  const auto bundles = BundleCommands("gorila", config, files, shards);
  ASSERT_EQ(bundles.size(), 2u);
  EXPECT_EQ(bundles[0].arguments[1], "bundle");
  EXPECT_THAT(bundles[0].arguments, Contains("127.0.0.1:5,127.0.0.1:6"));
  EXPECT_TRUE(bundles[0].may_finish);
}

TEST(LauncherTest, ADeterministicRunCannotBeLaunched) {
  const Status status = CheckLaunch(testing_runtime::SmallConfig());
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("run.deterministic"));
  EXPECT_TRUE(CheckLaunch(LaunchConfig()).ok());
}

TEST(LauncherTest, AddressesAreReadBackAndAMissingOneIsNotFound) {
  const LaunchFiles files(fs::path(testing::TempDir()) / "gorila_launcher_test");
  fs::remove_all(files.run);
  fs::create_directories(files.run / "addresses");
  std::ofstream(files.address(0)) << "127.0.0.1:7001\n";
  EXPECT_TRUE(absl::IsNotFound(ReadAddresses(files, 2).status()));
  EXPECT_EQ(ReadAddresses(files, 1).value().front().port, 7001);
  fs::remove_all(files.run);
}

}  // namespace
}  // namespace gorila
