#include "gorila/dashboard/run_metrics.h"

#include <algorithm>
#include <cmath>

namespace gorila {
namespace {

using Type = PrometheusText::Type;

struct RunFamily {
  const char* name;
  Type type;
  const char* help;
  double (*value)(const ProgressSnapshot& progress);  // NaN = the run has none
};

double Count(std::uint64_t count) { return static_cast<double>(count); }
// Zero where the run does not say.
double KnownOr(double value) { return value > 0 ? value : std::nan(""); }

constexpr RunFamily kFamilies[] = {
    {"gorila_environment_frames_total", Type::kCounter,
     "Environment steps of all bundles together.",
     [](const ProgressSnapshot& p) { return Count(p.frames); }},
    {"gorila_parameter_updates_total", Type::kCounter,
     "Gradients that the first shard of the parameter server has applied.",
     [](const ProgressSnapshot& p) { return Count(p.updates); }},
    {"gorila_episodes_total", Type::kCounter, "Episodes that ended in training.",
     [](const ProgressSnapshot& p) { return Count(p.episodes); }},
    {"gorila_training_seconds_total", Type::kCounter, "Wall time of training, over resumes.",
     [](const ProgressSnapshot& p) { return KnownOr(p.seconds_elapsed); }},
    {"gorila_cpu_seconds_total", Type::kCounter,
     "Processor time of all the run's processes, over resumes.",
     [](const ProgressSnapshot& p) { return KnownOr(p.cpu_seconds); }},
    {"gorila_energy_joules_total", Type::kCounter,
     "Energy of all the machine's processors, where it has counters.",
     [](const ProgressSnapshot& p) { return p.joules; }},
    {"gorila_episode_return_mean", Type::kGauge, "Mean return of the last training episodes.",
     [](const ProgressSnapshot& p) { return p.recent_return; }},
    {"gorila_bundle_episode_return_lowest", Type::kGauge,
     "Mean return of the last training episodes of the bundle or actor where it is lowest.",
     [](const ProgressSnapshot& p) { return p.lowest_bundle_return; }},
    {"gorila_bundle_episode_return_highest", Type::kGauge,
     "Mean return of the last training episodes of the bundle or actor where it is highest.",
     [](const ProgressSnapshot& p) { return p.highest_bundle_return; }},
    {"gorila_exploration_epsilon_ratio", Type::kGauge,
     "Probability of a random action, mean over actors.",
     [](const ProgressSnapshot& p) { return p.epsilon; }},
    {"gorila_loss", Type::kGauge, "Running mean of the loss.",
     [](const ProgressSnapshot& p) { return p.loss; }},
    {"gorila_gradient_norm", Type::kGauge, "Mean Euclidean norm of recent gradients.",
     [](const ProgressSnapshot& p) { return p.gradient_norm; }},
    {"gorila_state_value_mean", Type::kGauge,
     "Mean of max Q, or of a policy's V, over recently sampled states.",
     [](const ProgressSnapshot& p) { return p.value_mean; }},
    {"gorila_policy_entropy_nats", Type::kGauge,
     "Mean entropy of the policy over recently sampled states, where one is learnt.",
     [](const ProgressSnapshot& p) { return p.entropy; }},
    {"gorila_policy_loss", Type::kGauge,
     "Mean policy gradient term of recent losses, where a policy is learnt.",
     [](const ProgressSnapshot& p) { return p.policy_loss; }},
    {"gorila_baseline_loss", Type::kGauge,
     "Mean squared error of V in recent losses, halved, where a policy is learnt.",
     [](const ProgressSnapshot& p) { return p.baseline_loss; }},
    {"gorila_replay_frames", Type::kGauge, "Frames in replay memory.",
     [](const ProgressSnapshot& p) { return Count(p.replay_size); }},
    {"gorila_resident_memory_bytes", Type::kGauge,
     "Memory of all the run's processes that is in RAM.",
     [](const ProgressSnapshot& p) { return KnownOr(Count(p.resident_bytes)); }},
};

struct GameFamily {
  const char* name;
  Type type;
  const char* help;
  double (*value)(const GameProgress& game);  // NaN = the game has none
};

constexpr GameFamily kGameFamilies[] = {
    {"gorila_game_environment_frames_total", Type::kCounter,
     "Environment steps of one game of a run with several.",
     [](const GameProgress& g) { return Count(g.frames); }},
    {"gorila_game_episodes_total", Type::kCounter,
     "Episodes of one game of a run with several that ended in training.",
     [](const GameProgress& g) { return Count(g.episodes); }},
    {"gorila_game_episode_return_mean", Type::kGauge,
     "Mean return of the last training episodes of one game of a run with several.",
     [](const GameProgress& g) { return g.recent_return; }},
};

PrometheusLabels RunLabel(const RunMetrics& run) { return {{"run", run.label}}; }

void AddFamily(const RunFamily& family, std::span<const RunMetrics> runs, PrometheusText& text) {
  text.Begin(family.name, family.type, family.help);
  for (const RunMetrics& run : runs) {
    const double value = family.value(run.progress);
    if (!std::isnan(value)) text.Add(RunLabel(run), value);
  }
}

// Nothing where every run has one game.
void AddGames(std::span<const RunMetrics> runs, PrometheusText& text) {
  const bool any = std::any_of(runs.begin(), runs.end(), [](const RunMetrics& run) {
    return !run.progress.per_game.empty();
  });
  if (!any) return;
  for (const GameFamily& family : kGameFamilies) {
    text.Begin(family.name, family.type, family.help);
    for (const RunMetrics& run : runs) {
      for (const GameProgress& game : run.progress.per_game) {
        const double value = family.value(game);
        if (!std::isnan(value)) text.Add({{"run", run.label}, {"game", game.name}}, value);
      }
    }
  }
}

void AddInfo(std::span<const RunMetrics> runs, PrometheusText& text) {
  text.Begin("gorila_run_info", Type::kGauge, "1; what the run is.");
  for (const RunMetrics& run : runs) {
    text.Add({{"run", run.label}, {"environment", run.environment}}, 1);
  }
}

void AddGradients(std::span<const RunMetrics> runs, PrometheusText& text) {
  text.Begin("gorila_gradients_total", Type::kCounter, "Gradients by what became of them.");
  for (const RunMetrics& run : runs) {
    const ProgressSnapshot& progress = run.progress;
    text.Add({{"run", run.label}, {"outcome", "accepted"}}, Count(progress.accepted));
    text.Add({{"run", run.label}, {"outcome", "stale"}}, Count(progress.stale));
    text.Add({{"run", run.label}, {"outcome", "outlier"}}, Count(progress.outliers));
    text.Add({{"run", run.label}, {"outcome", "invalid"}}, Count(progress.invalid));
  }
}

void AddBundles(std::span<const RunMetrics> runs, PrometheusText& text) {
  text.Begin(
      "gorila_bundle_episode_return_mean", Type::kGauge,
      "Mean return of a bundle's last training episodes; actors count on after the bundles. Of "
      "more than 16, records of the log have only the lowest and the highest.");
  for (const RunMetrics& run : runs) {
    for (std::size_t i = 0; i < run.progress.per_bundle.size(); ++i) {
      const double mean = run.progress.per_bundle[i].recent_return;
      if (std::isnan(mean)) continue;
      text.Add({{"run", run.label}, {"bundle", fmt::format("{}", i)}}, mean);
    }
  }
}

void AddWork(std::span<const RunMetrics> runs, PrometheusText& text) {
  text.Begin("gorila_bundle_time_ratio", Type::kGauge,
             "Part of the recent time of bundles and learners that went into a kind of work.");
  for (const RunMetrics& run : runs) {
    const WorkSeconds& work = run.progress.work;
    if (std::all_of(work.begin(), work.end(), [](double part) { return part == 0; })) continue;
    for (std::size_t i = 0; i < kWorks; ++i) {
      text.Add({{"run", run.label}, {"work", std::string(kWorkNames[i])}}, work[i]);
    }
  }
}

void AddStaleness(std::span<const RunMetrics> runs, PrometheusText& text) {
  BeginStaleness("gorila_gradient_staleness_versions", text);
  for (const RunMetrics& run : runs) {
    if (run.progress.staleness.empty()) continue;
    AddStalenessHistogram(RunLabel(run), run.progress.staleness, text);
  }
}

}  // namespace

void BeginStaleness(std::string_view name, PrometheusText& text) {
  text.Begin(name, Type::kHistogram,
             "Updates that gradients lagged behind; the sum takes each bucket's lower end.");
}

void AddStalenessHistogram(const PrometheusLabels& labels, std::span<const std::uint64_t> counts,
                           PrometheusText& text) {
  std::vector<double> limits;
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double begin = i == 0 ? 0 : std::ldexp(1, static_cast<int>(i) - 1);
    if (i + 1 < counts.size()) limits.push_back(std::ldexp(1, static_cast<int>(i)) - 1);
    sum += begin * Count(counts[i]);
  }
  text.AddHistogram(labels, limits, counts, sum);
}

