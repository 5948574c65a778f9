#include "gorila/report/aggregate_section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "gorila/base/xml.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/evaluation/game_aggregate.h"
#include "gorila/metrics/learning_curve.h"
#include "gorila/report/run_charts.h"

namespace gorila {
namespace {

constexpr std::size_t kThresholds = 201;
constexpr std::size_t kMostNamed = 8;  // of the groups that are left out

// Groups whose settings differ only in the game.
struct Agent {
  std::string label;
  std::map<std::string, GameScores> games = {};  // with a finished run
  bool human_starts = false;                     // of its protocol
  std::size_t runs = 0;                          // of all games, finished or not

  bool Has(const std::set<std::string>& names) const {
    return std::all_of(names.begin(), names.end(),
                       [this](const std::string& name) { return games.contains(name); });
  }
};

// What is compared: agents with scores of the same games by the same protocols.
struct Field {
  std::vector<std::string> games;
  std::vector<Agent> agents;         // the baseline first
  std::vector<std::string> remarks;  // who is left out, and why
};

bool HasHumanStarts(const Config& config) {
  const auto protocol = FindEvaluationProtocol(config.evaluation.protocol);
  return protocol.ok() && (*protocol)->human_starts;
}

// By number. Scores of a group's game by several protocols (of other versions) are not used.
std::map<std::size_t, Agent> AgentsOf(std::span<const GameRuns> games) {
  std::map<std::size_t, Agent> agents;
  for (const GameRuns& game : games) {
    for (const RunGroup& group : game.groups) {
      Agent& agent = agents.emplace(group.agent, Agent{.label = group.label}).first->second;
      agent.human_starts = HasHumanStarts(group.runs.front()->config);
      agent.runs += group.runs.size();
      std::set<std::string> twice;
      for (GameScores& scores : FinalScores(group)) {
        const std::string name = scores.game;
        if (!agent.games.emplace(name, std::move(scores)).second) twice.insert(name);
      }
      for (const std::string& name : twice) agent.games.erase(name);
    }
  }
  if (agents.size() == 1) agents.begin()->second.label = "all runs";
  return agents;
}

// The several games that most agents have; among those as many as possible. Empty = none.
std::set<std::string> CommonGames(const std::map<std::size_t, Agent>& agents) {
  std::set<std::string> best;
  std::size_t most = 0;
  for (const auto& [number, agent] : agents) {
    std::set<std::string> games;
    for (const auto& [name, scores] : agent.games) games.insert(name);
    if (games.size() < 2) continue;
    const auto having = static_cast<std::size_t>(std::count_if(
        agents.begin(), agents.end(), [&](const auto& one) { return one.second.Has(games); }));
    if (having < most || (having == most && games.size() <= best.size())) continue;
    most = having;
    best = std::move(games);
  }
  return best;
}

bool SameProtocols(const Agent& a, const Agent& b, const std::vector<std::string>& games) {
  return std::all_of(games.begin(), games.end(), [&](const std::string& game) {
    return a.games.at(game).protocol == b.games.at(game).protocol;
  });
}

// A remark of groups for one reason; hundreds of them are one line.
void AddLeftOut(const std::vector<std::string>& labels, const std::string& why, Field& field) {
  if (labels.empty()) return;
  const std::size_t named = std::min(labels.size(), kMostNamed);
  std::string names = fmt::format("{}", fmt::join(std::span(labels).first(named), "; "));
  if (labels.size() > named) names += fmt::format("; and {} more", labels.size() - named);
  field.remarks.push_back(fmt::format("Left out: {}, {}.", names, why));
}

Field FieldOf(std::map<std::size_t, Agent> agents, const std::string& baseline) {
  Field field;
  const std::set<std::string> common = CommonGames(agents);
  field.games.assign(common.begin(), common.end());
  if (field.games.empty()) return field;
  std::vector<Agent> complete;
  std::vector<std::string> incomplete, otherwise_scored;
  for (auto& numbered : agents) {
    Agent& agent = numbered.second;
    if (agent.Has(common)) {
      complete.push_back(std::move(agent));
    } else {
      incomplete.push_back(agent.label);
    }
  }
  std::stable_partition(complete.begin(), complete.end(),
                        [&](const Agent& agent) { return agent.label == baseline; });
  for (Agent& agent : complete) {
    if (field.agents.empty() || SameProtocols(field.agents.front(), agent, field.games)) {
      field.agents.push_back(std::move(agent));
    } else {
      otherwise_scored.push_back(agent.label);
    }
  }
  AddLeftOut(incomplete, "without finished runs of each of the games", field);
  if (!otherwise_scored.empty()) {
    AddLeftOut(otherwise_scored, "scored by another protocol than " + field.agents.front().label,
               field);
  }
  return field;
}

std::vector<std::vector<double>> PlainScores(const Agent& agent, const Field& field) {
  std::vector<std::vector<double>> scores;
  for (const std::string& game : field.games) scores.push_back(agent.games.at(game).scores);
  return scores;
}

std::vector<std::vector<double>> NormalisedScores(const Agent& agent, const Field& field,
                                                  const GameAggregate& scale) {
  std::vector<std::vector<double>> scores = PlainScores(agent, field);
  for (std::size_t game = 0; game < scores.size(); ++game) {
    for (double& score : scores[game]) score = scale.Scaled(game, score);
  }
  return scores;
}

std::pair<std::size_t, std::size_t> SeedsOf(ScoresByGame games) {
  const auto [least, most] = std::minmax_element(
      games.begin(), games.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return {least->size(), most->size()};
}

std::string SeedRangeText(ScoresByGame games) {
  const auto [least, most] = SeedsOf(games);
  return least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most);
}

std::string Table(ReportMarkup& markup, const Field& field, const GameAggregate& scale,
                  const BootstrapOptions& bootstrap) {
  ReportTable table{{"group", "games", "seeds"}};
  if (scale.IsNormalised()) {
    table.headings.insert(table.headings.end(), {"mean [95 %]", "IQM [95 %]"});
  }
  const Agent& baseline = field.agents.front();
  if (field.agents.size() > 1) {
    table.headings.push_back(fmt::format("improves on {}", EscapeXml(baseline.label)));
  }
  const auto baseline_scores = PlainScores(baseline, field);
  for (const Agent& agent : field.agents) {
    const auto plain = PlainScores(agent, field);
    std::vector<std::string> row = {EscapeXml(agent.label), fmt::format("{}", plain.size()),
                                    SeedRangeText(plain)};
    if (scale.IsNormalised()) {
      const auto scores = NormalisedScores(agent, field, scale);
      for (const Statistic statistic : {Statistic::kMean, Statistic::kInterquartileMean}) {
        row.push_back(EstimateText(EstimateScores(scores, statistic, bootstrap)));
      }
    }
    if (field.agents.size() > 1) {
      row.push_back(&agent == &baseline ? "baseline"
                                        : EstimateText(ProbabilityOfImprovement(
                                              plain, baseline_scores, bootstrap)));
    }
    table.rows.push_back(std::move(row));
  }
  return markup.Table(table);
}

// From the lowest score, or 0, to somewhat above the highest.
std::vector<double> Thresholds(const std::vector<std::vector<std::vector<double>>>& agents) {
  double low = 0, high = 0;
  for (const auto& games : agents) {
    for (const auto& runs : games) {
      for (const double score : runs) {
        low = std::min(low, score);
        high = std::max(high, score);
      }
    }
  }
  high += 0.02 * (high - low);
  std::vector<double> thresholds;
  for (std::size_t i = 0; i < kThresholds; ++i) {
    thresholds.push_back(std::lerp(low, high, static_cast<double>(i) / (kThresholds - 1)));
  }
  return thresholds;
}

StatusOr<std::string> Profiles(ReportMarkup& markup, const Field& field, const GameAggregate& scale,
                               const BootstrapOptions& bootstrap, const std::string& stem) {
  std::vector<std::vector<std::vector<double>>> scores;
  for (const Agent& agent : field.agents) scores.push_back(NormalisedScores(agent, field, scale));
  const std::vector<double> thresholds = Thresholds(scores);
  LearningCurveFigure figure;
  figure.title = fmt::format("Performance profiles over {} games", field.games.size());
  figure.x_label = "normalised score";
  figure.y_label = "fraction of runs with a higher score";
  for (std::size_t i = 0; i < scores.size(); ++i) {
    figure.series.push_back(
        {field.agents[i].label, PerformanceProfile(scores[i], thresholds, bootstrap)});
  }
  GORILA_ASSIGN_OR_RETURN(
      const ReportPicture picture,
      DrawChart(stem + "-profiles.svg", {.title = {}, .x_label = {}, .panels = {figure}}));
  return markup.Figure(picture,
                       "Which part of the runs, each game counting the same, has a score above "
                       "the one on the horizontal axis. A curve above another is better there; "
                       "bands are pointwise 95 % bootstrap intervals.");
}

std::string Explanation(const Field& field, const GameAggregate& scale) {
  const std::string games = EscapeXml(fmt::format("{}", fmt::join(field.games, ", ")));
  std::string text = fmt::format("Groups whose settings differ only in the game, over {}. ", games);
  text += scale.IsNormalised()
              ? fmt::format("Scores are each game's {}. ",
                            EscapeXml(scale.name().substr(std::string_view("mean ").size())))
              : "Scores of these games are not averaged: there are no published references on one "
                "scale for all of them (MinAtar has DQN's, Atari has people's). ";
  if (field.agents.size() > 1) {
    text +=
        "“Improves on” is the probability that a run has a higher score than one of the group "
        "named there in the same game, ties counting half, averaged over games. ";
  }
  return text +
         "In brackets are 95 % bootstrap intervals over the seeds of each game (Agarwal et "
         "al. 2021).";
}

std::string FewSeeds(const Field& field) {
  std::size_t least = std::string::npos, most = 0;
  for (const Agent& agent : field.agents) {
    const auto [fewest, highest] = SeedsOf(PlainScores(agent, field));
    least = std::min(least, fewest);
    most = std::max(most, highest);
  }
  return FewSeedsNote(least, most);
}

}  // namespace

StatusOr<std::string> AggregateSection(ReportMarkup& markup, std::span<const GameRuns> games,
                                       const ComparisonOptions& options, const std::string& stem) {
  std::map<std::size_t, Agent> agents = AgentsOf(games);
  std::set<std::string> scored;
  std::size_t runs = 0;
  for (const auto& [number, agent] : agents) {
    runs += agent.runs;
    for (const auto& [name, scores] : agent.games) scored.insert(name);
  }
  if (runs < 2 || scored.size() < 2) return std::string();
  const Field field = FieldOf(std::move(agents), options.baseline);
  if (field.games.empty()) {
    return markup.Section("All games", markup.Paragraph("Nothing is averaged over games: no "
                                                        "settings were run on two of them."));
  }
  const GameAggregate scale = GameAggregate::Of(field.games, field.agents.front().human_starts);
  std::string text = markup.Paragraph(Explanation(field, scale));
  for (const std::string& remark : field.remarks) text += markup.Paragraph(EscapeXml(remark));
  if (const std::string note = FewSeeds(field); !note.empty()) text += markup.Paragraph(note);
  if (scale.IsNormalised() || field.agents.size() > 1) {
    text += Table(markup, field, scale, options.bootstrap);
  }
  if (scale.IsNormalised()) {
    GORILA_ASSIGN_OR_RETURN(const std::string profiles,
                            Profiles(markup, field, scale, options.bootstrap, stem));
    text += profiles;
  }
  return markup.Section("All games", text);
}

}  // namespace gorila
