#include "gorila/run/resume_rules.h"

#include <algorithm>
#include <array>

#include "gorila/agent/algorithm.h"
#include "gorila/config/config_keys.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

struct Row {
  std::string_view key;
  ResumeRule rule;
};

// A test compares it with ConfigKeys().
constexpr std::array kRows = {
    Row{"run.frames", ResumeRule::kFree},
    Row{"run.seconds", ResumeRule::kFree},
    Row{"run.seed", ResumeRule::kStart},
    Row{"run.bundles", ResumeRule::kBundles},
    Row{"run.deterministic", ResumeRule::kFree},
    Row{"run.metrics_every_seconds", ResumeRule::kFree},
    Row{"run.metrics_every_frames", ResumeRule::kFree},
    Row{"run.cpus", ResumeRule::kFree},
    Row{"environment.name", ResumeRule::kTask},
    Row{"environment.sticky_actions", ResumeRule::kTask},
    Row{"environment.difficulty_ramping", ResumeRule::kTask},
    Row{"environment.minimal_actions", ResumeRule::kTask},
    Row{"environment.max_episode_steps", ResumeRule::kTask},
    Row{"environment.kwargs", ResumeRule::kTask},
    Row{"environment.wrappers", ResumeRule::kTask},
    Row{"environment.python", ResumeRule::kFree},
    Row{"environment.python_path", ResumeRule::kFree},
    Row{"environment.per_worker", ResumeRule::kFree},
    Row{"environment.reseed_steps", ResumeRule::kFree},
    Row{"environment.step_seconds", ResumeRule::kFree},
    Row{"environment.start_seconds", ResumeRule::kFree},
    Row{"environment.layout", ResumeRule::kTask},
    Row{"environment.grey", ResumeRule::kTask},
    Row{"environment.picture_size", ResumeRule::kTask},
    Row{"environment.picture_stack", ResumeRule::kTask},
    Row{"environment.record", ResumeRule::kFree},
    Row{"atari.action_repeat", ResumeRule::kTask},
    Row{"atari.pooled_frames", ResumeRule::kTask},
    Row{"atari.maximum", ResumeRule::kTask},
    Row{"atari.screen_size", ResumeRule::kTask},
    Row{"atari.resize", ResumeRule::kTask},
    Row{"atari.stack", ResumeRule::kTask},
    Row{"atari.life_loss_ends_episode", ResumeRule::kTask},
    Row{"atari.noop_max", ResumeRule::kTask},
    Row{"atari.max_frames", ResumeRule::kTask},
    Row{"atari.repeat_action_probability", ResumeRule::kTask},
    Row{"atari.rom_folder", ResumeRule::kFree},
    Row{"network.preset", ResumeRule::kNetwork},
    Row{"network.convolutions", ResumeRule::kNetwork},
    Row{"network.hidden", ResumeRule::kNetwork},
    Row{"network.dueling", ResumeRule::kNetwork},
    Row{"network.noise", ResumeRule::kNetwork},
    Row{"network.heads", ResumeRule::kNetwork},
    Row{"network.game_input", ResumeRule::kNetwork},
    Row{"network.backend", ResumeRule::kFree},
    Row{"network.device", ResumeRule::kFree},
    Row{"network.init_from", ResumeRule::kStart},
    Row{"network.init_record", ResumeRule::kStart},
    Row{"actor.environments", ResumeRule::kBundles},
    Row{"actor.normalise_rewards", ResumeRule::kNetwork},
    Row{"actor.refresh_every", ResumeRule::kFree},
    Row{"actor.epsilon_start", ResumeRule::kFree},
    Row{"actor.epsilon_end", ResumeRule::kFree},
    Row{"actor.epsilon_ticks", ResumeRule::kFree},
    Row{"actor.epsilon_clock", ResumeRule::kFree},
    Row{"actor.epsilon_spread", ResumeRule::kFree},
    Row{"replay.capacity", ResumeRule::kReplay},
    Row{"replay.min_size", ResumeRule::kReplay},
    Row{"replay.updates_per_step", ResumeRule::kReplay},
    Row{"replay.insert_lead", ResumeRule::kFree},
    Row{"replay.selector", ResumeRule::kReplay},
    Row{"replay.priority_exponent", ResumeRule::kReplay},
    Row{"replay.initial_priorities", ResumeRule::kReplay},
    Row{"replay.replayed_share", ResumeRule::kReplay},
    Row{"replay.importance_exponent", ResumeRule::kFree},
    Row{"replay.importance_exponent_end", ResumeRule::kFree},
    Row{"replay.byte_budget", ResumeRule::kFree},
    Row{"replay.prefetch", ResumeRule::kFree},
    Row{"replay.compression", ResumeRule::kFree},
    Row{"replay.compressed_frame_bytes", ResumeRule::kFree},
    Row{"learner.algorithm", ResumeRule::kAlgorithm},
    Row{"learner.double_selection", ResumeRule::kFree},
    Row{"learner.atoms", ResumeRule::kNetwork},
    Row{"learner.value_min", ResumeRule::kNetwork},
    Row{"learner.value_max", ResumeRule::kNetwork},
    Row{"learner.taus", ResumeRule::kFree},
    Row{"learner.munchausen_scale", ResumeRule::kFree},
    Row{"learner.munchausen_temperature", ResumeRule::kFree},
    Row{"learner.munchausen_clip", ResumeRule::kFree},
    Row{"learner.value_rescaling", ResumeRule::kNetwork},
    Row{"learner.gradient_norm", ResumeRule::kFree},
    Row{"learner.loss", ResumeRule::kFree},
    Row{"learner.reduction", ResumeRule::kFree},
    Row{"learner.unroll", ResumeRule::kReplay},
    Row{"learner.rho_clip", ResumeRule::kFree},
    Row{"learner.trace_clip", ResumeRule::kFree},
    Row{"learner.trace_decay", ResumeRule::kFree},
    Row{"learner.entropy_cost", ResumeRule::kFree},
    Row{"learner.baseline_cost", ResumeRule::kFree},
    Row{"learner.batch_size", ResumeRule::kFree},
    Row{"learner.push_every", ResumeRule::kBundles},
    Row{"learner.fetch_every", ResumeRule::kFree},
    Row{"learner.members", ResumeRule::kFree},
    Row{"learner.warm_start", ResumeRule::kFree},
    Row{"learner.n_step", ResumeRule::kReplay},
    Row{"learner.discount", ResumeRule::kFree},
    Row{"learner.reward_clip", ResumeRule::kFree},
    Row{"learner.outlier_deviations", ResumeRule::kFree},
    Row{"learner.outlier_averaging", ResumeRule::kFree},
    Row{"learner.outlier_warm_up", ResumeRule::kFree},
    Row{"optimizer.name", ResumeRule::kOptimizer},
    Row{"optimizer.learning_rate", ResumeRule::kFree},
    Row{"optimizer.learning_rate_end", ResumeRule::kFree},
    Row{"optimizer.decay_updates", ResumeRule::kFree},
    Row{"optimizer.epsilon", ResumeRule::kFree},
    Row{"optimizer.decay", ResumeRule::kFree},
    Row{"optimizer.momentum", ResumeRule::kFree},
    Row{"optimizer.beta1", ResumeRule::kFree},
    Row{"optimizer.beta2", ResumeRule::kFree},
    Row{"optimizer.initial_accumulator", ResumeRule::kStart},
    Row{"parameter_server.shards", ResumeRule::kShards},
    Row{"parameter_server.max_staleness", ResumeRule::kFree},
    Row{"parameter_server.target_period", ResumeRule::kFree},
    Row{"parameter_server.encoding", ResumeRule::kFree},
    Row{"parameter_server.topk_fraction", ResumeRule::kFree},
    Row{"parameter_server.overlap", ResumeRule::kFree},
    Row{"parameter_server.publish_every", ResumeRule::kFree},
    Row{"evaluation.protocol", ResumeRule::kFree},
    Row{"evaluation.epsilon", ResumeRule::kFree},
    Row{"evaluation.act", ResumeRule::kFree},
    Row{"evaluation.starts", ResumeRule::kFree},
    Row{"evaluation.episodes", ResumeRule::kFree},
    Row{"evaluation.every_frames", ResumeRule::kFree},
    Row{"evaluation.periodic_episodes", ResumeRule::kFree},
    Row{"evaluation.best", ResumeRule::kFree},
    Row{"checkpoint.every_seconds", ResumeRule::kFree},
    Row{"checkpoint.every_frames", ResumeRule::kFree},
    Row{"checkpoint.keep", ResumeRule::kFree},
    Row{"checkpoint.replay", ResumeRule::kBundles},
    Row{"checkpoint.milestones_every_frames", ResumeRule::kFree},
    Row{"cluster.actors", ResumeRule::kFree},
    Row{"cluster.learners", ResumeRule::kFree},
    Row{"cluster.replays", ResumeRule::kFree},
    Row{"cluster.cpus", ResumeRule::kFree},
    Row{"cluster.memory_mb", ResumeRule::kFree},
    Row{"cluster.metrics_port", ResumeRule::kFree},
    Row{"cluster.shared_memory", ResumeRule::kFree},
    Row{"slurm.partition", ResumeRule::kFree},
    Row{"slurm.account", ResumeRule::kFree},
    Row{"slurm.minutes", ResumeRule::kFree},
    Row{"kubernetes.image", ResumeRule::kFree},
    Row{"kubernetes.namespace", ResumeRule::kFree},
    Row{"kubernetes.storage_class", ResumeRule::kFree},
    Row{"kubernetes.storage_gb", ResumeRule::kFree},
};

