#include "gorila/scores/minatar_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <set>
#include <string_view>
#include <tuple>

#include "gorila/config/resolve.h"
#include "gorila/env/registry.h"
#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/episode_statistics.h"
#include "gorila/metrics/number_format.h"
#include "gorila/report/run_groups.h"
#include "gorila/scores/score_groups.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Published = PublishedMinAtarScore;

// Runs that are repetitions of each other.
struct OurGroup {
  std::vector<const RunSummary*> runs;
  std::vector<const RecentReturn*> training;  // one a run

  const Config& config() const { return runs.front()->config; }
  const std::string& game() const { return config().environment.name; }
};

std::vector<OurGroup> GroupsOf(const MinAtarRuns& ours) {
  std::vector<OurGroup> groups;
  for (const GameRuns& game : GroupRuns(ours.runs)) {
    for (const RunGroup& group : game.groups) {
      OurGroup& added = groups.emplace_back();
      added.runs = group.runs;
      for (const RunSummary* run : group.runs) {
        added.training.push_back(&ours.training[static_cast<std::size_t>(run - &ours.runs[0])]);
      }
    }
  }
  return groups;
}

// Whether the option makes no difference to the game.
bool IsUnused(std::string_view game, bool EnvironmentRow::*option) {
  const auto table = EnvironmentTable();
  const auto row = std::find_if(table.begin(), table.end(),
                                [&](const EnvironmentRow& one) { return one.name == game; });
  return row != table.end() && !((*row).*option);
}

// One thing in which a group must agree with a published row.
struct Requirement {
  std::function<bool(const Published&)> met;
  std::string ours;                                     // "12.0k frames"
  std::function<std::string(const Published&)> theirs;  // "5.00M"
};

std::string LimitText(int limit) {
  return limit == 0 ? "the game's own limit" : fmt::format("{} steps", limit);
}

bool HasFrames(const OurGroup& group, std::int64_t frames) {
  const auto expected = static_cast<double>(frames);
  return std::all_of(group.training.begin(), group.training.end(), [&](const RecentReturn* run) {
    return std::abs(run->frames() - expected) <= kFramesTolerance * expected;
  });
}

std::pair<std::int64_t, std::int64_t> FramesOf(const OurGroup& group) {
  const auto [least, most] = std::minmax_element(
      group.training.begin(), group.training.end(),
      [](const RecentReturn* a, const RecentReturn* b) { return a->frames() < b->frames(); });
  return {static_cast<std::int64_t>((*least)->frames()),
          static_cast<std::int64_t>((*most)->frames())};
}

std::string CountText(std::int64_t count) { return FormatCount(static_cast<std::uint64_t>(count)); }

std::string RangeText(std::int64_t least, std::int64_t most) {
  const std::string from = CountText(least);
  const std::string to = CountText(most);
  return from == to ? from : from + "-" + to;
}

std::vector<Requirement> RequirementsOf(const OurGroup& group) {
  const EnvironmentOptions& options = group.config().environment.options;
  const int limit = MinAtarStepLimit(group.game(), options.max_episode_steps);
  const auto [least, most] = FramesOf(group);
  const auto actions = [](bool minimal) {
    return minimal ? "the minimal action set" : "all six actions";
  };
  return {{[&group](const Published& row) { return HasFrames(group, row.frames); },
           RangeText(least, most) + " frames",
           [](const Published& row) { return CountText(row.frames); }},
          {[=](const Published& row) { return row.minimal_actions == options.minimal_actions; },
           actions(options.minimal_actions),
           [=](const Published& row) { return std::string(actions(row.minimal_actions)); }},
          {[=](const Published& row) { return row.step_limit == limit; },
           "episodes up to " + LimitText(limit),
           [](const Published& row) { return LimitText(row.step_limit); }}};
}

// What no published row has.
std::vector<std::string> FixedObstacles(const OurGroup& group) {
  const EnvironmentOptions& options = group.config().environment.options;
  std::vector<std::string> obstacles;
  if (options.sticky_actions != kMinAtarStickyActions) {
    obstacles.push_back(fmt::format("sticky actions {} (published: {})", options.sticky_actions,
                                    kMinAtarStickyActions));
  }
  if (!options.difficulty_ramping && !IsUnused(group.game(), &EnvironmentRow::difficulty_ramping)) {
    obstacles.emplace_back("no difficulty ramping (published: with it)");
  }
  return obstacles;
}

