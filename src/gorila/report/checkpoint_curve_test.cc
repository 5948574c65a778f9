#include "gorila/report/checkpoint_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "gorila/base/file.h"
#include "gorila/config/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

EvaluationResult Of(const std::string& game, std::vector<double> returns) {
  EvaluationResult result;
  result.game = game;
  result.protocol = "greedy";
  result.returns = std::move(returns);
  result.summary = SummariseReturns(result.returns);
  return result;
}

CheckpointEvaluation At(std::int64_t frames, const std::string& name, const std::string& crc32) {
  CheckpointEvaluation evaluation{
      .networks = {name}, .frames = frames, .crc32 = crc32, .record = {}};
  evaluation.record = {.environment = "classic/catch",
                       .seed = 5,
                       .frames = frames,
                       .result = Of("", {1, static_cast<double>(frames)})};
  return evaluation;
}

class CheckpointCurveTest : public testing::Test {
 protected:
  void SetUp() override {
    run_ = fs::path(testing::TempDir()) / fmt::format("checkpoint_curve_test-{}", ::getpid());
    fs::remove_all(run_);
  }
  void TearDown() override { fs::remove_all(run_); }

  fs::path run_;
  const CurveSettings settings_{{"seed", "5"}};
};

TEST_F(CheckpointCurveTest, IsInTheOrderOfFrames) {
  CheckpointCurve curve;
  curve.Add(At(800, "b", "2"));
  curve.Add(At(400, "a", "1"));
  EXPECT_EQ(curve.evaluations.front().frames, 400);
  EXPECT_EQ(curve.Find("2")->frames, 800);
  EXPECT_EQ(curve.Find("3"), nullptr);
}

// A network that a resumed run replaced drops out of the curve.
TEST_F(CheckpointCurveTest, ANetworkThatWasReplacedLosesItsEvaluation) {
  CheckpointCurve curve;
  curve.Add(At(400, "milestones/a", "1"));
  curve.Name("final", "1");
  EXPECT_THAT(curve.evaluations.front().networks, ElementsAre("milestones/a", "final"));
  curve.Name("milestones/a", "2");
  EXPECT_THAT(curve.evaluations.front().networks, ElementsAre("final"));
  curve.Name("final", "2");
  EXPECT_THAT(curve.evaluations, SizeIs(0));
}

TEST_F(CheckpointCurveTest, EvaluationsAreKeptUnderTheirSettings) {
  {
    CheckpointCurves curves = CheckpointCurves::Open(run_).value();
    curves.Choose(settings_).Add(At(400, "a", "1"));
    curves.Choose({{"seed", "6"}}).Add(At(400, "a", "1"));
    ASSERT_TRUE(curves.Write().ok());
  }
  CheckpointCurves curves = CheckpointCurves::Open(run_).value();
  EXPECT_NE(curves.Choose(settings_).Find("1"), nullptr);
  EXPECT_EQ(curves.Choose(settings_).Find("1")->record.result.returns.size(), 2U);
  EXPECT_EQ(curves.Choose({{"seed", "7"}}).Find("1"), nullptr);
  EXPECT_NE(curves.Choose({{"seed", "6"}}).Find("1"), nullptr);
}

TEST_F(CheckpointCurveTest, ADamagedFileIsNamed) {
  fs::create_directories(run_ / "all-checkpoints");
  std::ofstream(run_ / "all-checkpoints/evaluations.json") << R"({"curves": [{"settings": 3}]})";
  const Status status = CheckpointCurves::Open(run_).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("evaluations.json"));
}

TEST_F(CheckpointCurveTest, SettingsAreWhatAScoreDependsOn) {
  const Config config = testing_config::SmallConfig();
  const CurveSettings settings = CurveSettingsOf(config, 5);
  const auto changed = [&](auto change) {
    Config other = config;
    change(other);
    return CurveSettingsOf(other, 5) != settings;
  };
  EXPECT_NE(CurveSettingsOf(config, 6), settings);
  EXPECT_TRUE(changed([](Config& other) { other.evaluation.protocol = "noop30"; }));
  EXPECT_TRUE(changed([](Config& other) { other.evaluation.episodes = 3; }));
  EXPECT_TRUE(changed([](Config& other) { other.environment.options.sticky_actions = 0.5; }));
  EXPECT_TRUE(changed([](Config& other) { other.environment.name = "minatar/asterix"; }));
  EXPECT_FALSE(changed([](Config& other) { other.run.frames = 5; }));
  EXPECT_FALSE(changed([](Config& other) { other.evaluation.every_frames = 5; }));
}

TEST_F(CheckpointCurveTest, IsDrawnAndTabulatedForEachGame) {
  CheckpointCurves curves = CheckpointCurves::Open(run_).value();
  ASSERT_TRUE(curves.Draw().ok());  // nothing yet
  CheckpointCurve& curve = curves.Choose(settings_);
  for (const std::int64_t frames : {400, 800}) {
    CheckpointEvaluation each = At(frames, fmt::format("at {}", frames), std::to_string(frames));
    each.record.result.aggregate = "mean of both";
    each.record.result.games = {Of("minatar/breakout", {1, 3}), Of("minatar/asterix", {10, 20})};
    curve.Add(std::move(each));
  }
  ASSERT_TRUE(curves.Write().ok());
  ASSERT_TRUE(curves.Draw().ok());
  const std::string csv = ReadFile(curves.folder() / "evaluations.csv").value();
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 3);
  EXPECT_THAT(csv, HasSubstr("800,at 800,minatar/asterix,greedy,2,15,"));
  EXPECT_TRUE(fs::exists(curves.folder() / "curve.png"));
  EXPECT_TRUE(fs::exists(curves.folder() / "curve.svg"));
  const LearningCurveGrid grid = DrawCheckpointCurve(curve);
  ASSERT_THAT(grid.panels, SizeIs(2));
  EXPECT_EQ(grid.panels[1].title, "minatar/asterix");
  ASSERT_THAT(grid.panels[1].series.front().points, SizeIs(2));
  EXPECT_EQ(grid.panels[1].series.front().points[1].mean, 15);
  EXPECT_NEAR(grid.panels[1].series.front().points[1].high, 20, 1e-9);
}

}  // namespace
}  // namespace gorila
