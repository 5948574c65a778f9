#include "gorila/report/group_statistics.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "gorila/base/xml.h"
#include "gorila/config/games.h"
#include "gorila/metrics/number_format.h"

namespace gorila {
namespace {

void AddScore(const std::string& game, const EvaluationResult& result,
              std::vector<GameScores>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const GameScores& one) {
    return one.game == game && one.protocol == result.protocol;
  });
  GameScores& scores =
      found == all.end() ? all.emplace_back(GameScores{game, result.protocol, {}}) : *found;
  scores.scores.push_back(result.summary.mean);
}

// How many seeds the tables' statistics are of.
struct Seeds {
  std::size_t least = std::numeric_limits<std::size_t>::max();
  std::size_t most = 0;

  void Add(std::size_t count) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
};

std::string SeedsText(std::size_t finished, std::size_t all) {
  return finished == all ? fmt::format("{}", all) : fmt::format("{} of {}", finished, all);
}

std::vector<GameScores> ScoresIn(const RunGroup& group, const std::string& game) {
  std::vector<GameScores> scores = FinalScores(group);
  std::erase_if(scores, [&](const GameScores& one) { return one.game != game; });
  return scores;
}

// How probably a run with these scores is better than one of the baseline's by the same protocol.
std::string ImprovementText(const GameScores& scores, const std::vector<GameScores>& baseline,
                            const BootstrapOptions& bootstrap) {
  for (const GameScores& other : baseline) {
    if (other.protocol != scores.protocol) continue;
    return EstimateText(ProbabilityOfImprovement(std::span(&scores.scores, 1),
                                                 std::span(&other.scores, 1), bootstrap));
  }
  return "–";
}

class GameTable {
 public:
  GameTable(const GameRuns& runs, std::string game, const ComparisonOptions& options)
      : runs_(runs), game_(std::move(game)), options_(options) {
    const RunGroup* const baseline = BaselineOf(runs, options.baseline);
    table_.headings = {"group", "seeds", "protocol", "mean [95 %]", "IQM [95 %]"};
    if (runs.groups.size() < 2 || baseline == nullptr) return;
    baseline_ = baseline;
    baseline_scores_ = ScoresIn(*baseline, game_);
    table_.headings.push_back(fmt::format("better than {}", EscapeXml(baseline->label)));
  }

  ReportTable Make(Seeds& seeds) {
    for (const RunGroup& group : runs_.groups) AddGroup(group, seeds);
    return std::move(table_);
  }

 private:
  void AddGroup(const RunGroup& group, Seeds& seeds) {
    const std::vector<GameScores> all = ScoresIn(group, game_);
    for (const GameScores& one : all) {
      seeds.Add(one.scores.size());
      AddRow(group, one);
    }
    if (!all.empty()) return;
    std::vector<std::string> row(table_.headings.size(), "–");
    row[0] = EscapeXml(group.label);
    row[1] = SeedsText(0, group.runs.size());
    table_.rows.push_back(std::move(row));
  }

  void AddRow(const RunGroup& group, const GameScores& scores) {
    std::vector<std::string> row = {EscapeXml(group.label),
                                    SeedsText(scores.scores.size(), group.runs.size()),
                                    EscapeXml(scores.protocol)};
    for (const Statistic statistic : {Statistic::kMean, Statistic::kInterquartileMean}) {
      row.push_back(EstimateText(EstimateScores(scores.scores, statistic, options_.bootstrap)));
    }
    if (baseline_ != nullptr) {
      row.push_back(&group == baseline_
                        ? "baseline"
                        : ImprovementText(scores, baseline_scores_, options_.bootstrap));
    }
    table_.rows.push_back(std::move(row));
  }

  const GameRuns& runs_;
  std::string game_;
  const ComparisonOptions& options_;
  const RunGroup* baseline_ = nullptr;
  std::vector<GameScores> baseline_scores_;
  ReportTable table_;
};