// The values of the rows, each once, in ascending order of frames.
std::string Values(std::span<const Published* const> rows, const Requirement& requirement) {
  std::vector<std::string> values;
  for (const Published* row : rows) {
    std::string value = requirement.theirs(*row);
    if (std::find(values.begin(), values.end(), value) == values.end()) {
      values.push_back(std::move(value));
    }
  }
  return fmt::format("{}", fmt::join(values, ", "));
}

struct Comparison {
  std::vector<const Published*> rows;  // played as ours are
  std::vector<std::string> obstacles;  // empty where there are rows
};

// `candidates`: all rows of the group's game and of one measure, in ascending order of frames.
Comparison Compare(const OurGroup& group, std::span<const Published* const> candidates) {
  Comparison comparison{.rows = {}, .obstacles = FixedObstacles(group)};
  std::vector<const Published*> rows(candidates.begin(), candidates.end());
  if (rows.empty()) comparison.obstacles.emplace_back("nothing is published");
  // Each requirement leaves fewer rows; one that would leave none is an obstacle.
  const std::vector<Requirement> requirements = RequirementsOf(group);
  for (const Requirement& requirement : requirements) {
    std::vector<const Published*> left;
    for (const Published* row : rows) {
      if (requirement.met(*row)) left.push_back(row);
    }
    if (left.empty() && !rows.empty()) {
      comparison.obstacles.push_back(
          fmt::format("{} (published: {})", requirement.ours, Values(rows, requirement)));
    } else {
      rows = std::move(left);
    }
  }
  if (comparison.obstacles.empty()) comparison.rows = std::move(rows);
  return comparison;
}

// The mean and the interval of one value a run.
void SetScore(const std::vector<double>& values, MinAtarRow& row) {
  RunningStatistics statistics;
  for (const double value : values) statistics.Add(value);
  row.score = statistics.mean();
  if (values.size() < 2) return;
  row.half_interval = StudentQuantile975(values.size() - 1) * statistics.StandardErrorOfMean();
}

// Where the runs are: the folder that all are in, or the only one.
std::string SourceOf(const OurGroup& group) {
  const fs::path& first = group.runs.front()->directory;
  if (group.runs.size() == 1) return first.string();
  const bool together = std::all_of(
      group.runs.begin(), group.runs.end(),
      [&](const RunSummary* run) { return run->directory.parent_path() == first.parent_path(); });
  return together && first.has_parent_path()
             ? first.parent_path().string()
             : fmt::format("{} and {} more", first.string(), group.runs.size() - 1);
}

void AddTraining(const OurGroup& group, MinAtarRow& row) {
  std::vector<double> returns;
  RunningStatistics epsilon;
  for (const RecentReturn* run : group.training) {
    returns.push_back(run->Mean());
    epsilon.Add(run->epsilon());
  }
  SetScore(returns, row);
  row.epsilon = epsilon.mean();
  if (group.config().learner.agent.noise > 0)
    row.notes.emplace_back("explores by noisy layers too");
  if (ActsByPolicy(group.config())) row.notes.emplace_back("samples from its policy");
  if (!std::isfinite(row.score)) {
    row.obstacles.emplace_back("no training episode ended in the last million frames of the log");
  }
}

void AddEvaluation(const OurGroup& group, MinAtarRow& row) {
  std::vector<double> scores;
  for (const RunSummary* run : group.runs) scores.push_back(run->evaluation->result.summary.mean);
  SetScore(scores, row);
  const EvaluationRecord& record = *group.runs.front()->evaluation;
  row.epsilon = record.result.epsilon;
  row.notes.push_back(fmt::format("protocol {}, {} episodes", record.result.protocol,
                                  record.result.returns.size()));
  if (record.context.has_value()) {
    row.notes.push_back("network: " + DescribeNetwork(*record.context));
  }
}