bool IsSaved(ResumeRule rule, const Config& config, RunKind kind) {
  const bool one_process = kind == RunKind::kTrained;
  switch (rule) {
    case ResumeRule::kFree:
      return false;
    case ResumeRule::kStart:
    case ResumeRule::kTask:
    case ResumeRule::kNetwork:
    case ResumeRule::kAlgorithm:
    case ResumeRule::kOptimizer:
      return true;
    case ResumeRule::kReplay:
      return config.checkpoint.replay && (one_process || config.cluster.replays > 0);
    case ResumeRule::kBundles:
      return one_process;
    case ResumeRule::kShards:
      return !one_process;
  }
  return false;
}

// 0 shards means a number that follows from other keys; the state has that number.
std::string StateValue(const ConfigKey& key, const Config& config) {
  if (key.name == "parameter_server.shards") return std::to_string(NumberOfShards(config));
  return ValueText(key.field, config);
}

std::string_view Reason(ResumeRule rule) {
  switch (rule) {
    case ResumeRule::kStart:
      return "it takes effect only when a run starts";
    case ResumeRule::kTask:
      return "another value is another task";
    case ResumeRule::kNetwork:
      return "the network's parameters would have other shapes or another meaning";
    case ResumeRule::kAlgorithm:
      return "the network's outputs would have another meaning";
    case ResumeRule::kOptimizer:
      return "the optimizer's state does not fit another one";
    case ResumeRule::kReplay:
      return "the saved replay memory depends on it";
    case ResumeRule::kBundles:
      return "the bundles' saved states depend on it";
    case ResumeRule::kShards:
      return "each parameter server has a snapshot of its own slice";
    case ResumeRule::kFree:
      break;
  }
  return "the state depends on it";
}

