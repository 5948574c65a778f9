// The table of all games: our scores beside random, human, DQN and Gorila. Pure.
#ifndef GORILA_SCORES_SCORE_TABLE_H_
#define GORILA_SCORES_SCORE_TABLE_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/evaluation/atari_scores.h"
#include "gorila/scores/score_results.h"
#include "gorila/scores/score_statistics.h"

namespace gorila {

struct ScoreTableOptions {
  Denominator denominator = Denominator::kSigned;
  BootstrapOptions bootstrap;
  std::string noop_protocol = "noop30";  // whose results stand beside the null-op starts
  std::string human_protocol = "human-starts";
};

// Whose scores these are.
enum class Agent { kDqn, kGorila, kOurs };
inline constexpr std::array kAllAgents = {Agent::kDqn, Agent::kGorila, Agent::kOurs};
std::string_view AgentName(Agent agent);  // "DQN", "Gorila", "ours"

struct ScoreRow {
  std::string game;
  PublishedScores published;
  std::vector<double> runs;  // our scores, one a run; empty: we have none

  // In the game's points, means over runs; NaN where there is none.
  double score(Agent agent) const;
  double Normalised(Agent agent, Denominator denominator) const;
};

// An agent over all games that it has scores of, or over those that we have scores of.
struct AgentSummary {
  std::string label;  // "DQN", "DQN, our games"
  ScoreAggregates aggregates;
  int above_dqn = 0;  // games with a higher score
  int above_human = 0;
};

struct ScoreSection {
  Starts starts = Starts::kNoop;
  std::string protocol;  // of our results
  std::vector<ScoreRow> rows;
  std::vector<AgentSummary> summaries;
  // Why ours are not of one agent, where games differ in more than the game; else empty.
  std::string mixture = {};
  std::string sharing = {};  // "ours: one network for all 5 games", where that is so

  bool HasOurs() const;
};

// A game without published scores, or an Atari game by another protocol.
struct OtherRow {
  std::string game;
  std::string protocol;
  std::vector<double> runs;
  std::string settings = {};  // ScoreGroup::label
};

struct ScoreTable {
  Denominator denominator = Denominator::kSigned;
  std::vector<ScoreSection> sections;  // null-op starts, human starts
  std::vector<OtherRow> others;        // in the order of game, protocol
};

// InvalidArgument where a game with published scores has ours of different settings (ScoreGroup):
// they have one column.
StatusOr<ScoreTable> MakeScoreTable(std::span<const PublishedGame> games,
                                    std::span<const ScoreResult> results,
                                    const ScoreTableOptions& options);

}  // namespace gorila

#endif  // GORILA_SCORES_SCORE_TABLE_H_
