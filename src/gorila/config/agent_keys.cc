// [network], [actor], [replay], [learner] and [optimizer].
#include <array>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/config/field_makers.h"
#include "gorila/config/key_tables.h"
#include "gorila/network/q_network.h"
#include "gorila/parameter_server/optimizer.h"

namespace gorila {
namespace {

using namespace config_fields;  // NOLINT(google-build-using-namespace): a table of nothing else

constexpr int kMostCompressedFrameBytes = 1 << 20;  // the largest screen, 16 times

std::vector<std::string_view> NetworkNames() {
  return NamesOf(NetworkPresets(), {"auto", "custom"});
}
std::vector<std::string_view> BackendNames() { return NamesOf(QNetworkBackends(), {"auto"}); }
std::vector<std::string_view> SelectorNames() { return NamesOf(SelectorTable()); }
std::vector<std::string_view> AlgorithmNames() { return NamesOf(AlgorithmTable()); }
std::vector<std::string_view> OptimizerNames() { return NamesOf(OptimizerTable()); }

using namespace std::string_view_literals;
constexpr std::array kClockNames = {"frames"sv, "updates"sv};
static_assert(static_cast<int>(ExplorationClock::kUpdates) == 1);
constexpr std::array kLossNames = {"squared"sv, "huber"sv};
static_assert(static_cast<int>(TdErrorLoss::kHuber) == 1);
constexpr std::array kHeadsNames = {"shared"sv, "per_game"sv};
static_assert(static_cast<int>(GameHeads::kPerGame) == 1);
constexpr std::array kReductionNames = {"mean"sv, "sum"sv};
static_assert(static_cast<int>(BatchReduction::kSum) == 1);
constexpr std::array kCompressionNames = {"none"sv, "zstd"sv};
static_assert(static_cast<int>(FrameCompression::kZstd) == 1);

const std::array kAgentKeys = {
    ConfigKey{"network.preset",
              "The layers; auto fits the environment, custom takes the two lists below",
              "Gorila, DQN: nature_dqn; MinAtar: minatar_dqn",
              Name(GORILA_FIELD(network.preset), &NetworkNames)},
    ConfigKey{"network.convolutions", "Convolutions of preset custom, each with ReLU",
              "Gorila, DQN: [[32, 8, 4], [64, 4, 2], [64, 3, 1]]",
              Layers<ConvolutionsField>(GORILA_FIELD(network.convolutions))},
    ConfigKey{"network.hidden", "Units of each fully connected layer of preset custom, with ReLU",
              "Gorila, DQN: [512]", Layers<HiddenLayersField>(GORILA_FIELD(network.hidden))},
    ConfigKey{"network.dueling",
              "Whether the output layer has a value and an advantage head, each with every atom",
              "Dueling, Rainbow: true", Boolean(GORILA_FIELD(learner.agent.dueling))},
    ConfigKey{"network.noise",
              "Noisy layers: sigma_0, which sets their noise at the start; 0 = none",
              "Noisy networks, Rainbow: 0.5; Dopamine, DQN Zoo: 0.1",
              Real(GORILA_FIELD(learner.agent.noise), {.low = 0, .high = 100})},
    ConfigKey{"network.heads", "With several games: whether each has an output layer of its own",
              "", Enumeration<kHeadsNames>(GORILA_FIELD(network.heads))},
    ConfigKey{"network.game_input", "With several games: whether the network sees which one it is",
              "IMPALA: false", Boolean(GORILA_FIELD(environment.options.game_input))},
    ConfigKey{
        "network.backend",
        "What computes the network; auto is the fastest here in float32, bfloat16 faster with AMX",
        "", Name(GORILA_FIELD(network.backend), &BackendNames)},
    ConfigKey{"network.device",
              "Where bundles and learners compute it: cpu, or with backend torch cuda or cuda:N",
              "", Name(GORILA_FIELD(network.device), nullptr)},
    ConfigKey{"network.init_from",
              "Network that a new run begins with, where its layers fit: a run, a checkpoint or a "
              "file",
              "", Text(GORILA_FIELD(network.init_from), "a path, or none")},
    ConfigKey{"network.init_record",
              "What init_from held when the run began; filled in, and checked when it begins again",
              "", Text(GORILA_FIELD(network.init_record), "a checksum and a path, or none")},

    ConfigKey{"actor.environments",
              "Environments of each actor, stepped together with one forward pass",
              "Gorila, DQN: 1", Integer(GORILA_FIELD(actor.environments), 1, 4096)},
    ConfigKey{"actor.normalise_rewards",
              "Whether learners see each game's rewards over the deviation of its returns", "",
              Boolean(GORILA_FIELD(actor.options.normalise_rewards))},
    ConfigKey{"actor.refresh_every", "Steps of an actor between two pulls of the parameters",
              "Gorila, DQN: 1", Integer(GORILA_FIELD(actor.options.refresh_every), 1, kMaxInt)},
    ConfigKey{"actor.epsilon_start", "Probability of a random action at first", "Gorila, DQN: 1",
              Real(GORILA_FIELD(actor.options.exploration.epsilon_start), kProbability)},
    ConfigKey{"actor.epsilon_end", "Probability of a random action in the end", "Gorila, DQN: 0.1",
              Real(GORILA_FIELD(actor.options.exploration.epsilon_end), kProbability)},
    ConfigKey{"actor.epsilon_ticks",
              "Ticks of epsilon_clock over which epsilon falls linearly; 0 = at once",
              "Gorila: 1000000 global updates; DQN: 1000000 frames",
              Integer(GORILA_FIELD(actor.options.exploration.epsilon_ticks), 0, kMaxInt64)},
    ConfigKey{"actor.epsilon_clock",
              "What ticks: frames of all bundles, or updates of the parameter server",
              "Gorila: updates; DQN: frames",
              Enumeration<kClockNames>(GORILA_FIELD(actor.options.exploration.clock))},
    ConfigKey{
        "actor.epsilon_spread",
        "Environment i of all n explores with epsilon^(1 + spread * i / (n - 1)); 0 = all alike",
        "Ape-X: 7", Real(GORILA_FIELD(actor.options.exploration.spread), {0, 100})},

    ConfigKey{"replay.capacity", "Frames that the replay memory of each bundle holds",
              "Gorila, DQN: 1000000; MinAtar: 100000",
              Integer(GORILA_FIELD(replay.options.capacity), 1, kMaxRows)},
    ConfigKey{"replay.min_size",
              "Frames that a bundle collects before its learner starts (not with queue)",
              "DQN: 50000; MinAtar: 5000",
              Integer(GORILA_FIELD(replay.options.rate.min_size), 1, kMaxRows)},
    ConfigKey{"replay.updates_per_step",
              "Minibatches per frame that a bundle collects (not with queue)",
              "Gorila, MinAtar: 1; DQN: 0.25",
              Real(GORILA_FIELD(replay.options.rate.updates_per_step),
                   {.low = 0, .high = 1000, .without_low = true})},
    ConfigKey{
        "replay.insert_lead",
        "Frames at each shard that actors may run ahead of learners of a global replay; 0 = any",
        "", Integer(GORILA_FIELD(replay.options.rate.insert_lead), 0, kMaxRows)},
    ConfigKey{"replay.selector", "Which transitions a minibatch is drawn from",
              "Gorila, DQN: uniform",
              Name(GORILA_FIELD(replay.options.selector.name), &SelectorNames)},
    ConfigKey{"replay.priority_exponent",
              "prioritized: power of the TD error that it draws in proportion to (alpha)",
              "Prioritized replay: 0.6",
              Real(GORILA_FIELD(replay.options.selector.priority_exponent), kProbability)},
    ConfigKey{"replay.initial_priorities",
              "prioritized: whether new transitions get the priority of their actor's TD error",
              "Ape-X: true", Boolean(GORILA_FIELD(replay.options.selector.initial_priorities))},
    ConfigKey{"replay.replayed_share",
              "vtrace: share of a minibatch's unrolls drawn from kept ones that were drawn before",
              "IMPALA's replay experiment: 0.5",
              Real(GORILA_FIELD(replay.options.selector.replayed_share), kBelowOne)},
    ConfigKey{"replay.importance_exponent",
              "prioritized: how far the loss makes up for it; 1 = fully (beta)",
              "Prioritized replay: 0.4, rising to 1",
              Real(GORILA_FIELD(learner.importance_exponent), kProbability)},
    ConfigKey{
        "replay.importance_exponent_end",
        "prioritized: importance_exponent at the end of the run, reached linearly; -1 = constant",
        "Prioritized replay: 1",
        Real(GORILA_FIELD(learner.importance_exponent_end), {.low = -1, .high = 1})},
    ConfigKey{"replay.byte_budget",
              "Bytes for the replay of all bundles together; 0 = four fifths of the memory", "",
              Integer(GORILA_FIELD(replay.byte_budget), 0, kMaxInt64)},
    ConfigKey{"replay.prefetch",
              "Whether learners of a global replay sample minibatches ahead, while they compute",
              "", Boolean(GORILA_FIELD(replay.prefetch))},
    ConfigKey{"replay.compression", "How frames are kept; zstd: each compressed by itself", "",
              Enumeration<kCompressionNames>(GORILA_FIELD(replay.options.frames.compression))},
    ConfigKey{"replay.compressed_frame_bytes",
              "zstd: bytes set aside for each frame; 0 = an eighth of a frame and 32", "",
              Integer(GORILA_FIELD(replay.options.frames.compressed_frame_bytes), 0,
                      kMostCompressedFrameBytes)},

    ConfigKey{"learner.algorithm", "The algorithm; gorila algorithms lists them",
              "Gorila, DQN: dqn", Name(GORILA_FIELD(learner.agent.algorithm), &AlgorithmNames)},
    ConfigKey{"learner.double_selection",
              "c51, qr_dqn, iqn: whether the online network chooses the action of the next state",
              "Rainbow: true", Boolean(GORILA_FIELD(learner.agent.double_selection))},
    ConfigKey{"learner.atoms", "c51: atoms of an action's distribution; qr_dqn: its quantiles",
              "C51, Rainbow: 51; QR-DQN: 200",
              Integer(GORILA_FIELD(learner.agent.atoms), 2, kMostAtoms)},
    ConfigKey{"learner.value_min", "c51: return of the lowest atom", "C51: -10; MinAtar: -100",
              Real(GORILA_FIELD(learner.agent.value_min), {.low = -kMaxFloat, .high = kMaxFloat})},
    ConfigKey{"learner.value_max", "c51: return of the highest atom", "C51: 10; MinAtar: 100",
              Real(GORILA_FIELD(learner.agent.value_max), {.low = -kMaxFloat, .high = kMaxFloat})},
    ConfigKey{"learner.taus", "iqn: taus drawn for each transition in each pass",
              "IQN: 64, 32 to act", Integer(GORILA_FIELD(learner.agent.taus), 1, kMostTaus)},
    ConfigKey{"learner.munchausen_scale",
              "munchausen: how much of the policy's logarithm the reward gets (alpha)",
              "Munchausen: 0.9", Real(GORILA_FIELD(learner.agent.munchausen_scale), kProbability)},
    ConfigKey{"learner.munchausen_temperature", "munchausen: temperature of the policy (tau)",
              "Munchausen: 0.03",
              Real(GORILA_FIELD(learner.agent.munchausen_temperature),
                   {.low = 0, .high = 1000, .without_low = true})},
    ConfigKey{"learner.munchausen_clip", "munchausen: the least that tau ln pi counts as",
              "Munchausen: -1",
              Real(GORILA_FIELD(learner.agent.munchausen_clip), {.low = -kMaxFloat, .high = 0})},
    ConfigKey{"learner.value_rescaling",
              "dqn, double_dqn: whether values are learnt as h(value), which needs no reward_clip",
              "R2D2: true", Boolean(GORILA_FIELD(learner.agent.value_rescaling))},
    ConfigKey{"learner.gradient_norm", "Gradients longer than this are scaled down to it; 0 = none",
              "Dueling: 10; Ape-X: 40", Real(GORILA_FIELD(learner.gradient_norm), kNotNegative)},
    ConfigKey{"learner.loss",
              "Loss of a TD error (not of a distribution); huber clips its gradient to [-1, 1]",
              "DQN: huber; Gorila: squared in its equation 3, and it \"closely followed DQN\"",
              Enumeration<kLossNames>(GORILA_FIELD(learner.agent.loss))},
    ConfigKey{"learner.reduction", "How the gradients of a minibatch become one",
              "DQN: sum; MinAtar: mean",
              Enumeration<kReductionNames>(GORILA_FIELD(learner.agent.reduction))},
    ConfigKey{"learner.unroll", "vtrace: time steps of an unroll (T)", "IMPALA: 20",
              Integer(GORILA_FIELD(learner.agent.unroll), 1, kMostUnrolled)},
    ConfigKey{"learner.rho_clip",
              "vtrace: the most that pi/mu counts in a target and its gradient (rho-bar)",
              "IMPALA: 1", Real(GORILA_FIELD(learner.agent.rho_clip), kPositive)},
    ConfigKey{"learner.trace_clip",
              "vtrace: the most that pi/mu counts in how far back a reward reaches (c-bar)",
              "IMPALA: 1", Real(GORILA_FIELD(learner.agent.trace_clip), kPositive)},
    ConfigKey{"learner.trace_decay", "vtrace: by which traces fade in each step (lambda)",
              "IMPALA: 1", Real(GORILA_FIELD(learner.agent.trace_decay), kProbability)},
    ConfigKey{"learner.entropy_cost", "vtrace: weight of the policy's entropy", "IMPALA, A2C: 0.01",
              Real(GORILA_FIELD(learner.agent.entropy_cost), kNotNegative)},
    ConfigKey{"learner.baseline_cost", "vtrace: weight of half the value's squared error",
              "IMPALA: 0.5", Real(GORILA_FIELD(learner.agent.baseline_cost), kNotNegative)},
    ConfigKey{"learner.batch_size", "Transitions, with vtrace unrolls, in a minibatch", "DQN: 32",
              Integer(GORILA_FIELD(learner.batch_size), 1, 65536)},
    ConfigKey{"learner.push_every", "Gradients that a learner adds up before it pushes the sum",
              "Gorila: 1; DistBelief: n_push", Integer(GORILA_FIELD(learner.push_every), 1, 65536)},
    ConfigKey{"learner.fetch_every",
              "Gradients of a learner between two pulls of the parameters, for its actor too",
              "Gorila: 1; DistBelief: n_fetch",
              Integer(GORILA_FIELD(learner.fetch_every), 1, 65536)},
    ConfigKey{"learner.members",
              "Threads or processes that compute a learner's network together, each its own units",
              "Gorila: 1; DistBelief: machines of a model replica",
              Integer(GORILA_FIELD(learner.members), 1, 64)},
    ConfigKey{"learner.warm_start",
              "Updates that the first bundle or learner makes before the others begin",
              "Gorila: 0; DistBelief: warm start",
              Integer(GORILA_FIELD(learner.warm_start), 0, kMaxInt64)},
    ConfigKey{"learner.n_step", "Rewards in the learning target before it bootstraps",
              "Gorila, DQN: 1", Integer(GORILA_FIELD(replay.options.transition.n_step), 1, 64)},
    ConfigKey{"learner.discount", "Discount of the next step's value (gamma)", "DQN: 0.99",
              Real(GORILA_FIELD(replay.options.transition.discount), kProbability)},
    ConfigKey{"learner.reward_clip", "Rewards are clipped to +- this for learning; 0 = not at all",
              "DQN: 1; MinAtar: 0",
              Real(GORILA_FIELD(replay.options.transition.reward_clip), kNotNegative)},
    ConfigKey{"learner.outlier_deviations",
              "Discards gradients whose loss is above mean + this * deviation; 0 = none",
              "Gorila: \"several\"; DQN: 0",
              Real(GORILA_FIELD(learner.outliers.deviations), kNotNegative)},
    ConfigKey{"learner.outlier_averaging",
              "Weight of the past in the running mean and deviation of the loss",
              "Gorila: unpublished", Real(GORILA_FIELD(learner.outliers.averaging), kBelowOne)},
    ConfigKey{"learner.outlier_warm_up", "Losses seen before one can be an outlier",
              "Gorila: unpublished", Integer(GORILA_FIELD(learner.outliers.warm_up), 0, kMaxInt64)},

    ConfigKey{"optimizer.name", "How the parameter server applies a gradient",
              "Gorila: adagrad; DQN: rmsprop (centred); MinAtar: rmsprop_momentum; IMPALA: "
              "rmsprop_uncentred",
              Name(GORILA_FIELD(parameter_server.options.optimizer.name), &OptimizerNames)},
    ConfigKey{"optimizer.learning_rate", "Step size", "DQN: 0.00025; Gorila: unpublished",
              Real(GORILA_FIELD(parameter_server.options.optimizer.learning_rate),
                   {.low = 0, .high = 1000, .without_low = true})},
    ConfigKey{"optimizer.learning_rate_end",
              "Step size in the end, reached linearly; -1 = constant", "",
              Real(GORILA_FIELD(parameter_server.options.optimizer.learning_rate_end),
                   {.low = -1, .high = 1000})},
    ConfigKey{
        "optimizer.decay_updates", "Updates over which the step size falls; 0 = the whole run", "",
        Integer(GORILA_FIELD(parameter_server.options.optimizer.decay_updates), 0, kMaxInt64)},
    ConfigKey{
        "optimizer.epsilon",
        "Added where the step is divided: adam, rmsprop_momentum outside the root, others inside",
        "DQN, MinAtar, IMPALA: 0.01; Gorila: unpublished",
        Real(GORILA_FIELD(parameter_server.options.optimizer.epsilon),
             {.low = kMinFloat, .high = 1})},
    ConfigKey{"optimizer.decay", "Weight of the past in the averages of rmsprop (all three)",
              "DQN, MinAtar: 0.95; IMPALA: 0.99",
              Real(GORILA_FIELD(parameter_server.options.optimizer.decay), kBelowOne)},
    ConfigKey{"optimizer.momentum", "Weight of the past in rmsprop_momentum's steps",
              "MinAtar: 0.95; DQN, IMPALA: none",
              Real(GORILA_FIELD(parameter_server.options.optimizer.momentum), kBelowOne)},
    ConfigKey{"optimizer.beta1", "Weight of the past in adam's mean gradient", "",
              Real(GORILA_FIELD(parameter_server.options.optimizer.beta1), kBelowOne)},
    ConfigKey{"optimizer.beta2", "Weight of the past in adam's mean squared gradient", "",
              Real(GORILA_FIELD(parameter_server.options.optimizer.beta2), kBelowOne)},
    ConfigKey{"optimizer.initial_accumulator", "adagrad's sum of squared gradients at first",
              "Gorila: unpublished",
              Real(GORILA_FIELD(parameter_server.options.optimizer.initial_accumulator),
                   {.low = 0, .high = kMaxFloat})},
};

}  // namespace

std::span<const ConfigKey> AgentKeys() { return kAgentKeys; }

}  // namespace gorila
