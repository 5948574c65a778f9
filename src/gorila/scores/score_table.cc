#include "gorila/scores/score_table.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "gorila/scores/score_groups.h"

namespace gorila {
namespace {

// Takes the group out of `groups`; null: there is none. Errors as MakeScoreTable.
StatusOr<std::optional<ScoreGroup>> TakeGroup(std::vector<ScoreGroup>& groups,
                                              const std::string& game,
                                              const std::string& protocol) {
  const auto is_ours = [&](const ScoreGroup& group) {
    return group.game == game && group.protocol == protocol;
  };
  const auto found = std::find_if(groups.begin(), groups.end(), is_ours);
  if (found == groups.end()) return std::optional<ScoreGroup>();
  if (found + 1 != groups.end() && is_ours(found[1])) {
    std::string all;
    for (auto group = found; group != groups.end() && is_ours(*group); ++group) {
      all +=
          fmt::format("{}{} ({})", all.empty() ? "" : "; ", group->label, group->sources.front());
    }
    return InvalidArgument(
        "{} by protocol {} has scores of different settings, which are not averaged: {}; expected "
        "the runs of one of them, or one .csv file with all scores",
        game, protocol, all);
  }
  std::optional<ScoreGroup> group = std::move(*found);
  groups.erase(found);
  return group;
}

// Why the groups are not of one agent.
std::string Mixture(const std::vector<ScoreGroup>& ours) {
  std::vector<const ScoreGroup*> groups;
  bool files = false;
  for (const ScoreGroup& group : ours) {
    groups.push_back(&group);
    files |= group.settings.empty() != ours.front().settings.empty() ||
             (group.settings.empty() && group.sources.front() != ours.front().sources.front());
  }
  const std::vector<std::string> keys = DifferingSettings(groups);
  if (!keys.empty()) {
    return fmt::format("ours: games differ in settings: {}", fmt::join(keys, ", "));
  }
  return files ? "ours: from several files, whose settings are not compared" : "";
}

// Whether one network plays several of the games, or different ones do; empty where each has its
// own.
std::string Sharing(const std::vector<ScoreGroup>& ours) {
  std::set<int> shared_by;
  for (const ScoreGroup& group : ours) shared_by.insert(group.shared_by);
  if (shared_by.empty() || *shared_by.rbegin() == 1) return "";
  if (shared_by.size() == 1) return fmt::format("ours: {}", SharedText(*shared_by.begin()));
  return "ours: some games share a network with others, some do not";
}

Status AddRows(std::span<const PublishedGame> games, std::vector<ScoreGroup>& groups,
               ScoreSection& section) {
  std::vector<ScoreGroup> ours;
  for (const PublishedGame& game : games) {
    ScoreRow row{.game = game.name, .published = game.scores(section.starts), .runs = {}};
    GORILA_ASSIGN_OR_RETURN(std::optional<ScoreGroup> group,
                            TakeGroup(groups, game.name, section.protocol));
    if (group.has_value()) {
      row.runs = group->scores;
      ours.push_back(*std::move(group));
    }
    section.rows.push_back(std::move(row));
  }
  section.mixture = Mixture(ours);
  section.sharing = Sharing(ours);
  return OkStatus();
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

StatusOr<ScoreTable> MakeScoreTable(std::span<const PublishedGame> games,
                                    std::span<const ScoreResult> results,
                                    const ScoreTableOptions& options) {
  std::vector<ScoreGroup> groups = GroupResults(results);
  ScoreTable table{.denominator = options.denominator, .sections = {}, .others = {}};
  for (const Starts starts : kAllStarts) {
    ScoreSection section{
        .starts = starts,
        .protocol = starts == Starts::kNoop ? options.noop_protocol : options.human_protocol,
        .rows = {},
        .summaries = {}};
    GORILA_RETURN_IF_ERROR(AddRows(games, groups, section));
    section.summaries = SummariseAll(section.rows, options);
    table.sections.push_back(std::move(section));
  }
  for (ScoreGroup& group : groups) {
    table.others.push_back({.game = std::move(group.game),
                            .protocol = std::move(group.protocol),
                            .runs = std::move(group.scores),
                            .settings = std::move(group.label)});
  }
  return table;
}

}  // namespace gorila
