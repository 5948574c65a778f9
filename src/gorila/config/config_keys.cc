#include "gorila/config/config_keys.h"

#include <array>
#include <limits>
#include <vector>

#include "gorila/agent/algorithm.h"
#include "gorila/base/nearest.h"
#include "gorila/config/field_makers.h"
#include "gorila/env/registry.h"
#include "gorila/network/q_network.h"
#include "gorila/parameter_server/optimizer.h"

namespace gorila {
namespace {

using config_fields::Boolean, config_fields::Enumeration, config_fields::Integer;
using config_fields::Layers, config_fields::Name, config_fields::NameOr;
using config_fields::Real, config_fields::Text;

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr int kMostCompressedFrameBytes = 1 << 20;  // the largest screen, 16 times
constexpr std::int64_t kMaxRows = 4000000000;       // replay numbers its rows with 32 bits
constexpr int kMostEpisodes = 1000000;              // all their returns are kept
constexpr bool kNoUnits = false;
constexpr double kMaxReal = std::numeric_limits<double>::max();
// These become single-precision floats, where smaller numbers turn to 0 and larger to infinity.
constexpr double kMinFloat = 1e-30;
constexpr double kMaxFloat = 1e30;

template <typename Rows>
std::vector<std::string_view> NamesOf(const Rows& rows, std::vector<std::string_view> names = {}) {
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

std::vector<std::string_view> EnvironmentNames() {
  std::vector<std::string_view> names = NamesOf(EnvironmentTable());
  const std::vector<std::string_view> atari = AtariNames();
  names.insert(names.end(), atari.begin(), atari.end());
  return names;
}
bool IsExternalName(std::string_view name) {
  const auto parsed = ParseExternalName(name);
  return parsed.has_value() && CheckExternalName(*parsed).ok();
}
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
constexpr std::array kMaximumNames = {"colour"sv, "luminance"sv};
static_assert(static_cast<int>(ScreenMaximum::kLuminance) == 1);
constexpr std::array kResizeNames = {"bilinear"sv, "area"sv};
static_assert(static_cast<int>(ScreenResize::kArea) == 1);
constexpr std::array kLayoutNames = {"auto"sv, "hwc"sv, "chw"sv};
static_assert(static_cast<int>(PictureLayout::kChw) == 2);
constexpr std::array kChoiceNames = {"auto"sv, "no"sv, "yes"sv};
static_assert(static_cast<int>(Choice::kYes) == 2);
constexpr std::array kReductionNames = {"mean"sv, "sum"sv};
static_assert(static_cast<int>(BatchReduction::kSum) == 1);
constexpr std::array kEncodingNames = {"float32"sv, "bf16"sv, "topk"sv};
static_assert(static_cast<int>(GradientEncoding::kTopK) == 2);
constexpr std::array kCompressionNames = {"none"sv, "zstd"sv};
static_assert(static_cast<int>(FrameCompression::kZstd) == 1);

constexpr RealRange kProbability = {.low = 0, .high = 1};
constexpr RealRange kBelowOne = {.low = 0, .high = 1, .without_high = true};
constexpr RealRange kSecondsOfWorker = {.low = 0.001, .high = 86400};
constexpr RealRange kNotNegative = {.low = 0, .high = kMaxReal};

#define GORILA_FIELD(path) \
  [](auto& config) -> auto& { return config.path; }

// A frame is a step of an environment, on Atari four frames of the emulator.
const std::array kKeys = {
    ConfigKey{"run.frames", "Frames (environment steps) of all bundles together to train for",
              "DQN: 50000000 (200 million emulator frames)",
              Integer(GORILA_FIELD(run.frames), 1, kMaxInt64)},
    ConfigKey{"run.seconds", "Seconds of wall time to train for at most; 0 = no limit",
              "Gorila: up to 6 days", Real(GORILA_FIELD(run.seconds), kNotNegative)},
    ConfigKey{"run.seed", "Seed of every random stream of the run", "",
              Integer(GORILA_FIELD(run.seed), 0, kMaxInt64, kNoUnits)},
    ConfigKey{"run.bundles",
              "Bundles, each an actor, a local replay memory and a learner; 0 only with "
              "cluster.actors",
              "Gorila: 100; DQN: 1", Integer(GORILA_FIELD(run.bundles), 0, 4096)},
    ConfigKey{"run.deterministic", "Whether one thread steps everything in a fixed order", "",
              Boolean(GORILA_FIELD(run.deterministic))},
    ConfigKey{"run.metrics_every_seconds", "Seconds between two rows of metrics", "",
              Real(GORILA_FIELD(run.metrics_every_seconds), {.low = 0.01, .high = kMaxReal})},
    ConfigKey{"run.metrics_every_frames",
              "Frames between two rows of metrics of a deterministic run", "",
              Integer(GORILA_FIELD(run.metrics_every_frames), 1, kMaxInt64)},

    ConfigKey{"environment.name", "The game", "Gorila, DQN: 49 Atari 2600 games",
              NameOr(GORILA_FIELD(environment.name), &EnvironmentNames, &IsExternalName,
                     "gymnasium:ID, python:MODULE:CALLABLE, plugin:PATH or plugin-process:PATH")},
    ConfigKey{"environment.sticky_actions",
              "Probability that the previous action is repeated instead of the chosen one",
              "MinAtar: 0.1; Gorila, DQN: 0",
              Real(GORILA_FIELD(environment.options.sticky_actions), kProbability)},
    ConfigKey{"environment.difficulty_ramping", "Whether MinAtar's games get faster",
              "MinAtar: true", Boolean(GORILA_FIELD(environment.options.difficulty_ramping))},
    ConfigKey{"environment.minimal_actions",
              "Whether the agent has only the actions that the game has a use for",
              "Gorila, DQN: true; MinAtar: false",
              Boolean(GORILA_FIELD(environment.options.minimal_actions))},
    ConfigKey{"environment.max_episode_steps",
              "Frames after which an episode is cut off; 0 = the game's own limit", "",
              Integer(GORILA_FIELD(environment.options.max_episode_steps), 0, kMaxInt)},
    ConfigKey{"environment.kwargs",
              "gymnasium:, python:, plugins: the constructor's arguments, a JSON object", "",
              Text(GORILA_FIELD(environment.options.external.kwargs), "a JSON object")},
    ConfigKey{"environment.wrappers", "gymnasium:, python: wrappers around it, the innermost first",
              "",
              Text(GORILA_FIELD(environment.options.external.wrappers),
                   "MODULE:CLASS each, with ',' between, or none")},
    ConfigKey{"environment.python",
              "gymnasium:, python: the interpreter; auto: of $VIRTUAL_ENV, else python3", "",
              Text(GORILA_FIELD(environment.options.external.python), "a program, or auto")},
    ConfigKey{"environment.python_path",
              "Folders searched for modules first; none: where gorila was started", "",
              Text(GORILA_FIELD(environment.options.external.python_path),
                   "folders, with ':' between, or none")},
    ConfigKey{"environment.per_worker",
              "Environments of a worker process, stepped in one round trip", "",
              Integer(GORILA_FIELD(environment.options.external.per_worker), 1, kMostPerWorker)},
    ConfigKey{
        "environment.reseed_steps",
        "gymnasium:, python: seeded at the first reset after so many steps; 0 = at every reset", "",
        Integer(GORILA_FIELD(environment.options.external.reseed_steps), 0, 1'000'000)},
    ConfigKey{"environment.step_seconds",
              "A worker that does not answer a step for so long is hung", "",
              Real(GORILA_FIELD(environment.options.external.step_seconds), kSecondsOfWorker)},
    ConfigKey{"environment.start_seconds", "The same for its start and for resets", "",
              Real(GORILA_FIELD(environment.options.external.start_seconds), kSecondsOfWorker)},
    ConfigKey{"environment.layout",
              "Sides of pictures that are not ours; auto: the one of at most 4 is the channels", "",
              Enumeration<kLayoutNames>(GORILA_FIELD(environment.options.external.layout))},
    ConfigKey{"environment.grey", "Whether they are made grey; auto: those of more than 64 pixels",
              "DQN: yes",
              Enumeration<kChoiceNames>(GORILA_FIELD(environment.options.external.grey))},
    ConfigKey{"environment.picture_size",
              "Pixels a side that they are shrunk to; 0 = 84 of more than 84, or as they are",
              "DQN: 84",
              Integer(GORILA_FIELD(environment.options.external.picture_size), 0, kLargestPicture)},
    ConfigKey{"environment.picture_stack",
              "Of them that the network sees at once; 0 = 4 of more than 64 pixels, else 1",
              "DQN: 4",
              Integer(GORILA_FIELD(environment.options.external.picture_stack), 0, kMostStacked)},
    ConfigKey{"environment.record",
              "What an environment that is not ours said of itself when the run began", "",
              Text(GORILA_FIELD(environment.options.external.record),
                   "what gorila train writes, or none")},

    ConfigKey{"atari.action_repeat", "Emulator frames that an action is held for", "Gorila, DQN: 4",
              Integer(GORILA_FIELD(environment.options.atari.action_repeat), 1, kMostRepeats)},
    ConfigKey{"atari.pooled_frames",
              "2: the maximum of an action's last two frames is seen; 1: the last frame",
              "Gorila, DQN: 2",
              Integer(GORILA_FIELD(environment.options.atari.pooled_frames), 1, 2)},
    ConfigKey{"atari.maximum", "What the maximum is taken over: colour channels or grey levels",
              "DQN: colour; later systems: luminance",
              Enumeration<kMaximumNames>(GORILA_FIELD(environment.options.atari.maximum))},
    ConfigKey{"atari.screen_size", "Pixels a side of what the agent sees", "Gorila, DQN: 84",
              Integer(GORILA_FIELD(environment.options.atari.screen_size), kSmallestScreen,
                      kLargestScreen)},
    ConfigKey{"atari.resize", "How screens are shrunk",
              "DQN: bilinear in the article, which its code does by area; later systems: area",
              Enumeration<kResizeNames>(GORILA_FIELD(environment.options.atari.resize))},
    ConfigKey{"atari.stack", "Observations that the network sees at once", "Gorila, DQN: 4",
              Integer(GORILA_FIELD(environment.options.atari.stack), 1, kMostStacked)},
    ConfigKey{"atari.life_loss_ends_episode",
              "Whether a lost life ends an episode in training; in evaluation it never does",
              "DQN: true; sticky protocol: false",
              Boolean(GORILA_FIELD(environment.options.atari.life_loss_ends_episode))},
    ConfigKey{"atari.noop_max", "An episode begins with 0 to so many emulator frames of no-op",
              "Gorila, DQN: 30; sticky protocol: 0",
              Integer(GORILA_FIELD(environment.options.atari.noop_max), 0, kMostNoOps)},
    ConfigKey{"atari.max_frames",
              "Emulator frames after which a game is cut off, no-ops included; 0 = never",
              "sticky protocol: 18000; Gorila, DQN: unpublished for training",
              Integer(GORILA_FIELD(environment.options.atari.max_frames), 0, kMaxInt)},
    ConfigKey{"atari.repeat_action_probability",
              "Probability, at each emulator frame, that the previous action is repeated",
              "sticky protocol: 0.25; Gorila, DQN: 0",
              Real(GORILA_FIELD(environment.options.atari.repeat_action_probability), kBelowOne)},
    ConfigKey{"atari.rom_folder",
              "Folder of the ROM files; auto = what the variable ALE_ROMS_DIR names", "",
              Name(GORILA_FIELD(environment.options.atari.rom_folder), nullptr)},

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
    ConfigKey{
        "network.backend",
        "What computes the network; auto is the fastest here in float32, bfloat16 faster with AMX",
        "", Name(GORILA_FIELD(network.backend), &BackendNames)},
    ConfigKey{"network.device",
              "Where bundles and learners compute it: cpu, or with backend torch cuda or cuda:N",
              "", Name(GORILA_FIELD(network.device), nullptr)},

    ConfigKey{"actor.environments",
              "Environments of each actor, stepped together with one forward pass",
              "Gorila, DQN: 1", Integer(GORILA_FIELD(actor.environments), 1, 4096)},
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
    ConfigKey{"learner.batch_size", "Transitions in a minibatch", "DQN: 32",
              Integer(GORILA_FIELD(learner.batch_size), 1, 65536)},
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
              "Gorila: adagrad; DQN: rmsprop (centred)",
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
    ConfigKey{"optimizer.epsilon",
              "Added where the step is divided: adagrad, rmsprop inside the root; adam outside",
              "DQN: 0.01; Gorila: unpublished",
              Real(GORILA_FIELD(parameter_server.options.optimizer.epsilon),
                   {.low = kMinFloat, .high = 1})},
    ConfigKey{"optimizer.decay", "Weight of the past in rmsprop's two averages", "DQN: 0.95",
              Real(GORILA_FIELD(parameter_server.options.optimizer.decay), kBelowOne)},
    ConfigKey{"optimizer.beta1", "Weight of the past in adam's mean gradient", "",
              Real(GORILA_FIELD(parameter_server.options.optimizer.beta1), kBelowOne)},
    ConfigKey{"optimizer.beta2", "Weight of the past in adam's mean squared gradient", "",
              Real(GORILA_FIELD(parameter_server.options.optimizer.beta2), kBelowOne)},
    ConfigKey{"optimizer.initial_accumulator", "adagrad's sum of squared gradients at first",
              "Gorila: unpublished",
              Real(GORILA_FIELD(parameter_server.options.optimizer.initial_accumulator),
                   {.low = 0, .high = kMaxFloat})},

    ConfigKey{"parameter_server.shards",
              "Parts that the parameter vector is split into; 0 = one for two bundles or learners, "
              "2 at least",
              "Gorila: 31", Integer(GORILA_FIELD(parameter_server.shards), 0, 4096)},
    ConfigKey{"parameter_server.max_staleness",
              "Updates that a gradient may lag behind; older ones are discarded",
              "Gorila: unpublished",
              Integer(GORILA_FIELD(parameter_server.options.max_staleness), 0, kMaxInt64)},
    ConfigKey{"parameter_server.target_period",
              "Updates between two copies of the parameters to the target network",
              "Gorila: 60000; DQN: 2500 in the code (10000 agent steps), 10000 in the article",
              Integer(GORILA_FIELD(parameter_server.options.target_period), 1, kMaxInt64)},
    ConfigKey{"parameter_server.encoding",
              "How gradients travel to shards in other processes; what is left out is sent later",
              "", Enumeration<kEncodingNames>(GORILA_FIELD(parameter_server.encoding))},
    ConfigKey{"parameter_server.topk_fraction",
              "topk: part of a gradient's entries that is sent, the largest", "",
              Real(GORILA_FIELD(parameter_server.topk_fraction),
                   {.low = 0, .high = kMaxTopKFraction, .without_low = true})},
    ConfigKey{"parameter_server.overlap",
              "Whether processes compute on while gradients and parameters travel, with older ones",
              "", Boolean(GORILA_FIELD(parameter_server.overlap))},

    ConfigKey{"evaluation.protocol", "How a network is scored",
              "Gorila, DQN: noop30; Gorila: human-starts too",
              Name(GORILA_FIELD(evaluation.protocol), nullptr)},
    ConfigKey{"evaluation.epsilon",
              "Probability of a random action in evaluations; -1 = what the protocol says",
              "DQN: 0.05; Gorila: unpublished",
              Real(GORILA_FIELD(evaluation.epsilon), {.low = -1, .high = 1})},
    ConfigKey{"evaluation.starts",
              "File of start points of protocol human-starts, from gorila play --record-starts", "",
              Name(GORILA_FIELD(evaluation.starts), nullptr)},
    ConfigKey{"evaluation.episodes", "Episodes of the final evaluation", "Gorila, DQN: 30",
              Integer(GORILA_FIELD(evaluation.episodes), 1, kMostEpisodes)},
    ConfigKey{"evaluation.every_frames", "Frames between two evaluations; 0 = only at the end",
              "DQN: 250000", Integer(GORILA_FIELD(evaluation.every_frames), 0, kMaxInt64)},
    ConfigKey{"evaluation.periodic_episodes", "Episodes of each evaluation while training",
              "DQN: as many as 125000 steps hold",
              Integer(GORILA_FIELD(evaluation.periodic_episodes), 1, kMostEpisodes)},
    ConfigKey{"evaluation.best",
              "Whether the best network of the evaluations is scored, or the last one",
              "Gorila, DQN: true", Boolean(GORILA_FIELD(evaluation.best))},

    ConfigKey{"checkpoint.every_seconds", "Seconds between two checkpoints; 0 = only at the end",
              "", Real(GORILA_FIELD(checkpoint.every_seconds), kNotNegative)},
    ConfigKey{"checkpoint.every_frames",
              "Frames between two checkpoints of a deterministic run; 0 = only at the end", "",
              Integer(GORILA_FIELD(checkpoint.every_frames), 0, kMaxInt64)},
    ConfigKey{"checkpoint.keep", "Newest checkpoints that are kept", "",
              Integer(GORILA_FIELD(checkpoint.keep), 1, kMaxInt)},
    ConfigKey{"checkpoint.replay", "Whether a checkpoint holds the replay memory (exact resume)",
              "", Boolean(GORILA_FIELD(checkpoint.replay))},

    ConfigKey{"cluster.actors", "Actor processes of gorila launch, which fill a global replay", "",
              Integer(GORILA_FIELD(cluster.actors), 0, 4096)},
    ConfigKey{"cluster.learners", "Learner processes, which learn from the global replay", "",
              Integer(GORILA_FIELD(cluster.learners), 0, 4096)},
    ConfigKey{"cluster.replays",
              "Shards of the global replay, a process each; [replay] holds for each of them", "",
              Integer(GORILA_FIELD(cluster.replays), 0, 4096)},
    ConfigKey{"cluster.cpus", "Cores that Slurm or Kubernetes is asked for, for each process", "",
              Integer(GORILA_FIELD(cluster.cpus), 1, 1024)},
    ConfigKey{"cluster.memory_mb", "Memory in MiB that they are asked for, for each process", "",
              Integer(GORILA_FIELD(cluster.memory_mb), 64, kMaxInt, kNoUnits)},
    ConfigKey{"cluster.metrics_port",
              "First port of the /metrics of gorila launch's processes; 0 = none", "",
              Integer(GORILA_FIELD(cluster.metrics_port), 0, 65535, kNoUnits)},
    ConfigKey{"cluster.shared_memory",
              "Whether what processes of one machine exchange goes through memory that both see",
              "", Boolean(GORILA_FIELD(cluster.shared_memory))},

    ConfigKey{"slurm.partition", "Partition of the job; default = Slurm's own choice", "",
              Name(GORILA_FIELD(slurm.partition), nullptr)},
    ConfigKey{"slurm.account", "Account that the job is charged to; default = Slurm's own choice",
              "", Name(GORILA_FIELD(slurm.account), nullptr)},
    ConfigKey{"slurm.minutes", "Time limit of the job; 0 = the partition's", "",
              Integer(GORILA_FIELD(slurm.minutes), 0, kMaxInt, kNoUnits)},

    ConfigKey{"kubernetes.image", "Container image of the program (Dockerfile)", "",
              Name(GORILA_FIELD(kubernetes.image), nullptr)},
    ConfigKey{"kubernetes.namespace", "Namespace of everything that is created", "",
              Name(GORILA_FIELD(kubernetes.name_space), nullptr)},
    ConfigKey{"kubernetes.storage_class",
              "Storage class of the volumes; default = the cluster's own choice", "",
              Name(GORILA_FIELD(kubernetes.storage_class), nullptr)},
    ConfigKey{"kubernetes.storage_gb", "GiB of each volume: one a server, one for the run", "",
              Integer(GORILA_FIELD(kubernetes.storage_gb), 1, kMaxInt, kNoUnits)},
};

#undef GORILA_FIELD

}  // namespace

std::span<const ConfigKey> ConfigKeys() { return kKeys; }

StatusOr<const ConfigKey*> FindConfigKey(std::string_view name) {
  std::vector<std::string_view> names;
  for (const ConfigKey& key : kKeys) {
    if (key.name == name) return &key;
    names.push_back(key.name);
  }
  return InvalidArgument("unknown key '{}'; did you mean '{}'? 'gorila config' lists all", name,
                         NearestPath(name, names));
}

}  // namespace gorila
