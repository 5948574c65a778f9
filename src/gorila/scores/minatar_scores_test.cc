#include "gorila/scores/minatar_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "gorila/base/file.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/game_aggregate.h"

namespace gorila {
namespace {

using testing::HasSubstr;

constexpr const char* kHeaderLine =
    "game,agent,frames,actions,step_limit,measure,score,runs,epsilon,obtained,oxygen_fix,source,"
    "note\n";

PublishedMinAtarScore RowOf(const std::string& line) {
  const auto rows = ParsePublishedMinAtarScores(kHeaderLine + line);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows->at(0);
}

TEST(MinAtarScoresTest, IsTheFileOfTheSources) {
  EXPECT_EQ(ReadFile(std::string(GORILA_SOURCE_DIR) + "/data/minatar/published.csv").value(),
            MinAtarScoresText());
}

TEST(MinAtarScoresTest, GamesAreThoseOfTheRegistry) {
  std::vector<std::string_view> names;
  for (const EnvironmentRow& row : EnvironmentTable()) {
    if (row.name.starts_with("minatar/")) names.push_back(row.name);
  }
  EXPECT_THAT(names, testing::ElementsAreArray(kMinAtarGames));
}

TEST(MinAtarScoresTest, EveryGameHasTheAuthorsOwnDqn) {
  for (const std::string_view game : kMinAtarGames) {
    const auto& rows = PublishedMinAtarScores();
    const auto dqn = std::find_if(rows.begin(), rows.end(), [&](const auto& row) {
      return row.game == game && row.agent == "DQN" && row.source == "Young & Tian 2019";
    });
    ASSERT_NE(dqn, rows.end()) << game;
    EXPECT_EQ(dqn->frames, 5'000'000);
    EXPECT_EQ(dqn->runs, "30");
    EXPECT_EQ(dqn->epsilon, 0.1);
    EXPECT_FALSE(dqn->minimal_actions);
  }
}

TEST(MinAtarScoresTest, SeaquestsTrainingReturnsAreOfTheEarlierGame) {
  for (const PublishedMinAtarScore& row : PublishedMinAtarScores()) {
    EXPECT_EQ(row.before_oxygen_fix,
              row.game == "minatar/seaquest" && row.measure == MinAtarMeasure::kTraining)
        << row.game << ' ' << row.agent << ' ' << row.source;
  }
}

TEST(MinAtarScoresTest, EvaluationsAreToldFromTrainingReturns) {
  for (const PublishedMinAtarScore& row : PublishedMinAtarScores()) {
    EXPECT_EQ(row.measure == MinAtarMeasure::kEvaluation, row.source == "pgx") << row.agent;
    EXPECT_EQ(row.minimal_actions, row.source == "pgx") << row.agent;
  }
}

TEST(MinAtarScoresTest, FreewaysOwnLimitIsNoOtherProtocol) {
  EXPECT_EQ(RowOf("freeway,SAC,5000000,all,2500,training,26,20,,plot,,A,\n").step_limit, 0);
  EXPECT_EQ(RowOf("freeway,SAC,5000000,all,2000,training,26,20,,plot,,A,\n").step_limit, 2000);
  EXPECT_EQ(RowOf("asterix,SAC,5000000,all,2500,training,32,20,,plot,,A,\n").step_limit, 2500);
}

TEST(MinAtarScoresTest, RefusesADamagedTable) {
  const auto message = [](const std::string& text) {
    const Status status = ParsePublishedMinAtarScores(text).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    return std::string(status.message());
  };
  const std::string header = kHeaderLine;
  EXPECT_THAT(message("game,score\n"), HasSubstr("begins with 'game,score'"));
  EXPECT_THAT(message(header + "asterix,DQN\n"), HasSubstr("has 2 columns"));
  EXPECT_THAT(message(header + "pong,DQN,5,all,0,training,1,,,plot,,A,\n"),
              HasSubstr("'minatar/pong' is not a game"));
  EXPECT_THAT(message(header + "asterix,,5,all,0,training,1,,,plot,,A,\n"), HasSubstr("is empty"));
  EXPECT_THAT(message(header + "asterix,DQN,5.5,all,0,training,1,,,plot,,A,\n"),
              HasSubstr("'5.5' is not a count"));
  EXPECT_THAT(message(header + "asterix,DQN,5,some,0,training,1,,,plot,,A,\n"),
              HasSubstr("'some' is not 'minimal' or 'all'"));
  EXPECT_THAT(message(header + "asterix,DQN,5,all,0,training,high,,,plot,,A,\n"),
              HasSubstr("'high' is not a number"));
  EXPECT_THAT(message(header + "asterix,DQN,5,all,0,training,1,,low,plot,,A,\n"),
              HasSubstr("'low' is not a number"));
  EXPECT_THAT(message(header + "asterix,DQN,5,all,0,training,1,,,plot,,,\n"),
              HasSubstr("is empty"));
  const std::string row = "asterix,DQN,5,all,0,training,1,,,plot,,A,\n";
  EXPECT_THAT(message(header + row + row), HasSubstr("is there twice"));
}

TEST(MinAtarReferencesTest, TheAggregateOfSeveralGamesRefersToPublishedScores) {
  EXPECT_EQ(MinAtarReferences().size(), kMinAtarGames.size());
  for (const GameReference& reference : MinAtarReferences()) {
    const auto& rows = PublishedMinAtarScores();
    const auto dqn = std::find_if(rows.begin(), rows.end(), [&](const PublishedMinAtarScore& row) {
      return row.game == reference.game && row.agent == "DQN" &&
             row.source == "Young & Tian 2019" && row.measure == MinAtarMeasure::kTraining;
    });
    ASSERT_NE(dqn, rows.end()) << reference.game;
    EXPECT_EQ(dqn->score, reference.reference) << reference.game;
  }
}

}  // namespace
}  // namespace gorila
