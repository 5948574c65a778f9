// Checks that concern more than one key.
#include <algorithm>
#include <limits>

#include "gorila/agent/algorithm.h"
#include "gorila/base/cores.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/games.h"
#include "gorila/config/resolve.h"
#include "gorila/network/q_network.h"
#include "gorila/network/split/split_network.h"
#include "gorila/replay/replay_shard.h"

namespace gorila {
namespace {

Status CheckRun(const Config& config) {
  if (config.run.cpus != "any") {
    // Whether there are such cores is asked where a run starts: a run may be read elsewhere.
    const Status cores = ParseCores(config.run.cpus).status();
    if (!cores.ok()) return Annotate(cores, "run.cpus");
  }
  if (config.run.deterministic && config.run.seconds > 0) {
    return InvalidArgument(
        "run.seconds is {} in a deterministic run; expected 0, because wall time differs from run "
        "to "
        "run (run.frames ends it)",
        config.run.seconds);
  }
  return OkStatus();
}

// Actors, learners and replay shards are of no use without each other.
Status CheckRoles(const Config& config) {
  const ClusterSection& cluster = config.cluster;
  const bool any = cluster.actors > 0 || cluster.learners > 0 || cluster.replays > 0;
  const bool all = cluster.actors > 0 && cluster.learners > 0 && cluster.replays > 0;
  if (any && !all) {
    return InvalidArgument(
        "cluster.actors, learners and replays are {}, {} and {}; expected all of them to be 0, or "
        "none",
        cluster.actors, cluster.learners, cluster.replays);
  }
  if (!any && config.run.bundles == 0) {
    return InvalidArgument("run.bundles is 0; expected 1 or more without cluster.actors");
  }
  return OkStatus();
}

Status CheckNetwork(const NetworkSection& network) {
  const bool layers = !network.convolutions.empty() || !network.hidden.empty();
  if (network.preset == "custom" && !layers) {
    return InvalidArgument(
        "network.preset is custom without layers; expected network.convolutions, network.hidden or "
        "both");
  }
  if (network.preset != "custom" && layers) {
    return InvalidArgument(
        "network.preset is {}, which has its own layers; expected custom, or no "
        "network.convolutions and network.hidden",
        network.preset);
  }
  return CheckDevice(network.backend, network.device);
}

Status CheckExploration(const ExplorationOptions& exploration) {
  if (exploration.epsilon_end > exploration.epsilon_start) {
    return InvalidArgument("actor.epsilon_end is {}; expected at most actor.epsilon_start, {}",
                           exploration.epsilon_end, exploration.epsilon_start);
  }
  return OkStatus();
}

// Streams have their unrolls in a shard side by side, and all of them must be whole before the
// oldest rows make room; pieces of chunks and of inserts, of up to 64 rows each, come on top. Else
// no unroll might ever be.
Status CheckUnrollsOfShard(const Config& config, const LocalReplayOptions& options) {
  if (options.transition.unroll == 0 || config.cluster.replays == 0) return OkStatus();
  constexpr std::int64_t kPieces = 2 * 64;
  const std::int64_t all = std::int64_t{config.cluster.actors} * config.actor.environments;
  const std::int64_t streams = (all + config.cluster.replays - 1) / config.cluster.replays;
  const std::int64_t least =
      streams * (options.transition.unroll + kPieces) + options.rate.insert_lead;
  if (options.capacity >= least) return OkStatus();
  return InvalidArgument(
      "replay.capacity is {}; expected at least {} (learner.unroll {} + {} for each of a shard's "
      "{} "
      "environments + replay.insert_lead {})",
      options.capacity, least, options.transition.unroll, kPieces, streams,
      options.rate.insert_lead);
}

// A minibatch comes from one shard.
Status CheckGamesOfShards(const Config& config) {
  const int games = NumGames(config);
  const int each = config.cluster.actors * config.actor.environments / games;
  if (games == 1 || config.cluster.actors == 0 || config.cluster.replays <= each) {
    return OkStatus();
  }
  return InvalidArgument(
      "cluster.replays is {}; expected at most {}, the environments that play each of the {} "
      "games: every shard must have some of every game",
      config.cluster.replays, each, games);
}

Status CheckReplay(const Config& config) {
  const LocalReplayOptions options = ResolveReplayOptions(config);
  const int environments = config.actor.environments;
  if (options.rate.min_size > options.capacity && !DrawsOnce(options.selector)) {
    return InvalidArgument("replay.min_size is {}; expected at most replay.capacity, {}",
                           options.rate.min_size, options.capacity);
  }
  if (options.frames.compressed_frame_bytes > 0 &&
      options.frames.compression == FrameCompression::kNone) {
    return InvalidArgument(
        "replay.compressed_frame_bytes is {} with replay.compression none; expected 0, or zstd",
        options.frames.compressed_frame_bytes);
  }
  // A transition and its n next steps; replay adds what the environment's stack needs.
  const std::int64_t least = std::int64_t{options.transition.rows_after()} + 1;
  if (options.capacity / environments < least) {
    return InvalidArgument(
        "replay.capacity is {}; expected at least {} ({} + 1 for each of {} actor.environments)",
        options.capacity, least * environments,
        options.transition.unroll > 0 ? "learner.unroll" : "learner.n_step", environments);
  }
  if (config.cluster.replays > 0) GORILA_RETURN_IF_ERROR(CheckInsertLead(options));
  GORILA_RETURN_IF_ERROR(CheckGamesOfShards(config));
  return CheckUnrollsOfShard(config, options);
}

// What is drawn again is off-policy, which only V-trace corrects.
Status CheckReplayedShare(const Config& config, const AlgorithmRow& row) {
  const SelectorOptions& selector = config.replay.options.selector;
  if (selector.replayed_share == 0) return OkStatus();
  if (!DrawsOnce(selector)) {
    return InvalidArgument(
        "replay.replayed_share is {} with replay.selector {}; expected 0, or the selector queue",
        selector.replayed_share, selector.name);
  }
  if (row.experience != Experience::kUnrolls) {
    return InvalidArgument(
        "replay.replayed_share is {} with learner.algorithm {}, which learns from each transition "
        "once; expected 0, or vtrace",
        selector.replayed_share, row.name);
  }
  const int batch = config.learner.batch_size;
  if (FreshInMinibatch(config) < batch) return OkStatus();
  return InvalidArgument(
      "replay.replayed_share is {}, less than one unroll of learner.batch_size {}; expected 0, or "
      "at least 1 / {}",
      selector.replayed_share, batch, batch);
}

Status CheckOptimizer(const OptimizerOptions& optimizer) {
  const bool has_end = optimizer.learning_rate_end >= 0;
  if (!has_end && optimizer.learning_rate_end != -1) {
    return InvalidArgument(
        "optimizer.learning_rate_end is {}; expected 0 or more, or -1 (constant)",
        optimizer.learning_rate_end);
  }
  if (!has_end && optimizer.decay_updates > 0) {
    return InvalidArgument(
        "optimizer.decay_updates is {} without optimizer.learning_rate_end; expected 0, or a "
        "learning rate to end at",
        optimizer.decay_updates);
  }
  return OkStatus();
}

// Traces do what n-step returns do, whatever the actors' epsilons: they are in the probabilities.
Status CheckUnrolls(const Config& config, const AlgorithmRow& row) {
  const int n_step = config.replay.options.transition.n_step;
  if (n_step == 1) return OkStatus();
  return InvalidArgument(
      "learner.n_step is {} with learner.algorithm {}; expected 1: learner.unroll says how far its "
      "returns reach",
      n_step, row.name);
}

// What is learnt on-policy is learnt from once, by a policy that is known.
Status CheckSampling(const Config& config) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row,
                          FindAlgorithm(config.learner.agent.algorithm));
  const SelectorOptions& selector = config.replay.options.selector;
  if (DrawsOnce(selector) && config.replay.prefetch && config.cluster.replays > 0) {
    return InvalidArgument(
        "replay.prefetch is true with replay.selector queue; expected false: minibatches drawn "
        "ahead would be of an older policy");
  }
  if (selector.initial_priorities && selector.name != "prioritized") {
    return InvalidArgument(
        "replay.initial_priorities is true with replay.selector {}; expected prioritized",
        selector.name);
  }
  if (selector.initial_priorities && !row->errors_are_of_values) {
    return InvalidArgument(
        "replay.initial_priorities is true with learner.algorithm {}, whose priorities are not TD "
        "errors of values; expected false",
        row->name);
  }
  if (selector.initial_priorities && config.learner.agent.value_rescaling) {
    return InvalidArgument(
        "replay.initial_priorities is true with learner.value_rescaling; expected false: actors "
        "compute errors of unscaled values");
  }
  GORILA_RETURN_IF_ERROR(CheckReplayedShare(config, *row));
  if (row->experience == Experience::kReplay) return OkStatus();
  if (!DrawsOnce(config.replay.options.selector)) {
    return InvalidArgument(
        "replay.selector is {} with learner.algorithm {}, which learns on-policy; expected queue",
        config.replay.options.selector.name, row->name);
  }
  if (row->experience == Experience::kUnrolls) return CheckUnrolls(config, *row);
  const ExplorationOptions& exploration = config.actor.options.exploration;
  if (exploration.spread > 0) {
    return InvalidArgument(
        "actor.epsilon_spread is {} with learner.algorithm {}; expected 0: the value of a policy "
        "needs the epsilon that all actors have",
        exploration.spread, row->name);
  }
  return OkStatus();
}

