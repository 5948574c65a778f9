#include "gorila/scores/minatar_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "gorila/metrics/curve_aggregation.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double kFrames = 5e6;

PublishedMinAtarScore PublishedOf(const std::string& agent, std::int64_t frames, double score) {
  return {.game = "minatar/breakout",
          .agent = agent,
          .frames = frames,
          .score = score,
          .runs = "30",
          .epsilon = 0.1,
          .source = "An article",
          .note = ""};
}

std::vector<PublishedMinAtarScore> Rows() {
  std::vector<PublishedMinAtarScore> rows = {
      PublishedOf("DQN", 5'000'000, 10), PublishedOf("AC", 5'000'000, 17.5),
      PublishedOf("DQN", 10'000'000, 7.5), PublishedOf("SAC", 5'000'000, 15),
      PublishedOf("PPO", 20'000'000, 50)};
  rows[3].step_limit = 2500;
  rows[4].minimal_actions = true;
  rows[4].measure = MinAtarMeasure::kEvaluation;
  rows[4].epsilon = std::nullopt;
  return rows;
}

Config ConfigOf(std::uint64_t seed) {
  Config config;
  config.environment.name = "minatar/breakout";
  config.run.seed = seed;
  return config;
}

void AddRun(const Config& config, double frames, double training_return, double evaluation,
            MinAtarRuns& ours) {
  RunSummary run;
  run.directory = fmt::format("runs/seed{}", config.run.seed);
  run.label = DefaultLabel(run.directory);
  run.config = config;
  run.evaluation.emplace();
  run.evaluation->result.protocol = "greedy";
  run.evaluation->result.returns = {evaluation};
  run.evaluation->result.summary.mean = evaluation;
  RecentReturn training;
  const std::string mean =
      std::isfinite(training_return) ? fmt::to_string(training_return) : "null";
  training.Add(ParseRunLogLine(fmt::format("{{\"kind\":\"training\",\"frames\":{},"
                                           "\"return_episodes\":{},\"return_mean\":{},"
                                           "\"epsilon\":0.01}}",
                                           frames, std::isfinite(training_return) ? 9 : 0, mean))
                   .value());
  ours.runs.push_back(std::move(run));
  ours.training.push_back(std::move(training));
}

// The table of one run with these settings.
std::vector<MinAtarSection> TableOf(const Config& config, double frames = kFrames,
                                    double training_return = 12) {
  MinAtarRuns ours;
  AddRun(config, frames, training_return, 20, ours);
  return MakeMinAtarTable(Rows(), ours);
}

std::vector<std::string> Agents(const MinAtarSection& section) {
  std::vector<std::string> agents;
  for (const MinAtarRow& row : section.rows) agents.push_back(row.ours ? "ours" : row.agent);
  return agents;
}

TEST(MinAtarTableTest, WithoutRunsAllPublishedRowsAreThere) {
  const auto sections = MakeMinAtarTable(Rows(), {});
  ASSERT_THAT(sections, SizeIs(2));
  EXPECT_THAT(Agents(sections[0]), ElementsAre("AC", "DQN", "SAC", "DQN"));
  EXPECT_EQ(sections[1].measure, MinAtarMeasure::kEvaluation);
  EXPECT_THAT(Agents(sections[1]), ElementsAre("PPO"));
}

TEST(MinAtarTableTest, SeedsAreAveragedBesideRowsOfTheSameProtocol) {
  MinAtarRuns ours;
  AddRun(ConfigOf(1), kFrames, 12, 20, ours);
  AddRun(ConfigOf(2), kFrames + 24, 16, 22, ours);
  const auto sections = MakeMinAtarTable(Rows(), ours);
  ASSERT_THAT(sections, SizeIs(2));
  EXPECT_THAT(Agents(sections[0]), ElementsAre("ours", "AC", "DQN"));
  const MinAtarRow& row = sections[0].rows[0];
  EXPECT_EQ(row.score, 14);
  EXPECT_NEAR(row.half_interval, StudentQuantile975(1) * 2, 1e-9);
  EXPECT_DOUBLE_EQ(row.epsilon, 0.01);
  EXPECT_EQ(row.runs, "2");
  EXPECT_EQ(row.source, "runs");
  EXPECT_THAT(row.obstacles, IsEmpty());
  // The score of the evaluation is in a table of its own.
  EXPECT_EQ(sections[1].rows[0].score, 21);
  EXPECT_EQ(sections[1].rows[0].epsilon, 0);
}

TEST(MinAtarTableTest, OneRunHasNoInterval) {
  const MinAtarRow row = TableOf(ConfigOf(1))[0].rows[0];
  EXPECT_EQ(row.score, 12);
  EXPECT_TRUE(std::isnan(row.half_interval));
  EXPECT_EQ(row.source, "runs/seed1");
}

