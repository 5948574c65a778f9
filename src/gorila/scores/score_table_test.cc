#include "gorila/scores/score_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace gorila {
namespace {

// Runs of one suite.
std::vector<ScoreResult> Runs(std::vector<ScoreResult> results) {
  for (ScoreResult& result : results) result.settings = {{"learner.n_step", "3"}};
  return results;
}

ScoreTable Table(Denominator denominator = Denominator::kSigned,
                 const std::vector<ScoreResult>& results = {}) {
  return MakeScoreTable(PublishedAtariGames(), results,
                        {.denominator = denominator, .bootstrap = {.resamples = 0}})
      .value();
}

const ScoreSection& Section(const ScoreTable& table, Starts starts) {
  return *std::find_if(table.sections.begin(), table.sections.end(),
                       [&](const ScoreSection& section) { return section.starts == starts; });
}

const AgentSummary& Summary(const ScoreSection& section, std::string_view label) {
  const auto found =
      std::find_if(section.summaries.begin(), section.summaries.end(),
                   [&](const AgentSummary& summary) { return summary.label == label; });
  GORILA_CHECK(found != section.summaries.end(), "no summary '{}'", label);
  return *found;
}

void ExpectAggregates(const AgentSummary& summary, double mean, double median) {
  EXPECT_NEAR(summary.aggregates.mean.value, mean, 0.051);
  EXPECT_NEAR(summary.aggregates.median.value, median, 0.051);
}

// The numbers that the paper's abstract and section 6 report.
TEST(PublishedAggregatesTest, HumanStartsWithTheSignedDenominator) {
  const ScoreTable table = Table();
  const ScoreSection& section = Section(table, Starts::kHuman);
  EXPECT_EQ(Summary(section, "Gorila").above_dqn, 41);
  EXPECT_EQ(Summary(section, "Gorila").aggregates.games, 49u);
  ExpectAggregates(Summary(section, "Gorila"), 215.2, 71.3);
  ExpectAggregates(Summary(section, "DQN"), 122.2, 47.5);
}

TEST(PublishedAggregatesTest, HumanStartsWithTheAbsoluteDenominator) {
  const ScoreTable table = Table(Denominator::kAbsolute);
  const ScoreSection& section = Section(table, Starts::kHuman);
  ExpectAggregates(Summary(section, "Gorila"), 293.0, 78.0);
  EXPECT_EQ(Summary(section, "Gorila").above_dqn, 41);
}

TEST(PublishedAggregatesTest, NoopStarts) {
  const ScoreTable table = Table();
  const ScoreSection& section = Section(table, Starts::kNoop);
  EXPECT_EQ(Summary(section, "Gorila").above_dqn, 31);
  ExpectAggregates(Summary(section, "Gorila"), 495.2, 96.4);
  ExpectAggregates(Summary(section, "DQN"), 241.1, 93.5);
}

TEST(PublishedAggregatesTest, GorilaFellBehindDqnInTheEightGamesThatThePaperNames) {
  std::vector<std::string> behind;
  const ScoreTable table = Table();
  for (const ScoreRow& row : Section(table, Starts::kHuman).rows) {
    if (row.score(Agent::kGorila) <= row.score(Agent::kDqn)) behind.push_back(row.game);
  }
  EXPECT_EQ(behind, (std::vector<std::string>{"assault", "beam_rider", "enduro", "freeway", "hero",
                                              "kangaroo", "space_invaders", "star_gunner"}));
}

TEST(ScoreTableTest, OurRunsStandBesideTheStartsOfTheirProtocol) {
  const ScoreTable table = Table(Denominator::kSigned, Runs({{"pong", "noop30", 9.3, "a"},
                                                             {"pong", "noop30", 39.3, "b"},
                                                             {"pong", "human-starts", 15.5, "c"},
                                                             {"alien", "noop30", 227.8, "d"}}));
  const ScoreSection& noop = Section(table, Starts::kNoop);
  const auto pong = std::find_if(noop.rows.begin(), noop.rows.end(),
                                 [](const ScoreRow& row) { return row.game == "pong"; });
  EXPECT_EQ(pong->runs, (std::vector<double>{9.3, 39.3}));
  EXPECT_DOUBLE_EQ(pong->score(Agent::kOurs), 24.3);
  EXPECT_DOUBLE_EQ(pong->Normalised(Agent::kOurs, Denominator::kSigned), 150);
  const AgentSummary& ours = Summary(noop, "ours");
  EXPECT_EQ(ours.aggregates.games, 2u);
  EXPECT_DOUBLE_EQ(ours.aggregates.mean.value, 75);
  EXPECT_EQ(ours.above_dqn, 1);
  EXPECT_EQ(ours.above_human, 1);
  EXPECT_EQ(Summary(noop, "DQN, our games").aggregates.games, 2u);
  EXPECT_EQ(Summary(Section(table, Starts::kHuman), "ours").aggregates.games, 1u);
  EXPECT_TRUE(table.others.empty());
}

TEST(ScoreTableTest, AllGamesOfOursNeedNoComparisonOverFewer) {
  std::vector<ScoreResult> results;
  for (const PublishedGame& game : PublishedAtariGames()) {
    results.push_back({game.name, "noop30", game.noop.gorila, "run"});
  }
  const ScoreTable table = Table(Denominator::kSigned, results);
  const ScoreSection& section = Section(table, Starts::kNoop);
  ASSERT_EQ(section.summaries.size(), 3u);
  EXPECT_EQ(Summary(section, "ours").above_dqn, 31);
  ExpectAggregates(Summary(section, "ours"), 495.2, 96.4);
}

TEST(ScoreTableTest, GamesAndProtocolsWithoutPublishedScoresAreKeptApart) {
  const ScoreTable table =
      Table(Denominator::kSigned, Runs({{"pixel/breakout", "noop30", 12, "a"},
                                        {"pong", "sticky", 3, "b"},
                                        {"pixel/breakout", "noop30", 14, "c"}}));
  ASSERT_EQ(table.others.size(), 2u);
  EXPECT_EQ(table.others[0].game, "pixel/breakout");
  EXPECT_EQ(table.others[0].runs, (std::vector<double>{12, 14}));
  EXPECT_EQ(table.others[1].protocol, "sticky");
  EXPECT_FALSE(Section(table, Starts::kNoop).HasOurs());
}

TEST(ScoreTableTest, OneColumnHasScoresOfOneSettingOnly) {
  std::vector<ScoreResult> results =
      Runs({{"pong", "noop30", 9.3, "a/seed1"}, {"pong", "noop30", 39.3, "b/seed1"}});
  results[1].settings = {{"learner.n_step", "1"}};
  const auto table =
      MakeScoreTable(PublishedAtariGames(), results, {.bootstrap = {.resamples = 0}});
  ASSERT_TRUE(absl::IsInvalidArgument(table.status())) << table.status();
  for (const char* part :
       {"pong by protocol noop30", "learner.n_step=3 (a/seed1)", "learner.n_step=1 (b/seed1)"}) {
    EXPECT_NE(table.status().message().find(part), std::string::npos) << table.status();
  }
}

TEST(ScoreTableTest, AnAggregateOverGamesOfDifferentSettingsSaysSo) {
  std::vector<ScoreResult> results =
      Runs({{"pong", "noop30", 9.3, "a"}, {"alien", "noop30", 39.3, "b"}});
  EXPECT_EQ(Section(Table(Denominator::kSigned, results), Starts::kNoop).mixture, "");
  results[1].settings = {{"learner.n_step", "1"}};
  EXPECT_EQ(Section(Table(Denominator::kSigned, results), Starts::kNoop).mixture,
            "ours: games differ in settings: learner.n_step");
  results[1].settings = {};
  EXPECT_EQ(Section(Table(Denominator::kSigned, results), Starts::kNoop).mixture,
            "ours: from several files, whose settings are not compared");
}

TEST(ScoreTableTest, AnotherProtocolCanStandBesideNoopStarts) {
  const std::vector<ScoreResult> results = {{"pong", "sticky", 3, "b"}};
  const ScoreTable table =
      MakeScoreTable(PublishedAtariGames(), results,
                     {.bootstrap = {.resamples = 0}, .noop_protocol = "sticky"})
          .value();
  EXPECT_TRUE(Section(table, Starts::kNoop).HasOurs());
  EXPECT_EQ(Section(table, Starts::kNoop).protocol, "sticky");
}

}  // namespace
}  // namespace gorila
