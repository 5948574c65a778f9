#include "gorila/scores/score_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gorila/scores/text_grid.h"

namespace gorila {
namespace {

std::string Number(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "-";
}

Cells AgentNames(bool ours) {
  Cells names = {"DQN", "Gorila"};
  if (ours) names.emplace_back("ours");
  return names;
}

std::vector<Agent> AgentsShown(bool ours) {
  return ours ? std::vector<Agent>(kAllAgents.begin(), kAllAgents.end())
              : std::vector<Agent>{Agent::kDqn, Agent::kGorila};
}

Grid GamesGrid(const ScoreSection& section, Denominator denominator) {
  const bool ours = section.HasOurs();
  Cells header = {"game", "random", "human"};
  for (const std::string& name : AgentNames(ours)) header.push_back(name);
  if (ours) header.emplace_back("runs");
  for (const std::string& name : AgentNames(ours)) header.push_back(name + " %");
  Grid grid{.rows = {header}};
  for (const ScoreRow& row : section.rows) {
    Cells cells = {row.game, Number(row.published.random, 1), Number(row.published.human, 1)};
    for (const Agent agent : AgentsShown(ours)) cells.push_back(Number(row.score(agent), 1));
    if (ours) cells.push_back(row.runs.empty() ? "-" : std::to_string(row.runs.size()));
    for (const Agent agent : AgentsShown(ours)) {
      cells.push_back(Number(row.Normalised(agent, denominator), 1));
    }
    grid.rows.push_back(std::move(cells));
  }
  return grid;
}

std::string EstimateText(const Estimate& estimate) {
  std::string value = Number(estimate.value, 1);
  if (!std::isfinite(estimate.low)) return value;
  return fmt::format("{} [{:.1f}, {:.1f}]", value, estimate.low, estimate.high);
}

std::string OfGames(int count, const AgentSummary& summary) {
  return fmt::format("{} of {}", count, summary.aggregates.games);
}

Grid SummaryGrid(const ScoreSection& section) {
  Grid grid{.rows = {{"aggregate", "games", "mean %", "median %", "interquartile mean %",
                      "above DQN", "above human"}}};
  for (const AgentSummary& summary : section.summaries) {
    const ScoreAggregates& aggregates = summary.aggregates;
    const bool dqn = summary.label.starts_with(AgentName(Agent::kDqn));
    grid.rows.push_back(
        {summary.label, std::to_string(aggregates.games), EstimateText(aggregates.mean),
         EstimateText(aggregates.median), EstimateText(aggregates.interquartile_mean),
         dqn ? "-" : OfGames(summary.above_dqn, summary), OfGames(summary.above_human, summary)});
  }
  return grid;
}

Grid OthersGrid(const std::vector<OtherRow>& others) {
  const bool settings = std::any_of(others.begin(), others.end(),
                                    [](const OtherRow& other) { return !other.settings.empty(); });
  Grid grid{.rows = {{"game", "protocol", "runs", "mean", "lowest run", "highest run"}},
            .numbers_from = settings ? 3u : 2u};
  for (const OtherRow& other : others) {
    const auto [low, high] = std::minmax_element(other.runs.begin(), other.runs.end());
    grid.rows.push_back({other.game, other.protocol, std::to_string(other.runs.size()),
                         Number(Mean(other.runs), 2), Number(*low, 2), Number(*high, 2)});
    if (settings) {
      grid.rows.back().insert(grid.rows.back().begin() + 2,
                              other.settings.empty() ? "-" : other.settings);
    }
  }
  if (settings) grid.rows.front().insert(grid.rows.front().begin() + 2, "settings");
  return grid;
}

std::string SectionTitle(const ScoreSection& section) {
  const std::string ours =
      section.HasOurs() ? fmt::format(" (ours: protocol {})", section.protocol) : "";
  return fmt::format("Atari 2600, {}{}", StartsName(section.starts), ours);
}

std::string MeaningOfPercent(Denominator denominator) {
  return fmt::format("%: 100 * (score - random) / denominator; denominator: {}",
                     DenominatorText(denominator));
}

// What the brackets are; empty when there are none.
std::string MeaningOfIntervals(const ScoreSection& section) {
  const auto drawn = [&](Resampling resampling) {
    return std::any_of(
        section.summaries.begin(), section.summaries.end(),
        [&](const AgentSummary& summary) { return summary.aggregates.resampling == resampling; });
  };
  std::string text;
  if (drawn(Resampling::kGames)) {
    text = "[]: 95 % bootstrap interval over games (one run a game)";
  }
  if (drawn(Resampling::kRuns)) {
    text += text.empty() ? "[]: " : "; of ours: ";
    text += "95 % bootstrap interval over runs, stratified by game";
  }
  return text;
}

// What the aggregates are to be read with.
std::vector<std::string> Notes(const ScoreSection& section) {
  std::vector<std::string> notes;
  for (std::string note : {MeaningOfIntervals(section), section.mixture, section.sharing}) {
    if (!note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

std::string Cell(double value, int decimals) {
  return std::isfinite(value) ? fmt::format("{:.{}f}", value, decimals) : "";
}

}  // namespace

std::string ScoreTableText(const ScoreTable& table) {
  std::string text;
  for (const ScoreSection& section : table.sections) {
    text += SectionTitle(section) + "\n" + MeaningOfPercent(table.denominator) + "\n\n";
    text += PlainGrid(GamesGrid(section, table.denominator)) + "\n";
    text += PlainGrid(SummaryGrid(section));
    for (const std::string& note : Notes(section)) text += note + "\n";
    text += "\n";
  }
  if (!table.others.empty()) {
    text += "Without a published score, or by another protocol\n\n";
    text += PlainGrid(OthersGrid(table.others)) + "\n";
  }
  text.pop_back();
  return text;
}

std::string ScoreTableMarkdown(const ScoreTable& table) {
  std::string text;
  for (const ScoreSection& section : table.sections) {
    text +=
        fmt::format("## {}\n\n{}.\n\n", SectionTitle(section), MeaningOfPercent(table.denominator));
    text += MarkdownGrid(SummaryGrid(section)) + "\n";
    for (const std::string& note : Notes(section)) text += note + ".\n\n";
    text += MarkdownGrid(GamesGrid(section, table.denominator)) + "\n";
  }
  if (!table.others.empty()) {
    text += "## Without a published score, or by another protocol\n\n";
    text += MarkdownGrid(OthersGrid(table.others)) + "\n";
  }
  text.pop_back();
  return text;
}

std::string ScoreTableCsv(const ScoreTable& table) {
  Cells header = {"game"};
  for (const char* part : {"", "_ours"}) {
    for (const ScoreSection& section : table.sections) {
      const std::string_view suffix = StartsSuffix(section.starts);
      const Cells names =
          *part == 0 ? Cells{"random", "human", "dqn", "gorila"}
                     : Cells{"ours", "ours_runs", "dqn_percent", "gorila_percent", "ours_percent"};
      for (const std::string& name : names) header.push_back(fmt::format("{}_{}", name, suffix));
    }
  }
  std::string text = fmt::format("{}\n", fmt::join(header, ","));
  for (std::size_t i = 0; i < table.sections.front().rows.size(); ++i) {
    Cells cells = {table.sections.front().rows[i].game};
    for (const ScoreSection& section : table.sections) {
      const PublishedScores& published = section.rows[i].published;
      for (const double score :
           {published.random, published.human, published.dqn, published.gorila}) {
        cells.push_back(fmt::format("{}", score));
      }
    }
    for (const ScoreSection& section : table.sections) {
      const ScoreRow& row = section.rows[i];
      cells.push_back(Cell(row.score(Agent::kOurs), 2));
      cells.push_back(row.runs.empty() ? "" : std::to_string(row.runs.size()));
      for (const Agent agent : kAllAgents) {
        cells.push_back(Cell(row.Normalised(agent, table.denominator), 2));
      }
    }
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

}  // namespace gorila