Status CheckImportance(const LearnerOptions& learner) {
  const double end = learner.importance_exponent_end;
  if (end == -1 || end >= learner.importance_exponent) return OkStatus();
  return InvalidArgument(
      "replay.importance_exponent_end is {}; expected at least replay.importance_exponent, {}, or "
      "-1 (it stays)",
      end, learner.importance_exponent);
}

// What the members of a group do not share out yet.
Status CheckMembers(const Config& config) {
  const int members = config.learner.members;
  if (members == 1) return OkStatus();
  GORILA_RETURN_IF_ERROR(CheckSplitBackend(config.network.backend, config.network.device, members));
  if (config.parameter_server.encoding != GradientEncoding::kFloat32) {
    return InvalidArgument(
        "learner.members is {} with a parameter_server.encoding that rounds; expected 1, or "
        "float32",
        members);
  }
  return OkStatus();
}

Status CheckEvaluation(const EvaluationSection& evaluation, const AgentOptions& agent) {
  GORILA_ASSIGN_OR_RETURN(const AlgorithmRow* const row, FindAlgorithm(agent.algorithm));
  if (evaluation.act == EvaluationAct::kSample && !row->is_policy) {
    return InvalidArgument(
        "evaluation.act is sample with learner.algorithm {}, which has no distribution to sample "
        "from; expected auto or argmax",
        row->name);
  }
  if (evaluation.epsilon < 0 && evaluation.epsilon != -1) {
    return InvalidArgument("evaluation.epsilon is {}; expected 0 to 1, or -1 (the protocol's)",
                           evaluation.epsilon);
  }
  if (evaluation.best && evaluation.every_frames == 0) {
    return InvalidArgument(
        "evaluation.best is true without evaluations while training; expected "
        "evaluation.every_frames above 0");
  }
  return OkStatus();
}

}  // namespace