ValueKind KindOf(const AlgorithmRow& algorithm) {
  return algorithm.form(AgentOptions(), /*num_actions=*/1).kind;
}

// Of the text of a value.
std::string AlgorithmIn(const std::string& saved) {
  Config config;
  return SetConfigValue(config, "learner.algorithm", saved).ok() ? config.learner.agent.algorithm
                                                                 : "";
}

// Whether a state whose key had the value `saved` may go on with `config`.
bool Agree(const ConfigKey& key, ResumeRule rule, const std::string& saved, const Config& config) {
  if (StateValue(key, config) == saved) return true;
  if (rule != ResumeRule::kAlgorithm) return false;
  const std::vector<std::string_view> alike = AlgorithmsLike(AlgorithmIn(saved));
  return std::find(alike.begin(), alike.end(), config.learner.agent.algorithm) != alike.end();
}

// Whether further games make the saved value meaningless.
bool BeginsAnew(const ConfigKey& key, ResumeRule rule, FurtherGames games) {
  if (games == FurtherGames::kNone) return false;
  if (key.name == "environment.name") return true;
  return games == FurtherGames::kOfTrained &&
         (rule == ResumeRule::kReplay || key.name == "actor.environments");
}

// What may stand in place of `saved`.
std::string Expected(const ConfigKey& key, ResumeRule rule, const std::string& saved) {
  if (rule != ResumeRule::kAlgorithm) return fmt::format("keep {} = {}", key.name, saved);
  return fmt::format("expected {}", fmt::join(AlgorithmsLike(AlgorithmIn(saved)), " or "));
}

}  // namespace

StatusOr<ResumeRule> ResumeRuleOf(std::string_view key) {
  const auto* const row =
      std::find_if(kRows.begin(), kRows.end(), [key](const Row& each) { return each.key == key; });
  if (row != kRows.end()) return row->rule;
  return InvalidArgument("key '{}' has no row in resume_rules.cc", key);
}

std::vector<std::string_view> AlgorithmsLike(std::string_view algorithm) {
  std::vector<std::string_view> alike;
  const StatusOr<const AlgorithmRow*> row = FindAlgorithm(algorithm);
  if (!row.ok()) return alike;
  for (const AlgorithmRow& other : AlgorithmTable()) {
    if (KindOf(other) == KindOf(**row)) alike.push_back(other.name);
  }
  return alike;
}

MadeWith StateKeys(const Config& config, RunKind kind) {
  MadeWith made_with;
  for (const ConfigKey& key : ConfigKeys()) {
    const StatusOr<ResumeRule> rule = ResumeRuleOf(key.name);
    if (rule.ok() && IsSaved(*rule, config, kind)) {
      made_with.emplace(key.name, StateValue(key, config));
    }
  }
  return made_with;
}

Status CheckResumable(const MadeWith& made_with, const Config& config, std::string_view state,
                      FurtherGames games) {
  for (const ConfigKey& key : ConfigKeys()) {
    const auto saved = made_with.find(key.name);
    if (saved == made_with.end()) continue;
    GORILA_ASSIGN_OR_RETURN(const ResumeRule rule, ResumeRuleOf(key.name));
    if (Agree(key, rule, saved->second, config)) continue;
    if (BeginsAnew(key, rule, games)) continue;
    return InvalidArgument("{} is {}, but {} was made with {}: {}; {}, or start a new run",
                           key.name, StateValue(key, config), state, saved->second, Reason(rule),
                           Expected(key, rule, saved->second));
  }
  return OkStatus();
}

}  // namespace gorila
