#include "gorila/scores/score_table.h"

#include <algorithm>
#include <map>
#include <utility>

namespace gorila {
namespace {

using RunsByGame = std::map<std::pair<std::string, std::string>, std::vector<double>>;

std::vector<double> TakeRuns(RunsByGame& runs, const std::string& game,
                             const std::string& protocol) {
  const auto found = runs.extract({game, protocol});
  return found.empty() ? std::vector<double>() : found.mapped();
}

std::vector<ScoreRow> MakeRows(std::span<const PublishedGame> games, Starts starts,
                               const std::string& protocol, RunsByGame& runs) {
  std::vector<ScoreRow> rows;
  for (const PublishedGame& game : games) {
    rows.push_back({.game = game.name,
                    .published = game.scores(starts),
                    .runs = TakeRuns(runs, game.name, protocol)});
  }
  return rows;
}

// The runs of a game, normalised; a published agent has one.
std::vector<double> NormalisedRuns(const ScoreRow& row, Agent agent, Denominator denominator) {
  if (agent != Agent::kOurs) return {row.Normalised(agent, denominator)};
  std::vector<double> normalised;
  for (const double score : row.runs) {
    normalised.push_back(
        NormalisedScore(score, {row.published.random, row.published.human}, denominator));
  }
  return normalised;
}

AgentSummary Summarise(std::span<const ScoreRow> rows, Agent agent, std::string label,
                       const ScoreTableOptions& options) {
  AgentSummary summary{.label = std::move(label), .aggregates = {}};
  std::vector<std::vector<double>> games;
  for (const ScoreRow& row : rows) {
    if (agent == Agent::kOurs && row.runs.empty()) continue;
    games.push_back(NormalisedRuns(row, agent, options.denominator));
    summary.above_dqn += row.score(agent) > row.published.dqn ? 1 : 0;
    summary.above_human += row.score(agent) > row.published.human ? 1 : 0;
  }
  summary.aggregates = AggregateScores(games, options.bootstrap);
  return summary;
}

std::vector<AgentSummary> SummariseAll(std::span<const ScoreRow> rows,
                                       const ScoreTableOptions& options) {
  std::vector<AgentSummary> summaries;
  for (const Agent agent : {Agent::kDqn, Agent::kGorila}) {
    summaries.push_back(Summarise(rows, agent, std::string(AgentName(agent)), options));
  }
  std::vector<ScoreRow> ours;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(ours),
               [](const ScoreRow& row) { return !row.runs.empty(); });
  if (ours.empty()) return summaries;
  if (ours.size() < rows.size()) {
    for (const Agent agent : {Agent::kDqn, Agent::kGorila}) {
      summaries.push_back(
          Summarise(ours, agent, fmt::format("{}, our games", AgentName(agent)), options));
    }
  }
  summaries.push_back(Summarise(ours, Agent::kOurs, "ours", options));
  return summaries;
}

}  // namespace

std::string_view AgentName(Agent agent) {
  switch (agent) {
    case Agent::kDqn:
      return "DQN";
    case Agent::kGorila:
      return "Gorila";
    case Agent::kOurs:
      break;
  }
  return "ours";
}

double ScoreRow::score(Agent agent) const {
  switch (agent) {
    case Agent::kDqn:
      return published.dqn;
    case Agent::kGorila:
      return published.gorila;
    case Agent::kOurs:
      break;
  }
  return Mean(runs);
}

double ScoreRow::Normalised(Agent agent, Denominator denominator) const {
  return NormalisedScore(score(agent), {published.random, published.human}, denominator);
}

bool ScoreSection::HasOurs() const {
  return std::any_of(rows.begin(), rows.end(),
                     [](const ScoreRow& row) { return !row.runs.empty(); });
}

ScoreTable MakeScoreTable(std::span<const PublishedGame> games,
                          std::span<const ScoreResult> results, const ScoreTableOptions& options) {
  RunsByGame runs;
  for (const ScoreResult& result : results) {
    runs[{result.game, result.protocol}].push_back(result.score);
  }
  ScoreTable table{.denominator = options.denominator, .sections = {}, .others = {}};
  for (const Starts starts : kAllStarts) {
    const std::string& protocol =
        starts == Starts::kNoop ? options.noop_protocol : options.human_protocol;
    ScoreSection section{.starts = starts,
                         .protocol = protocol,
                         .rows = MakeRows(games, starts, protocol, runs),
                         .summaries = {}};
    section.summaries = SummariseAll(section.rows, options);
    table.sections.push_back(std::move(section));
  }
  for (auto& [key, scores] : runs) {
    table.others.push_back({.game = key.first, .protocol = key.second, .runs = std::move(scores)});
  }
  return table;
}

}  // namespace gorila