// A bundle is learnt from when it has min_size frames, a shard of the global replay likewise. All
// bundles and actors are taken to be equally fast: a frame an environment in every step.
Status CheckLearning(const Config& config) {
  const bool queue = DrawsOnce(config.replay.options.selector);
  const AgentOptions& agent = config.learner.agent;
  const std::int64_t min_size = queue ? StepsOfMinibatch(agent, FreshInMinibatch(config))
                                      : config.replay.options.rate.min_size;
  const std::int64_t environments = config.actor.environments;
  // Every environment makes whole unrolls.
  const std::int64_t unroll = UsesUnrolls(agent) ? agent.unroll : 1;
  const auto over = [unroll](std::int64_t a, std::int64_t b) {
    return (a + b * unroll - 1) / (b * unroll) * unroll;
  };
  std::int64_t steps = std::numeric_limits<std::int64_t>::max();
  if (config.run.bundles > 0) steps = over(min_size, environments);
  if (config.cluster.replays > 0) {
    // The streams of all actors are dealt out to the shards in turn.
    const std::int64_t streams =
        (config.cluster.actors * environments + config.cluster.replays - 1) /
        config.cluster.replays;
    steps = std::min(steps, over(min_size, std::max<std::int64_t>(streams, 1)));
  }
  const std::int64_t step_frames = (config.run.bundles + config.cluster.actors) * environments;
  if (config.run.frames > (steps - 1) * step_frames) return OkStatus();
  const bool unrolls = UsesUnrolls(agent);
  return InvalidArgument(
      "run.frames is {}, and the first update would come after {}: run.bundles {} + cluster.actors "
      "{} collect {} frames ({}) for a memory first; expected more frames, or a smaller {}",
      config.run.frames, steps * step_frames, config.run.bundles, config.cluster.actors, min_size,
      unrolls ? "learner.unroll for each new unroll of a minibatch"
      : queue ? "learner.batch_size"
              : "replay.min_size",
      unrolls ? "learner.unroll or learner.batch_size"
      : queue ? "learner.batch_size"
              : "replay.min_size");
}

Status CheckConfig(const Config& config) {
  GORILA_RETURN_IF_ERROR(CheckRun(config));
  GORILA_RETURN_IF_ERROR(CheckRoles(config));
  GORILA_RETURN_IF_ERROR(CheckGames(config));
  GORILA_RETURN_IF_ERROR(CheckNetwork(config.network));
  GORILA_RETURN_IF_ERROR(CheckExploration(config.actor.options.exploration));
  GORILA_RETURN_IF_ERROR(CheckReplay(config));
  GORILA_RETURN_IF_ERROR(CheckOptimizer(config.parameter_server.options.optimizer));
  GORILA_RETURN_IF_ERROR(CheckAgentOptions(config.learner.agent));
  GORILA_RETURN_IF_ERROR(CheckSampling(config));
  GORILA_RETURN_IF_ERROR(CheckImportance(config.learner));
  GORILA_RETURN_IF_ERROR(CheckMembers(config));
  return CheckEvaluation(config.evaluation, config.learner.agent);
}

}  // namespace gorila
