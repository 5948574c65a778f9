#include "gorila/simulation/run_oracle.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "gorila/run/parameter_file.h"

namespace gorila::simulation {
namespace {

// A run of 100 frames with a network of two parameters.
class RunOracleTest : public testing::Test {
 protected:
  RunOracleTest() {
    layout_.tensors = {{.name = "weights", .shape = {2}, .offset = 0, .size = 2}};
    layout_.size = 2;
    oracle_.SetRun(100, layout_);
  }

  static TrainingOutcome Outcome(std::uint64_t frames, bool finished = true) {
    TrainingOutcome outcome;
    outcome.finished = finished;
    outcome.progress.frames = frames;
    return outcome;
  }
  std::string Network(float value) const {
    return EncodeParameters(layout_, std::vector<float>{1, value}, {}).value();
  }
  bool Finds(const std::string& text) const { return found_.find(text) != std::string::npos; }

  ParameterLayout layout_;
  std::string found_;
  RunOracle oracle_{[this](const std::string& what) { found_ += what + "\n"; }};
};

TEST_F(RunOracleTest, AcceptsWhatARunDoes) {
  oracle_.Shows(1, 0);
  oracle_.Answered(1, 50);
  oracle_.Shows(1, 50);
  oracle_.Ended(Outcome(50, /*finished=*/false));
  oracle_.Ended(Outcome(101));
  oracle_.CheckFiles({{"final.safetensors", Network(2)},
                      {"metrics.jsonl",
                       "{\"kind\":\"evaluation\",\"frames\":10}\n"
                       "{\"kind\":\"evaluation\",\"frames\":20}\n"
                       "{\"kind\":\"evalu"},
                      {"pending-30.safetensors.tmp", "half"}});
  EXPECT_EQ(found_, "");
  EXPECT_EQ(oracle_.counters().finished, 1);
  EXPECT_EQ(oracle_.counters().stopped, 1);
  EXPECT_EQ(oracle_.counters().networks, 1);
}

TEST_F(RunOracleTest, FindsFramesThatNobodyTold) {
  oracle_.Answered(1, 50);
  oracle_.Answered(2, 70);
  oracle_.Shows(1, 70);
  EXPECT_TRUE(Finds("the coordinator shows 70 frames; shard 0 told it of 50")) << found_;
}

TEST_F(RunOracleTest, FindsAnAnswerThatIsShownTooLate) {
  oracle_.Answered(1, 50);
  oracle_.Answered(1, 60);
  oracle_.Shows(1, 50);  // the second was lost
  oracle_.Answered(1, 70);
  oracle_.Shows(1, 70);
  EXPECT_EQ(found_, "");
  oracle_.Shows(1, 60);
  EXPECT_TRUE(Finds("the coordinator shows 60 frames; shard 0 told it of 70")) << found_;
}

TEST_F(RunOracleTest, FindsARunThatIsFinishedTooEarly) {
  oracle_.Ended(Outcome(99));
  EXPECT_TRUE(Finds("finished at 99 of its 100 frames")) << found_;
}

TEST_F(RunOracleTest, FindsANetworkThatIsNotWhole) {
  const std::string whole = Network(2);
  oracle_.CheckFiles({{"milestones/frames-000000000010.safetensors", whole.substr(0, 20)}});
  EXPECT_TRUE(Finds("'milestones/frames-000000000010.safetensors': ")) << found_;
}

TEST_F(RunOracleTest, FindsANetworkThatIsNoNumbers) {
  oracle_.CheckFiles({{"best.safetensors", Network(std::numeric_limits<float>::quiet_NaN())}});
  EXPECT_TRUE(Finds("'best.safetensors': ")) << found_;
}

TEST_F(RunOracleTest, FindsAnEvaluationThatCameTwice) {
  const std::string record = "{\"kind\":\"evaluation\",\"frames\":10}\n";
  oracle_.BeganServing();
  oracle_.BeganServing();  // and the run may have come to 10 frames again
  oracle_.CheckFiles({{"metrics.jsonl", record + record}});
  EXPECT_EQ(found_, "");
  oracle_.CheckFiles({{"metrics.jsonl", record + record + record}});
  EXPECT_TRUE(Finds("of 10 frames was evaluated 3 times, in 2 generations")) << found_;
}

TEST_F(RunOracleTest, FindsALineThatIsNone) {
  oracle_.CheckFiles({{"metrics.jsonl", "###\n"}});
  EXPECT_TRUE(Finds("the run's log: ")) << found_;
}

TEST_F(RunOracleTest, FindsThatTheFinalNetworkIsMissing) {
  oracle_.Ended(Outcome(100));
  oracle_.CheckFiles({});
  EXPECT_TRUE(Finds("its final network is not there")) << found_;
}

TEST_F(RunOracleTest, AFolderThatWasLostHasNothing) {
  oracle_.Ended(Outcome(100));
  oracle_.LoseFolder();
  oracle_.CheckFiles({});
  EXPECT_EQ(found_, "");
}

}  // namespace
}  // namespace gorila::simulation