MinAtarRow OursRow(const OurGroup& group, MinAtarMeasure measure) {
  MinAtarRow row{.ours = true,
                 .agent = AgentOf(group.config()),
                 .runs = std::to_string(group.runs.size()),
                 .source = SourceOf(group)};
  std::tie(row.least_frames, row.most_frames) = FramesOf(group);
  const auto games = static_cast<int>(group.config().environment.options.games.size());
  if (games > 0) row.notes.push_back(SharedText(games));
  if (measure == MinAtarMeasure::kTraining) {
    AddTraining(group, row);
  } else {
    AddEvaluation(group, row);
  }
  return row;
}

MinAtarRow PublishedRow(const Published& published) {
  MinAtarRow row{.agent = published.agent,
                 .least_frames = published.frames,
                 .most_frames = published.frames,
                 .runs = published.runs,
                 .score = published.score,
                 .epsilon = published.epsilon.value_or(std::nan("")),
                 .source = published.source};
  if (published.from_plot) row.notes.emplace_back("read off a plot");
  if (published.minimal_actions) row.notes.emplace_back("minimal action set");
  if (published.step_limit > 0) {
    row.notes.push_back(fmt::format("episodes up to {} steps", published.step_limit));
  }
  if (published.before_oxygen_fix) row.notes.emplace_back("Seaquest before its oxygen fix");
  if (!published.note.empty()) row.notes.push_back(published.note);
  return row;
}

auto ProtocolOf(const Published& row) {
  return std::tuple(row.frames, row.minimal_actions, row.step_limit);
}

// Of one game and measure, by protocol, the highest score first.
std::vector<const Published*> RowsOf(std::span<const Published> published, std::string_view game,
                                     MinAtarMeasure measure) {
  std::vector<const Published*> rows;
  for (const Published& row : published) {
    if (row.game == game && row.measure == measure) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Published* a, const Published* b) {
    return std::tuple(ProtocolOf(*a), -a->score) < std::tuple(ProtocolOf(*b), -b->score);
  });
  return rows;
}

// Ours that have something beside them, by what that is; the others.
MinAtarSection MakeMinAtarSection(std::string_view game, MinAtarMeasure measure,
                                  std::span<const OurGroup> groups,
                                  const std::vector<const Published*>& published) {
  MinAtarSection section{.game = std::string(game), .measure = measure, .rows = {}};
  std::vector<MinAtarRow> alone;
  std::vector<std::pair<const Published*, MinAtarRow>> beside;  // by the first row beside it
  std::set<const Published*> shown;
  for (const OurGroup& group : groups) {
    if (group.game() != game) continue;
    MinAtarRow row = OursRow(group, measure);
    Comparison comparison = Compare(group, published);
    row.obstacles.insert(row.obstacles.end(), comparison.obstacles.begin(),
                         comparison.obstacles.end());
    if (!row.obstacles.empty()) {
      alone.push_back(std::move(row));
      continue;
    }
    shown.insert(comparison.rows.begin(), comparison.rows.end());
    beside.emplace_back(comparison.rows.front(), std::move(row));
  }
  for (const Published* row : published) {
    for (auto& [first, ours] : beside) {
      if (first == row) section.rows.push_back(std::move(ours));
    }
    if (groups.empty() || shown.contains(row)) section.rows.push_back(PublishedRow(*row));
  }
  std::move(alone.begin(), alone.end(), std::back_inserter(section.rows));
  return section;
}

}  // namespace

std::vector<MinAtarSection> MakeMinAtarTable(std::span<const Published> published,
                                             const MinAtarRuns& ours) {
  const std::vector<OurGroup> groups = GroupsOf(ours);
  std::vector<MinAtarSection> sections;
  for (const MinAtarMeasure measure : kAllMinAtarMeasures) {
    for (const std::string_view game : kMinAtarGames) {
      MinAtarSection section =
          MakeMinAtarSection(game, measure, groups, RowsOf(published, game, measure));
      if (!section.rows.empty()) sections.push_back(std::move(section));
    }
  }
  return sections;
}

}  // namespace gorila