constexpr const char* kExplanation =
    "Final scores, one a finished run: runs that differ only in the seed are repetitions. IQM is "
    "the interquartile mean, of the middle half of the runs. In brackets are 95 % bootstrap "
    "intervals over seeds. “Better than” is the probability that a run has a higher score than "
    "one of the group named there, ties counting half.";

}  // namespace

std::vector<GameScores> FinalScores(const RunGroup& group) {
  std::vector<GameScores> all;
  for (const RunSummary* run : group.runs) {
    if (!run->evaluation.has_value()) continue;
    const EvaluationResult& result = run->evaluation->result;
    if (result.games.empty()) AddScore(run->config.environment.name, result, all);
    for (const EvaluationResult& game : result.games) AddScore(game.game, game, all);
  }
  const std::vector<std::string> games = GamesOf(group.runs.front()->config);
  const auto place = [&](const GameScores& scores) {
    return std::find(games.begin(), games.end(), scores.game);
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const GameScores& a, const GameScores& b) { return place(a) < place(b); });
  return all;
}

Status CheckBaseline(std::span<const GameRuns> games, const std::string& baseline) {
  if (baseline.empty()) return OkStatus();
  std::set<std::string> labels;
  for (const GameRuns& game : games) {
    for (const RunGroup& group : game.groups) labels.insert("'" + group.label + "'");
  }
  if (labels.contains("'" + baseline + "'")) return OkStatus();
  return InvalidArgument("--baseline '{}' is not a group's label; expected one of {}", baseline,
                         fmt::join(labels, ", "));
}

const RunGroup* BaselineOf(const GameRuns& game, const std::string& baseline) {
  const auto found =
      std::find_if(game.groups.begin(), game.groups.end(), [&](const RunGroup& group) {
        return baseline.empty() ? !FinalScores(group).empty() : group.label == baseline;
      });
  if (found != game.groups.end()) return &*found;
  return baseline.empty() ? &game.groups.front() : nullptr;
}

std::string EstimateText(const Estimate& estimate) {
  if (!estimate.HasInterval()) return FormatDecimal(estimate.value, 2);
  return fmt::format("{} [{}, {}]", FormatDecimal(estimate.value, 2),
                     FormatDecimal(estimate.low, 2), FormatDecimal(estimate.high, 2));
}

std::string FewSeedsNote(std::size_t least, std::size_t most) {
  std::string note;
  if (least == 1) {
    note = "One seed has no interval: another one may give quite another score. ";
  }
  if (most >= 2 && least < kFewSeeds) {
    note += fmt::format(
        "Intervals over 2 to {} seeds are rough: they contain the true value much less often than "
        "in 95 % of cases.",
        kFewSeeds - 1);
  }
  return note;
}

std::string GroupSection(ReportMarkup& markup, std::span<const GameRuns> games,
                         const ComparisonOptions& options) {
  Seeds seeds;
  std::string tables;
  std::size_t runs = 0;
  for (const GameRuns& game : games) {
    for (const RunGroup& group : game.groups) runs += group.runs.size();
    const std::vector<std::string> names = GamesOf(game.groups.front().runs.front()->config);
    for (const std::string& name : names) {
      const std::string of = names.size() > 1 ? ", of " + game.environment : "";
      if (games.size() > 1 || names.size() > 1) tables += markup.SubHeading(EscapeXml(name + of));
      tables += markup.Table(GameTable(game, name, options).Make(seeds));
    }
  }
  if (runs < 2 || seeds.most == 0) return "";
  std::string text = markup.Paragraph(kExplanation);
  const std::string note = FewSeedsNote(seeds.least, seeds.most);
  if (!note.empty()) text += markup.Paragraph(note);
  for (const std::string& warning : RepeatedSeeds(games)) {
    text += markup.Paragraph("<strong>Warning</strong>: " + EscapeXml(warning) + ".");
  }
  return markup.Section("Groups", text + tables);
}

}  // namespace gorila
