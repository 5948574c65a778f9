#include "gorila/run/run_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/checkpoint/safetensors.h"
#include "gorila/config/config_load.h"
#include "gorila/report/evaluation_record.h"
#include "gorila/report/run_summary.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

// A run that ended at 12,000 frames, with the network of 9,000 as the best.
class RunResultsTest : public testing::Test {
 protected:
  RunResultsTest()
      : run_(fs::path(testing::TempDir()) /
             fmt::format("{}-{}", testing::UnitTest::GetInstance()->current_test_info()->name(),
                         ::getpid())) {}
  ~RunResultsTest() override { fs::remove_all(run_); }

  void Finish() const {
    fs::remove_all(run_);
    fs::create_directories(run_ / "evaluations");
    Write("config.toml", RunConfigText(Config()));
    EvaluationRecord record;
    record.environment = "classic/catch";
    record.result.protocol = "greedy";
    record.result.returns = {1};
    Write("evaluation.json", EncodeEvaluation(record));
    for (const char* const name : {"report.html", "report.md", "report.json", "curve.png",
                                   "curve.svg", "episode.gif", "evaluations/sticky.json"}) {
      Write(name, "{}");
    }
    Write("final.safetensors",
          EncodeSafetensors(std::vector<NamedTensor>(), {{"frames", "9000"}}).value());
    Checkpoint(12000);
  }
  void Write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(WriteFileAtomically(run_ / name, text).ok());
  }
  // As far as its number is looked at.
  void Checkpoint(int frames) const {
    fs::create_directories(run_ / "checkpoints" / fmt::format("{:012}", frames));
  }
  std::vector<std::string> Left() const {
    std::vector<std::string> left;
    for (const auto& entry : fs::directory_iterator(run_)) {
      const std::string name = entry.path().filename().string();
      if (name != "config.toml" && name != "checkpoints") left.push_back(name);
    }
    return left;
  }

  const fs::path run_;
};

TEST_F(RunResultsTest, NothingOfAnEarlierEndStays) {
  Finish();
  EXPECT_TRUE(FinalNetworkIsNewest(run_));
  ASSERT_TRUE(RemoveResults(run_).ok());
  EXPECT_THAT(Left(), testing::IsEmpty());
  EXPECT_TRUE(RemoveResults(run_).ok());
  EXPECT_TRUE(MarkUnfinished(run_).ok());
}

TEST_F(RunResultsTest, WhoeverIsKilledBetweenTwoRemovalsLeavesAnUnfinishedRun) {
  int steps = 0;
  for (int survived = 0; survived <= steps; ++survived) {
    Finish();
    int step = 0;
    const Status status = RemoveResults(run_, [&](const fs::path& path) -> Status {
      if (step == survived) return Unavailable("killed");
      ++step;
      fs::remove_all(path);
      return OkStatus();
    });
    EXPECT_EQ(status.ok(), Left().empty());
    if (survived == 0) {
      // Nothing has changed, and no newer state may be written.
      EXPECT_TRUE(ReadFinalEvaluation(run_).ok());
      EXPECT_TRUE(FinalNetworkIsNewest(run_));
    } else {
      for (const int newest : {12000, 13000}) {
        Checkpoint(newest);
        EXPECT_TRUE(absl::IsNotFound(ReadFinalEvaluation(run_).status())) << survived;
        EXPECT_FALSE(FinalNetworkIsNewest(run_)) << survived;
        const RunSummary summary = ReadRun({"run", run_}).value();
        EXPECT_FALSE(summary.evaluation.has_value()) << survived;
        EXPECT_EQ(summary.film, "") << survived;
      }
    }
    if (!status.ok()) steps = survived + 1;
  }
  EXPECT_GE(steps, 9) << "a result is not removed";
}

}  // namespace
}  // namespace gorila
