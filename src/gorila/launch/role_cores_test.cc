#include "gorila/launch/role_cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/config/testing.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Config WithCpus(const std::vector<int>& cores) {
  Config config = testing_config::SmallConfig();
  config.run.cpus = CoresText(cores);
  return config;
}

// With the cores that there are: the two workers have half of them each.
TEST(RoleCoresTest, WorkersShareTheCoresWhereThereAreEnough) {
  const std::vector<int> allowed = AllowedCores();
  if (allowed.size() < 2) GTEST_SKIP() << "one core";
  Config config = WithCpus({allowed[0], allowed[1]});
  config.run.bundles = 2;
  EXPECT_EQ(CoresOfProcess(config, Role::kBundle, 0).value(), std::vector<int>{allowed[0]});
  EXPECT_EQ(CoresOfProcess(config, Role::kBundle, 1).value(), std::vector<int>{allowed[1]});
  config.run.bundles = 0;
  config.cluster.actors = 1;
  config.cluster.learners = 1;
  config.cluster.replays = 3;
  EXPECT_EQ(CoresOfProcess(config, Role::kActor, 0).value(), std::vector<int>{allowed[0]});
  EXPECT_EQ(CoresOfProcess(config, Role::kLearner, 0).value(), std::vector<int>{allowed[1]});
}

TEST(RoleCoresTest, ServersAndTooManyWorkersHaveAll) {
  const std::vector<int> one{AllowedCores().front()};
  const Config config = WithCpus(one);
  EXPECT_EQ(CoresOfProcess(config, Role::kParameterServer, 1).value(), one);
  EXPECT_EQ(CoresOfProcess(config, Role::kBundle, 1).value(), one);
  EXPECT_THAT(CoresOfProcess(testing_config::SmallConfig(), Role::kBundle, 0).value(), IsEmpty());
  EXPECT_EQ(PinProcess(testing_config::SmallConfig(), Role::kBundle, 0).value(), nullptr);
  const auto pinned = PinProcess(config, Role::kBundle, 0).value();
  EXPECT_EQ(AllowedCores(), one);
}

TEST(RoleCoresTest, EnginesThatPlaceProcessesThemselvesRefuseIt) {
  EXPECT_TRUE(CheckEnginePlaces(testing_config::SmallConfig(), "slurm").ok());
  EXPECT_THAT(std::string(CheckEnginePlaces(WithCpus({0}), "slurm").message()),
              AllOf(HasSubstr("run.cpus is 0"), HasSubstr("slurm"), HasSubstr("cluster.cpus")));
}

}  // namespace
}  // namespace gorila
