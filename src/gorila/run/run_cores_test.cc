#include "gorila/run/run_cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/config/config_keys.h"
#include "gorila/config/testing.h"
#include "gorila/run/cluster.h"
#include "gorila/run/trainer.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Config WithCpus(const std::string& cpus, int bundles = 2) {
  Config config = testing_config::SmallConfig();
  config.run.deterministic = false;
  config.run.bundles = bundles;
  config.run.cpus = cpus;
  return config;
}

TEST(RunCoresTest, EachBundleHasACoreWhereThereAreEnough) {
  EXPECT_THAT(CoreOfEachBundle(WithCpus("0-3,6", 2)), ElementsAre(0, 2));
  EXPECT_THAT(CoreOfEachBundle(WithCpus("0-1", 2)), ElementsAre(0, 1));
  EXPECT_THAT(CoreOfEachBundle(WithCpus("0-1", 3)), IsEmpty());
  EXPECT_THAT(CoreOfEachBundle(WithCpus("any", 2)), IsEmpty());
  EXPECT_THAT(DescribeRunCores(WithCpus("0-3,6", 2)), HasSubstr("bundles on cores 0, 2"));
  EXPECT_THAT(DescribeRunCores(WithCpus("0-1", 3)), HasSubstr("all threads share"));
}

TEST(RunCoresTest, DeterministicRunsAndWorkerProcessesShareAllCores) {
  Config config = WithCpus("0-3");
  config.run.deterministic = true;
  EXPECT_THAT(CoreOfEachBundle(config), IsEmpty());
  config = WithCpus("0-3");
  config.environment.name = "gymnasium:CartPole-v1";
  EXPECT_THAT(CoreOfEachBundle(config), IsEmpty());
}

TEST(RunCoresTest, CoresThatMayNotBeUsedAreNamedBeforeARunStarts) {
  const Config config = WithCpus(fmt::format("{},8190", AllowedCores().front()));
  const Status status = Trainer::Check(config);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("run.cpus"), HasSubstr("may not use 8190"),
                    HasSubstr(CoresText(AllowedCores()))));
}

// Another machine's run must be readable here, so the cores themselves are not looked at.
TEST(RunCoresTest, AConfigurationIsCheckedForItsFormOnly) {
  EXPECT_TRUE(CheckConfig(WithCpus("8190")).ok());
  const Status status = CheckConfig(WithCpus("fast"));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("run.cpus"), HasSubstr("fast")));
}

// Of the threads of a process: where each may run.
TEST(RunCoresTest, BundlesRunOnTheirCoresAndTheCallerOnAll) {
  const std::vector<int> allowed = AllowedCores();
  if (allowed.size() < 2) GTEST_SKIP() << "one core";
  const std::vector<int> two{allowed[0], allowed[1]};
  const auto pinned = PinToRunCores(WithCpus(CoresText(two))).value();
  ASSERT_NE(pinned, nullptr);
  EXPECT_EQ(AllowedCores(), two);
  EXPECT_EQ(CoreOfEachBundle(WithCpus(CoresText(two))), two);
}

}  // namespace
}  // namespace gorila
