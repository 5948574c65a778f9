#include "gorila/config/resolve.h"

#include <absl/strings/str_split.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "gorila/agent/algorithm.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/env/game_list.h"
#include "gorila/env/registry.h"

namespace gorila {

int FreshInMinibatch(const Config& config) {
  const auto size = static_cast<std::size_t>(config.learner.batch_size);
  return static_cast<int>(FreshOf(config.replay.options.selector, size));
}

namespace {

// Minibatches that the frames of the run will pay for.
std::int64_t MinibatchesOfRun(const Config& config) {
  if (DrawsOnce(config.replay.options.selector)) {
    const LearnerOptions& learner = config.learner;
    return config.run.frames / StepsOfMinibatch(learner.agent, FreshInMinibatch(config));
  }
  const RateLimiter::Options& rate = config.replay.options.rate;
  const std::int64_t memories = config.run.bundles + config.cluster.replays;
  const std::int64_t learning_frames = config.run.frames - memories * rate.min_size;
  return static_cast<std::int64_t>(static_cast<double>(learning_frames) * rate.updates_per_step);
}

std::int64_t UpdatesOfRun(const Config& config) {
  return std::max<std::int64_t>(1, MinibatchesOfRun(config) / config.learner.push_every);
}

// As seen from the folder that the program was started in.
void MakePathAbsolute(std::string& game) {
  namespace fs = std::filesystem;
  const ExternalName name = *ParseExternalName(game);
  if (name.kind != ExternalKind::kPlugin && name.kind != ExternalKind::kPluginProcess) return;
  std::error_code error;
  const std::size_t prefix = name.name.size() - name.target.size();
  const fs::path path = fs::absolute(fs::path(name.target), error).lexically_normal();
  if (!error) game = game.substr(0, prefix) + path.string();
}

void MakePythonPathAbsolute(ExternalOptions& options) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path here = fs::current_path(error);
  if (error) return;
  if (options.python_path == "none") {
    options.python_path = here.string();
    return;
  }
  std::vector<std::string> folders;
  const std::vector<std::string> given = absl::StrSplit(options.python_path, ':');
  folders.reserve(given.size());
  for (const std::string& folder : given) {
    folders.push_back((here / folder).lexically_normal().string());
  }
  options.python_path = fmt::format("{}", fmt::join(folders, ":"));
}

bool IsPython(std::string_view game) {
  const auto name = ParseExternalName(game);
  return name && (name->kind == ExternalKind::kGymnasium || name->kind == ExternalKind::kPython);
}

// Python would pass over what is not there, and say that it knows no such module.
Status CheckPythonPath(const ExternalOptions& options) {
  const std::vector<std::string> given = absl::StrSplit(options.python_path, ':');
  for (const std::string& path : given) {
    std::error_code error;
    if (path == "none" || std::filesystem::exists(path, error)) continue;
    return InvalidArgument(
        "environment.python_path: '{}' does not exist; expected folders with Python modules, "
        "separated by ':'",
        path);
  }
  return OkStatus();
}

// Layers and sizes, without what the algorithm adds.
StatusOr<NetworkSpec> MakeLayers(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const EnvironmentSpec environment,
                          DescribeEnvironment(config.environment.name, config.environment.options));
  if (config.network.preset != "custom") {
    return MakeNetworkSpec(config.network.preset, environment);
  }
  NetworkSpec spec;
  spec.input = environment.observation;
  spec.num_actions = environment.num_actions();
  spec.convolutions = config.network.convolutions;
  spec.hidden.assign(config.network.hidden.begin(), config.network.hidden.end());
  spec.game_actions = environment.game_actions;
  return spec;
}

}  // namespace

StatusOr<NetworkSpec> ResolveNetwork(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const algorithm,
                          FindAlgorithm(config.learner.agent.algorithm));
  GORILA_ASSIGN_OR_RETURN(NetworkSpec spec, MakeLayers(config));
  spec.game_heads = config.network.heads == GameHeads::kPerGame && spec.num_games() > 1;
  algorithm->describe(config.learner.agent, spec);
  GORILA_RETURN_IF_ERROR(CheckNetworkSpec(spec));
  return spec;
}