void AddRunMetrics(std::span<const RunMetrics> runs, PrometheusText& text) {
  AddInfo(runs, text);
  for (const RunFamily& family : kFamilies) AddFamily(family, runs, text);
  AddGames(runs, text);
  AddGradients(runs, text);
  AddStaleness(runs, text);
  AddBundles(runs, text);
  AddWork(runs, text);
}

namespace {

std::uint64_t CountIn(const RunLogRecord& record, std::string_view name) {
  return static_cast<std::uint64_t>(std::max(0.0, record.Number(name).value_or(0)));
}

std::vector<GameProgress> GamesOfRecord(const RunLogRecord& record) {
  std::vector<GameProgress> games;
  const RunLogRecord* const object = record.Object("games");
  if (object == nullptr) return games;
  for (const auto& [name, game] : object->objects()) {
    games.push_back({.name = name,
                     .frames = CountIn(game, "frames"),
                     .episodes = CountIn(game, "episodes"),
                     .recent_return = game.Number("return_mean").value_or(std::nan(""))});
  }
  return games;
}

}  // namespace

ProgressSnapshot ProgressOfRecord(const RunLogRecord& record) {
  const auto count = [&record](std::string_view name) { return CountIn(record, name); };
  const auto number = [&record](std::string_view name) {
    return record.Number(name).value_or(std::nan(""));
  };
  ProgressSnapshot progress;
  progress.frames = count("frames");
  progress.updates = count("updates");
  progress.episodes = count("episodes");
  progress.frames_per_second = record.Number("frames_per_second").value_or(0);
  progress.updates_per_second = record.Number("updates_per_second").value_or(0);
  progress.epsilon = record.Number("epsilon").value_or(0);
  progress.recent_return = number("return_mean");
  progress.accepted = count("gradients_accepted");
  progress.stale = count("gradients_stale");
  progress.outliers = count("gradients_outlier");
  progress.invalid = count("gradients_invalid");
  progress.replay_size = count("replay_rows");
  progress.seconds_elapsed = record.Number("seconds").value_or(0);
  progress.loss = number("loss");
  progress.gradient_norm = number("gradient_norm");
  progress.value_mean = number("value_mean");
  progress.value_max = number("value_max");
  progress.entropy = number("entropy");
  progress.policy_loss = number("policy_loss");
  progress.baseline_loss = number("baseline_loss");
  progress.resident_bytes = count("resident_bytes");
  progress.cpu_seconds = record.Number("cpu_seconds").value_or(0);
  progress.joules = number("joules");
  progress.per_game = GamesOfRecord(record);
  const auto work = record.Numbers("work");
  if (work.size() == kWorks) std::copy(work.begin(), work.end(), progress.work.begin());
  progress.lowest_bundle_return = number("bundle_return_min");
  progress.highest_bundle_return = number("bundle_return_max");
  for (const double mean : record.Numbers("bundle_returns")) {
    progress.per_bundle.push_back({.recent_return = mean});
    progress.lowest_bundle_return = std::fmin(progress.lowest_bundle_return, mean);
    progress.highest_bundle_return = std::fmax(progress.highest_bundle_return, mean);
  }
  return progress;
}

}  // namespace gorila
