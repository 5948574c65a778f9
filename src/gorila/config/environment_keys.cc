// [run], [environment] and [atari]. A frame is a step of an environment, on Atari four frames of
// the emulator.
#include <array>
#include <vector>

#include "gorila/config/field_makers.h"
#include "gorila/config/key_tables.h"
#include "gorila/env/game_list.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

using namespace config_fields;  // NOLINT(google-build-using-namespace): a table of nothing else

// A list of games, or a name of an environment that is not ours.
bool IsFurtherName(std::string_view name) {
  const auto games = ExpandGames(name);
  if (!games.ok()) return false;
  if (games->size() > 1) return true;
  const auto external = ParseExternalName(name);
  return external.has_value() && CheckExternalName(*external).ok();
}
NameField Games() {
  NameField field =
      NameOr(GORILA_FIELD(environment.name), &EnvironmentNames, &IsFurtherName,
             "several with ',' between, or a list (minatar, pixel, atari49), or gymnasium:ID, "
             "python:MODULE:CALLABLE, plugin:PATH or plugin-process:PATH");
  field.set = [](Config& config, std::string_view value) {
    const auto games = ExpandGames(value);
    config.environment.name =
        games.ok() ? fmt::format("{}", fmt::join(*games, ",")) : std::string(value);
  };
  field.is_list = true;
  return field;
}
constexpr RealRange kSecondsOfWorker = {.low = 0.001, .high = 86400};

using namespace std::string_view_literals;
constexpr std::array kMaximumNames = {"colour"sv, "luminance"sv};
static_assert(static_cast<int>(ScreenMaximum::kLuminance) == 1);
constexpr std::array kResizeNames = {"bilinear"sv, "area"sv};
static_assert(static_cast<int>(ScreenResize::kArea) == 1);
constexpr std::array kLayoutNames = {"auto"sv, "hwc"sv, "chw"sv};
static_assert(static_cast<int>(PictureLayout::kChw) == 2);
constexpr std::array kChoiceNames = {"auto"sv, "no"sv, "yes"sv};
static_assert(static_cast<int>(Choice::kYes) == 2);

const std::array kEnvironmentKeys = {
    ConfigKey{"run.frames", "Frames (environment steps) of all bundles together to train for",
              "DQN: 50000000 (200 million emulator frames)",
              Integer(GORILA_FIELD(run.frames), 1, kMaxInt64)},
    ConfigKey{"run.seconds",
              "Seconds of wall time to train for at most, over resumes; 0 = no limit",
              "Gorila: up to 6 days", Real(GORILA_FIELD(run.seconds), kNotNegative)},
    ConfigKey{"run.seed", "Seed of every random stream of the run", "",
              Integer(GORILA_FIELD(run.seed), 0, kMaxInt64, kNoUnits)},
    ConfigKey{"run.bundles",
              "Bundles, each an actor, a local replay memory and a learner; 0 only with "
              "cluster.actors",
              "Gorila: 100; DQN: 1", Integer(GORILA_FIELD(run.bundles), 0, 4096)},
    ConfigKey{"run.deterministic", "Whether one thread steps everything in a fixed order", "",
              Boolean(GORILA_FIELD(run.deterministic))},
    ConfigKey{"run.metrics_every_seconds",
              "Seconds between two records of the log, of which there are at most two a second", "",
              Real(GORILA_FIELD(run.metrics_every_seconds), {.low = 0.01, .high = kMaxReal})},
    ConfigKey{"run.metrics_every_frames", "Frames between two log records of a deterministic run",
              "", Integer(GORILA_FIELD(run.metrics_every_frames), 1, kMaxInt64)},
    ConfigKey{"run.cpus", "Cores that the run's threads on this machine are pinned to", "",
              Text(GORILA_FIELD(run.cpus), "cores like 0-3,6, or any")},

    ConfigKey{"environment.name", "The game, or several that one network learns",
              "Gorila, DQN: 49 Atari 2600 games, each on its own", Games()},
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
};

}  // namespace

std::span<const ConfigKey> EnvironmentKeys() { return kEnvironmentKeys; }

}  // namespace gorila
