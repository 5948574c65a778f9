#include "gorila/run/kept_networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "gorila/config/testing.h"
#include "gorila/run/trainer.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class KeptNetworksTest : public testing::Test {
 protected:
  void SetUp() override {
    run_ = fs::path(testing::TempDir()) / fmt::format("kept_networks_test-{}", ::getpid());
    fs::remove_all(run_);
    Config config = testing_config::SmallConfig();
    config.run.frames = 1200;
    config.run.metrics_every_frames = 600;
    config.evaluation.episodes = 1;
    config.checkpoint.every_seconds = 0;
    config.checkpoint.every_frames = 600;
    config.checkpoint.milestones_every_frames = 400;
    ASSERT_TRUE(Trainer::Start(config, run_).value()->Run({})->finished);
  }
  void TearDown() override { fs::remove_all(run_); }

  std::vector<std::string> Names() const {
    const std::vector<KeptNetwork> networks = KeptNetworks(run_).value();
    std::vector<std::string> names;
    for (const KeptNetwork& network : networks) names.push_back(network.name);
    return names;
  }

  fs::path run_;
};

TEST_F(KeptNetworksTest, AreMilestonesCheckpointsAndTheFinalOneByTheirFrames) {
  EXPECT_THAT(Names(),
              ElementsAre("milestones/frames-000000000400.safetensors", "checkpoints/000000000600",
                          "milestones/frames-000000000800.safetensors",
                          "milestones/frames-000000001200.safetensors", "checkpoints/000000001200",
                          "final.safetensors"));
}

TEST_F(KeptNetworksTest, TheSameNetworkHasTheSameChecksum) {
  const std::vector<KeptNetwork> networks = KeptNetworks(run_).value();
  EXPECT_EQ(networks[3].crc32, networks[4].crc32);
  EXPECT_EQ(networks[3].crc32, networks[5].crc32);
  EXPECT_NE(networks[0].crc32, networks[3].crc32);
  EXPECT_EQ(networks[5].frames, 1200);
}

TEST_F(KeptNetworksTest, OneThatCannotBeReadIsThereWithoutAChecksum) {
  std::ofstream(run_ / "milestones/frames-000000000400.safetensors") << "x";
  const std::vector<KeptNetwork> networks = KeptNetworks(run_).value();
  EXPECT_EQ(networks[0].crc32, "");
  EXPECT_EQ(networks[0].frames, 400);
}

TEST_F(KeptNetworksTest, AreFoundByFrames) {
  EXPECT_EQ(NetworkAtFrames(run_, 800)->filename(), "frames-000000000800.safetensors");
  EXPECT_EQ(NetworkAtFrames(run_, 600)->filename(), "000000000600");
  EXPECT_EQ(NetworkAtFrames(run_, 1200)->filename(), "frames-000000001200.safetensors");
  const Status status = NetworkAtFrames(run_, 500).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("at 500 frames"), HasSubstr("400, 600")));
}

TEST_F(KeptNetworksTest, ARunWithoutAnySaysWhatKeepsThem) {
  for (const char* const name : {"milestones", "checkpoints", "final.safetensors"}) {
    fs::remove_all(run_ / name);
  }
  EXPECT_THAT(std::string(KeptNetworks(run_).status().message()),
              HasSubstr("checkpoint.milestones_every_frames"));
  EXPECT_THAT(std::string(NetworkAtFrames(run_, 1).status().message()), HasSubstr("none at all"));
}

}  // namespace
}  // namespace gorila