namespace {

// Fills `record` unless it is known.
StatusOr<std::string> RecordOne(const Config& config, const std::string& game,
                                std::string& record) {
  const EnvironmentOptions& options = config.environment.options;
  EnvironmentRecord said;
  if (record == "none") {
    GORILA_RETURN_IF_ERROR(CheckPythonPath(options.external));
    GORILA_ASSIGN_OR_RETURN(said, ProbeEnvironment(*ParseExternalName(game), options));
    record = EncodeEnvironmentRecord(said);
  } else {
    GORILA_ASSIGN_OR_RETURN(said, DecodeEnvironmentRecord(record));
  }
  if (said.repeats) return std::string();
  const std::string why = fmt::format(
      "environment '{}' does not repeat itself: the same seed and actions gave something else the "
      "second time",
      game);
  if (config.run.deterministic) return InvalidArgument("run.deterministic is true; {}", why);
  return why + "; a resumed run begins new episodes";
}

}  // namespace

StatusOr<std::string> RecordEnvironment(Config& config) {
  std::vector<std::string> games = GamesOf(config);
  const auto is_external = [](const std::string& game) {
    return ParseExternalName(game).has_value();
  };
  if (std::none_of(games.begin(), games.end(), is_external)) return std::string();
  GORILA_RETURN_IF_ERROR(CheckConfig(config));  // before anything is started
  ExternalOptions& options = config.environment.options.external;
  GORILA_ASSIGN_OR_RETURN(std::vector<std::string> records,
                          SplitRecords(options.record, games.size()));
  for (std::string& game : games) {
    if (is_external(game)) MakePathAbsolute(game);
  }
  if (std::any_of(games.begin(), games.end(), &IsPython)) MakePythonPathAbsolute(options);
  config.environment.name = fmt::format("{}", fmt::join(games, ","));
  GORILA_RETURN_IF_ERROR(ExpandGames(config.environment.name).status());  // two ways to one file
  std::string note;
  for (std::size_t i = 0; i < games.size(); ++i) {
    if (!is_external(games[i])) continue;
    GORILA_ASSIGN_OR_RETURN(const std::string of_one, RecordOne(config, games[i], records[i]));
    if (note.empty()) note = of_one;
  }
  options.record = JoinRecords(records);
  return note;
}

// A learning rate that falls without a given length falls over the run.
ShardOptions ResolveShardOptions(const Config& config) {
  ShardOptions options = config.parameter_server.options;
  OptimizerOptions& optimizer = options.optimizer;
  if (optimizer.learning_rate_end < 0 || optimizer.decay_updates > 0) return options;
  optimizer.decay_updates = UpdatesOfRun(config);
  return options;
}

LearnerOptions ResolveLearnerOptions(const Config& config) {
  LearnerOptions options = config.learner;
  options.importance_updates = UpdatesOfRun(config);
  options.agent.policy_epsilon = config.actor.options.exploration.epsilon_end;
  return options;
}

bool ActsByPolicy(const Config& config) {
  const StatusOr<const AlgorithmRow*> row = FindAlgorithm(config.learner.agent.algorithm);
  return row.ok() && (*row)->is_policy;
}

ActBy ResolveActBy(const Config& config) {
  const bool sample = ActsByPolicy(config) && config.evaluation.act != EvaluationAct::kArgmax;
  return sample ? ActBy::kSample : ActBy::kArgmax;
}

ActorOptions ResolveActorOptions(const Config& config) {
  ActorOptions options = config.actor.options;
  options.send_values = config.replay.options.selector.initial_priorities;
  options.discount = config.replay.options.transition.discount;
  return options;
}

LocalReplayOptions ResolveReplayOptions(const Config& config) {
  LocalReplayOptions options = config.replay.options;
  options.selector.minibatch = config.learner.batch_size;
  options.games = NumGames(config);
  const AgentOptions& agent = config.learner.agent;
  options.transition.unroll = UsesUnrolls(agent) ? agent.unroll : 0;
  return options;
}

std::vector<float> RunInitialParameters(const Config& config, const ParameterLayout& layout) {
  RandomStream random = RandomStream::Derive(config.run.seed, "parameters");
  return InitialParameters(layout, random);
}

}  // namespace gorila
