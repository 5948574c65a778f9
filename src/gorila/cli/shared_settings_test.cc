#include "gorila/cli/shared_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "gorila/base/file.h"
#include "gorila/config/config_keys.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class SharedSettingsTest : public testing::Test {
 protected:
  SharedSettingsTest() { fs::remove_all(folder_); }
  ~SharedSettingsTest() override { fs::remove_all(folder_); }
  std::string Refusal(const Config& config, std::span<const SweepAxis> axes) {
    const Status status = CheckSharedSettings(folder_, config, axes);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / ("gorila_shared_settings_" + std::to_string(::getpid()));
  const std::vector<SweepAxis> axes_ = {ParseSweepAxis(Config(), "learner.n_step=1,3").value()};
};

TEST_F(SharedSettingsTest, TheSameSettingsWithOtherGamesSeedsAndValuesAreAccepted) {
  Config config;
  ASSERT_TRUE(CheckSharedSettings(folder_, config, axes_).ok());
  ASSERT_TRUE(WriteSharedSettings(folder_, config, axes_).ok());
  config.environment.name = "minatar/asterix";
  config.run.seed = 7;
  config.replay.options.transition.n_step = 9;
  config.slurm.minutes = 30;
  config.cluster.memory_mb = 9000;
  EXPECT_TRUE(CheckSharedSettings(folder_, config, axes_).ok());
}

TEST_F(SharedSettingsTest, OtherSettingsAreRefusedWithTheKey) {
  Config config;
  ASSERT_TRUE(WriteSharedSettings(folder_, config, axes_).ok());
  config.learner.batch_size = 7;
  EXPECT_THAT(Refusal(config, axes_),
              AllOf(HasSubstr("learner.batch_size is 32 there"), HasSubstr("7 here")));
}

TEST_F(SharedSettingsTest, ASweepOverOtherKeysIsRefused) {
  const Config config;
  ASSERT_TRUE(WriteSharedSettings(folder_, config, axes_).ok());
  const std::vector<SweepAxis> others = {
      ParseSweepAxis(Config(), "learner.batch_size=8,16").value()};
  EXPECT_THAT(Refusal(config, others), AllOf(HasSubstr("a sweep over learner.n_step"),
                                             HasSubstr("a sweep over learner.batch_size")));
  EXPECT_THAT(Refusal(config, {}), HasSubstr("a suite"));
}

TEST_F(SharedSettingsTest, ASuitesFileOfAnEarlierVersionIsRead) {
  Config config;
  config.environment.name = "minatar/asterix";
  ASSERT_TRUE(CreateFolders(folder_).ok());
  std::string text = "# What all runs of this suite have in common.\n" + ToToml(Config());
  // It knew fewer keys.
  const std::size_t key = text.find("shared_memory = ");
  ASSERT_NE(key, text.npos);
  text.erase(key, text.find('\n', key) - key);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "settings.toml", text).ok());
  EXPECT_TRUE(CheckSharedSettings(folder_, config, {}).ok());
  EXPECT_THAT(Refusal(config, axes_), HasSubstr("a suite, which varies nothing"));
}

TEST_F(SharedSettingsTest, ARunsFolderIsRefused) {
  ASSERT_TRUE(CreateFolders(folder_).ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ / "config.toml", "").ok());
  EXPECT_THAT(Refusal(Config(), {}), HasSubstr("is a run"));
}

}  // namespace
}  // namespace gorila::cli
