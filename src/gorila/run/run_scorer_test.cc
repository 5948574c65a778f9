#include "gorila/run/run_scorer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "gorila/evaluation/protocol_label.h"
#include "gorila/run/testing.h"

namespace gorila {
namespace {

// A resumed run may evaluate by another protocol, or sample from its policy where it did not.
TEST(RunScorerTest, TheBestNetworkIsOneOfThePresentProtocol) {
  Config config = testing_config::SmallConfig();
  config.evaluation.periodic_episodes = 2;
  const auto path = std::filesystem::path(testing::TempDir()) / "gorila_run_scorer.jsonl";
  std::filesystem::remove(path);
  RunLog log = RunLog::Open(path, 0).value();
  const auto cluster = testing_run::MakeCluster(config);
  const std::string present = ConfiguredProtocolLabel(config).value();
  // No game of Catch returns 2.
  double counted = 0;  // the evaluations among which the best one was chosen
  const auto best_after = [&](const std::string& protocol) {
    RunScorer scorer(config);
    LoggedProgress logged;
    logged.evaluations = 6;
    scorer.ContinueFrom(logged);
    scorer.SetBest(BestNetwork{.mean = 2, .frames = 1, .parameters = {}, .protocol = protocol});
    const auto offered = scorer.Offer(
        {.frames = 50, .parameters = testing_run::ReadServer(*cluster).values}, log, {});
    EXPECT_EQ(offered.status(), OkStatus());
    counted = scorer.CountFields().front().value.Number().value();
    return *scorer.best();
  };
  EXPECT_EQ(best_after(present).frames, 1);
  EXPECT_EQ(counted, 7);
  EXPECT_EQ(best_after("").frames, 1) << "of an older version";
  const BestNetwork best = best_after(present + " with epsilon 0.5");
  EXPECT_EQ(best.frames, 50);
  EXPECT_EQ(best.protocol, present);
  EXPECT_EQ(counted, 1);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace gorila