TEST(MinAtarTableTest, OtherSettingsHaveARowOfTheirOwn) {
  MinAtarRuns ours;
  AddRun(ConfigOf(1), kFrames, 12, 20, ours);
  Config other = ConfigOf(2);
  other.replay.options.transition.n_step += 4;
  AddRun(other, 2 * kFrames, 16, 22, ours);
  const auto sections = MakeMinAtarTable(Rows(), ours);
  EXPECT_THAT(Agents(sections[0]), ElementsAre("ours", "AC", "DQN", "ours", "DQN"));
  EXPECT_THAT(sections[0].rows[3].agent, HasSubstr("learner.n_step="));
}

TEST(MinAtarTableTest, AnotherProtocolIsNamedAndNothingStandsBesideIt) {
  const auto obstacles = [](const Config& config, double frames = kFrames) {
    const auto sections = TableOf(config, frames);
    EXPECT_THAT(Agents(sections[0]), ElementsAre("ours"));
    return sections[0].rows[0].obstacles;
  };
  EXPECT_THAT(obstacles(ConfigOf(1), 12000), ElementsAre("12.0k frames (published: 5.00M, 10.0M)"));
  EXPECT_THAT(obstacles(ConfigOf(1), 1.02 * kFrames), SizeIs(1));
  Config config = ConfigOf(1);
  config.environment.options.sticky_actions = 0.25;
  EXPECT_THAT(obstacles(config), ElementsAre("sticky actions 0.25 (published: 0.1)"));
  config = ConfigOf(1);
  config.environment.options.minimal_actions = true;
  EXPECT_THAT(obstacles(config),
              ElementsAre("the minimal action set (published: all six actions)"));
  config = ConfigOf(1);
  config.environment.options.max_episode_steps = 500;
  EXPECT_THAT(
      obstacles(config),
      ElementsAre("episodes up to 500 steps (published: the game's own limit, 2500 steps)"));
}

TEST(MinAtarTableTest, RampingMattersWhereTheGameHasIt) {
  Config config = ConfigOf(1);
  config.environment.options.difficulty_ramping = false;
  EXPECT_THAT(TableOf(config)[0].rows[0].obstacles, IsEmpty());  // Breakout never gets faster
  config.environment.name = "minatar/asterix";
  MinAtarRuns ours;
  AddRun(config, kFrames, 12, 20, ours);
  std::vector<PublishedMinAtarScore> rows = Rows();
  for (PublishedMinAtarScore& row : rows) row.game = "minatar/asterix";
  EXPECT_THAT(MakeMinAtarTable(rows, ours)[0].rows[0].obstacles,
              ElementsAre("no difficulty ramping (published: with it)"));
}

TEST(MinAtarTableTest, ALimitOfStepsHasItsOwnRows) {
  Config config = ConfigOf(1);
  config.environment.options.max_episode_steps = 2500;
  EXPECT_THAT(Agents(TableOf(config)[0]), ElementsAre("ours", "SAC"));
}

TEST(MinAtarTableTest, EvaluationsStandBesideEvaluationsOnly) {
  EXPECT_THAT(Agents(TableOf(ConfigOf(1))[1]), ElementsAre("ours"));
  EXPECT_THAT(TableOf(ConfigOf(1))[1].rows[0].obstacles,
              ElementsAre("5.00M frames (published: 20.0M)",
                          "all six actions (published: the minimal action set)"));
  Config config = ConfigOf(1);
  config.environment.options.minimal_actions = true;
  EXPECT_THAT(Agents(TableOf(config, 2e7)[1]), ElementsAre("ours", "PPO"));
}

TEST(MinAtarTableTest, AnEpsilonBesideNoisyLayersIsNotAllOfTheExploration) {
  Config config = ConfigOf(1);
  EXPECT_THAT(TableOf(config)[0].rows.at(0).notes, IsEmpty());
  config.learner.agent.noise = 0.5;
  EXPECT_THAT(TableOf(config)[0].rows.at(0).notes, ElementsAre("explores by noisy layers too"));
}

TEST(MinAtarTableTest, WhereAPolicyIsSampledFromTheRowSaysSo) {
  Config config = ConfigOf(1);
  config.learner.agent.algorithm = "vtrace";
  EXPECT_THAT(TableOf(config)[0].rows.at(0).notes, ElementsAre("samples from its policy"));
}

TEST(MinAtarTableTest, RunsOfUnlikeLengthsAreNotComparable) {
  MinAtarRuns ours;
  AddRun(ConfigOf(1), kFrames, 12, 20, ours);
  AddRun(ConfigOf(2), kFrames / 2, 16, 22, ours);
  const MinAtarRow row = MakeMinAtarTable(Rows(), ours)[0].rows.at(0);
  EXPECT_THAT(row.obstacles, ElementsAre("2.50M-5.00M frames (published: 5.00M, 10.0M)"));
  EXPECT_EQ(row.least_frames, 2'500'000);
  EXPECT_EQ(row.most_frames, 5'000'000);
}

TEST(MinAtarTableTest, ALogWithoutEpisodesHasNoTrainingReturn) {
  const MinAtarRow row = TableOf(ConfigOf(1), kFrames, std::nan(""))[0].rows.at(0);
  EXPECT_TRUE(std::isnan(row.score));
  EXPECT_THAT(row.obstacles, ElementsAre(HasSubstr("no training episode ended")));
}

}  // namespace
}  // namespace gorila
