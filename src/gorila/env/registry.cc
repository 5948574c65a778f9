#include "gorila/env/registry.h"

#include <algorithm>
#include <array>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/base/nearest.h"
#include "gorila/env/atari/ale_source.h"
#include "gorila/env/atari/atari_environment.h"
#include "gorila/env/atari/game_names.h"
#include "gorila/env/classic/cart_pole.h"
#include "gorila/env/classic/catch.h"
#include "gorila/env/external/external_factory.h"
#include "gorila/env/game_list.h"
#include "gorila/env/game_union.h"
#include "gorila/env/minatar/asterix.h"
#include "gorila/env/minatar/breakout.h"
#include "gorila/env/minatar/freeway.h"
#include "gorila/env/minatar/minatar_environment.h"
#include "gorila/env/minatar/seaquest.h"
#include "gorila/env/minatar/space_invaders.h"
#include "gorila/env/pixel/pixel_console.h"
#include "gorila/env/plugin/plugin_environment.h"
#include "gorila/env/simulated_environment.h"
#include "gorila/env/worker/worker_environment.h"

namespace gorila {
namespace {

using EnvironmentOr = StatusOr<std::unique_ptr<Environment>>;

template <typename GameType>
std::unique_ptr<minatar::Game> MakeGame(const EnvironmentOptions& options) {
  // Only games that get faster take the flag.
  if constexpr (std::is_constructible_v<GameType, bool>) {
    return std::make_unique<GameType>(options.difficulty_ramping);
  } else {
    return std::make_unique<GameType>();
  }
}

template <typename GameType>
EnvironmentOr MakeMinAtar(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws) {
  return std::make_unique<MinAtarEnvironment>(MakeGame<GameType>(options), options,
                                              std::move(draws));
}

template <typename GameType>
EnvironmentOr MakePixel(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws) {
  return std::make_unique<AtariEnvironment>(
      std::make_unique<PixelConsole>(MakeGame<GameType>(options)), options, std::move(draws));
}

template <typename EnvironmentType>
EnvironmentOr MakeClassic(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws) {
  return std::make_unique<EnvironmentType>(options, std::move(draws));
}

EnvironmentOr MakeCartPoleFourier(const EnvironmentOptions& options,
                                  std::unique_ptr<DrawSource> draws) {
  return std::make_unique<CartPole>(options, std::move(draws), CartPole::Features::kFourier);
}

constexpr std::array kTable{
    EnvironmentRow{.name = "minatar/asterix",
                   .summary = "collect gold and avoid enemies that cross the screen",
                   .make = &MakeMinAtar<minatar::Asterix>,
                   .sticky_actions = true,
                   .difficulty_ramping = true,
                   .minimal_actions = true},
    EnvironmentRow{.name = "minatar/breakout",
                   .summary = "break three rows of bricks with a ball and a paddle",
                   .make = &MakeMinAtar<minatar::Breakout>,
                   .sticky_actions = true,
                   .difficulty_ramping = false,
                   .minimal_actions = true},
    EnvironmentRow{.name = "minatar/freeway",
                   .summary = "lead a chicken over eight lanes of cars",
                   .make = &MakeMinAtar<minatar::Freeway>,
                   .sticky_actions = true,
                   .difficulty_ramping = false,
                   .minimal_actions = true},
    EnvironmentRow{.name = "minatar/seaquest",
                   .summary = "shoot fish and submarines, rescue divers, surface for air",
                   .make = &MakeMinAtar<minatar::Seaquest>,
                   .sticky_actions = true,
                   .difficulty_ramping = true,
                   .minimal_actions = true},
    EnvironmentRow{.name = "minatar/space_invaders",
                   .summary = "shoot a block of aliens before it lands",
                   .make = &MakeMinAtar<minatar::SpaceInvaders>,
                   .sticky_actions = true,
                   .difficulty_ramping = true,
                   .minimal_actions = true},
    EnvironmentRow{.name = "pixel/asterix",
                   .summary = "collect gold and avoid enemies; as an Atari screen",
                   .make = &MakePixel<minatar::Asterix>,
                   .sticky_actions = false,
                   .difficulty_ramping = true,
                   .minimal_actions = true,
                   .atari = true},
    EnvironmentRow{.name = "pixel/breakout",
                   .summary = "break three rows of bricks; as an Atari screen",
                   .make = &MakePixel<minatar::Breakout>,
                   .sticky_actions = false,
                   .difficulty_ramping = false,
                   .minimal_actions = true,
                   .atari = true},
    EnvironmentRow{.name = "pixel/freeway",
                   .summary = "lead a chicken over eight lanes; as an Atari screen",
                   .make = &MakePixel<minatar::Freeway>,
                   .sticky_actions = false,
                   .difficulty_ramping = false,
                   .minimal_actions = true,
                   .atari = true},
    EnvironmentRow{.name = "pixel/seaquest",
                   .summary = "shoot fish and submarines, rescue divers; as an Atari screen",
                   .make = &MakePixel<minatar::Seaquest>,
                   .sticky_actions = false,
                   .difficulty_ramping = true,
                   .minimal_actions = true,
                   .atari = true},
    EnvironmentRow{.name = "pixel/space_invaders",
                   .summary = "shoot a block of aliens before it lands; as an Atari screen",
                   .make = &MakePixel<minatar::SpaceInvaders>,
                   .sticky_actions = false,
                   .difficulty_ramping = true,
                   .minimal_actions = true,
                   .atari = true},
    EnvironmentRow{.name = "classic/cart_pole",
                   .summary = "balance a pole on a cart (CartPole-v1)",
                   .make = &MakeClassic<CartPole>,
                   .sticky_actions = false,
                   .difficulty_ramping = false,
                   .minimal_actions = false},
    EnvironmentRow{.name = "classic/cart_pole_fourier",
                   .summary = "the same, seen through 256 Fourier features, for linear networks",
                   .make = &MakeCartPoleFourier,
                   .sticky_actions = false,
                   .difficulty_ramping = false,
                   .minimal_actions = false},
    EnvironmentRow{.name = "classic/catch",
                   .summary = "catch a falling ball on a board of 10 x 5",
                   .make = &MakeClassic<Catch>,
                   .sticky_actions = false,
                   .difficulty_ramping = false,
                   .minimal_actions = false},
};

class RandomDraws final : public DrawSource {
 public:
  explicit RandomDraws(RandomStream stream) : stream_(stream) {}

  double Uniform() override { return stream_.Uniform(); }
  int Integer(int low, int high) override { return stream_.Integer(low, high); }
  void SaveState(StateWriter& writer) const override { stream_.SaveState(writer); }
  Status RestoreState(StateReader& reader) override {
    RandomStream restored = stream_;
    GORILA_RETURN_IF_ERROR(restored.RestoreState(reader));
    // The all-zero state is the generator's one fixed point: it would give zeros forever.
    RandomStream next = restored;
    next.NextBits();
    if (next == restored) return DataLoss("state of a random stream is all zero");
    stream_ = restored;
    return OkStatus();
  }

 private:
  RandomStream stream_;
};

// Null for a name that is not in the table.
const EnvironmentRow* FindRow(std::string_view name) {
  if (simulated_environment != nullptr && name == simulated_environment->name) {
    return simulated_environment;
  }
  const auto row = std::find_if(kTable.begin(), kTable.end(),
                                [name](const EnvironmentRow& row) { return row.name == name; });
  return row == kTable.end() ? nullptr : &*row;
}

// "atari/pong".
EnvironmentOr MakeAtari(std::string_view name, const EnvironmentOptions& options,
                        std::unique_ptr<DrawSource> draws) {
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<atari::FrameSource> source,
      atari::MakeAleSource(name.substr(atari::kAtariFolder.size()), options.atari.rom_folder));
  return std::make_unique<AtariEnvironment>(std::move(source), options, std::move(draws));
}

bool IsAtariName(std::string_view name) {
  const std::vector<std::string_view> names = AtariNames();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view Suggest(std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(std::size(kTable));
  for (const EnvironmentRow& row : kTable) {
    names.push_back(row.name);
  }
  if (name.starts_with(atari::kAtariFolder)) names = AtariNames();
  return NearestPath(name, names);
}

Status CheckName(std::string_view name) {
  if (FindRow(name) != nullptr || IsAtariName(name)) return OkStatus();
  return InvalidArgument("unknown environment '{}'; did you mean '{}'? (gorila envs lists them)",
                         name, Suggest(name));
}

Status CheckRange(std::string_view name, int value, int low, int high) {
  if (value >= low && value <= high) return OkStatus();
  return InvalidArgument("atari.{} is {}; allowed: {} to {}", name, value, low, high);
}

Status CheckAtariOptions(const AtariOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckRange("action_repeat", options.action_repeat, 1, kMostRepeats));
  GORILA_RETURN_IF_ERROR(CheckRange("pooled_frames", options.pooled_frames, 1, 2));
  GORILA_RETURN_IF_ERROR(
      CheckRange("screen_size", options.screen_size, kSmallestScreen, kLargestScreen));
  GORILA_RETURN_IF_ERROR(CheckRange("stack", options.stack, 1, kMostStacked));
  GORILA_RETURN_IF_ERROR(CheckRange("noop_max", options.noop_max, 0, kMostNoOps));
  if (options.max_frames < 0) {
    return InvalidArgument("atari.max_frames is {}; allowed: 0 (no limit) or more",
                           options.max_frames);
  }
  if (!(options.repeat_action_probability >= 0 && options.repeat_action_probability < 1)) {
    return InvalidArgument("atari.repeat_action_probability is {}; allowed: 0 to below 1",
                           options.repeat_action_probability);
  }
  return OkStatus();
}

Status CheckOptions(const EnvironmentOptions& options) {
  // Written so that NaN fails too.
  if (!(options.sticky_actions >= 0 && options.sticky_actions <= 1)) {
    return InvalidArgument("environment.sticky_actions is {}; allowed: 0 to 1",
                           options.sticky_actions);
  }
  GORILA_RETURN_IF_ERROR(CheckAtariOptions(options.atari));
  if (options.max_episode_steps < 0) {
    return InvalidArgument(
        "environment.max_episode_steps is {}; allowed: 0 (the game's own limit) or more",
        options.max_episode_steps);
  }
  return OkStatus();
}

StatusOr<std::unique_ptr<ExternalFactory>> MakeExternal(const ExternalName& name,
                                                        const EnvironmentOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckExternalName(name));
  GORILA_RETURN_IF_ERROR(CheckOptions(options));
  if (name.kind == ExternalKind::kPlugin) return MakePluginFactory(name.target, options);
  return MakeWorkerFactory(name, options);
}

StatusOr<EnvironmentSpec> DescribeExternal(const ExternalName& name,
                                           const EnvironmentOptions& options) {
  GORILA_RETURN_IF_ERROR(CheckExternalName(name));
  EnvironmentRecord record;
  if (options.external.record == "none") {
    GORILA_ASSIGN_OR_RETURN(const auto factory, MakeExternal(name, options));
    record = factory->record();
  } else {
    GORILA_ASSIGN_OR_RETURN(record, DecodeEnvironmentRecord(options.external.record));
  }
  return SpecOfRecord(name.name, record, options.external);
}

// Games that are built in; the name and the options have been checked.
class OwnGames final : public EnvironmentFactory {
 public:
  OwnGames(std::string_view name, const EnvironmentOptions& options)
      : name_(name), options_(options) {}

  EnvironmentOr Make(std::unique_ptr<DrawSource> draws) override {
    GORILA_CHECK(draws != nullptr);
    const EnvironmentRow* const row = FindRow(name_);
    return row == nullptr ? MakeAtari(name_, options_, std::move(draws))
                          : row->make(options_, std::move(draws));
  }

 private:
  const std::string name_;
  const EnvironmentOptions options_;
};

// One environment that stands for itself.
StatusOr<std::unique_ptr<EnvironmentFactory>> MakeOwnFactory(std::string_view name,
                                                             const EnvironmentOptions& options) {
  if (const auto external = ParseExternalName(name)) return MakeExternal(*external, options);
  GORILA_RETURN_IF_ERROR(CheckName(name));
  GORILA_RETURN_IF_ERROR(CheckOptions(options));
  return std::make_unique<OwnGames>(name, options);
}

StatusOr<EnvironmentSpec> DescribeOwn(std::string_view name, const EnvironmentOptions& options) {
  if (const auto external = ParseExternalName(name)) return DescribeExternal(*external, options);
  GORILA_RETURN_IF_ERROR(CheckName(name));
  GORILA_RETURN_IF_ERROR(CheckOptions(options));
  // The draws are never used.
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Environment> environment,
                          OwnGames(name, options).Make(MakeRandomDraws(RandomStream(0))));
  return environment->spec();
}

// With the record of that game alone.
StatusOr<EnvironmentOptions> OptionsOfGame(const EnvironmentOptions& options, std::size_t games,
                                           std::size_t game) {
  GORILA_ASSIGN_OR_RETURN(std::vector<std::string> records,
                          SplitRecords(options.external.record, games));
  EnvironmentOptions own = options;
  own.external.record = std::move(records[game]);
  return own;
}

StatusOr<int> PlaceAmong(const std::vector<std::string>& games, std::string_view name) {
  const auto game = std::find(games.begin(), games.end(), name);
  if (game != games.end()) return static_cast<int>(game - games.begin());
  return InvalidArgument("'{}' is not among the run's games, {}", name, fmt::join(games, ","));
}

StatusOr<GameUnion> DescribeAndUnite(const std::vector<std::string>& games,
                                     const EnvironmentOptions& options) {
  std::vector<EnvironmentSpec> specs;
  for (std::size_t i = 0; i < games.size(); ++i) {
    GORILA_ASSIGN_OR_RETURN(const EnvironmentOptions own, OptionsOfGame(options, games.size(), i));
    GORILA_ASSIGN_OR_RETURN(EnvironmentSpec spec, DescribeOwn(games[i], own));
    specs.push_back(std::move(spec));
  }
  return UniteGames(specs, options.game_input);
}

// The last union. Each game of a run asks for it, and to describe a console's game loads its ROM.
// Thread-safe.
class LastUnion {
 public:
  StatusOr<GameUnion> Get(const std::vector<std::string>& games,
                          const EnvironmentOptions& options) {
    Made made{.games = games, .options = options, .all = {}};
    made.options.games.clear();
    {
      const MutexLock lock(mutex_);
      if (last_ && last_->games == made.games && last_->options == made.options) return last_->all;
    }
    GORILA_ASSIGN_OR_RETURN(made.all, DescribeAndUnite(games, options));
    const MutexLock lock(mutex_);
    last_ = std::move(made);
    return last_->all;
  }

 private:
  struct Made {
    std::vector<std::string> games;
    EnvironmentOptions options;
    GameUnion all;
  };

  Mutex mutex_;
  std::optional<Made> last_ GORILA_GUARDED_BY(mutex_);
};

StatusOr<GameUnion> Unite(const std::vector<std::string>& games,
                          const EnvironmentOptions& options) {
  // One that has no record yet may be another environment the next time.
  const bool asks = options.external.record == "none" &&
                    std::any_of(games.begin(), games.end(), [](const std::string& game) {
                      return ParseExternalName(game).has_value();
                    });
  if (asks) return DescribeAndUnite(games, options);
  static LastUnion last;
  return last.Get(games, options);
}

}  // namespace

std::span<const EnvironmentRow> EnvironmentTable() { return kTable; }

std::vector<std::string_view> AtariNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    made.reserve(std::size(atari::kGameNames));
    for (const std::string_view game : atari::kGameNames) {
      made.push_back(fmt::format("{}{}", atari::kAtariFolder, game));
    }
    return made;
  }();
  return {names.begin(), names.end()};
}

std::vector<std::string_view> EnvironmentNames() {
  const std::vector<std::string_view> atari = AtariNames();
  std::vector<std::string_view> names;
  names.reserve(std::size(kTable) + atari.size());
  for (const EnvironmentRow& row : kTable) names.push_back(row.name);
  names.insert(names.end(), atari.begin(), atari.end());
  return names;
}

bool IsConsoleGame(std::string_view name) {
  const EnvironmentRow* const row = FindRow(name);
  return row == nullptr ? IsAtariName(name) : row->atari;
}

EnvironmentOr MakeEnvironment(std::string_view name, const EnvironmentOptions& options,
                              std::unique_ptr<DrawSource> draws) {
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<EnvironmentFactory> factory,
                          MakeEnvironmentFactory(name, options));
  return factory->Make(std::move(draws));
}

StatusOr<std::unique_ptr<EnvironmentFactory>> MakeEnvironmentFactory(
    std::string_view name, const EnvironmentOptions& options) {
  if (options.games.size() < 2) return MakeOwnFactory(name, options);
  GORILA_ASSIGN_OR_RETURN(const int index, PlaceAmong(options.games, name));
  GORILA_ASSIGN_OR_RETURN(GameUnion all, Unite(options.games, options));
  GORILA_ASSIGN_OR_RETURN(
      const EnvironmentOptions alone,
      OptionsOfGame(options, options.games.size(), static_cast<std::size_t>(index)));
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<EnvironmentFactory> own, MakeOwnFactory(name, alone));
  return MakeUnitedFactory(std::move(own), std::move(all), index);
}

StatusOr<EnvironmentSpec> DescribeEnvironment(std::string_view name,
                                              const EnvironmentOptions& options) {
  const std::vector<std::string> games = SplitGames(name);
  if (games.size() < 2 && options.games.size() < 2) return DescribeOwn(name, options);
  GORILA_ASSIGN_OR_RETURN(GameUnion all,
                          Unite(options.games.size() < 2 ? games : options.games, options));
  if (games.size() > 1) return std::move(all.spec);
  GORILA_ASSIGN_OR_RETURN(all.spec.game, PlaceAmong(options.games, name));
  all.spec.name = name;
  return std::move(all.spec);
}

StatusOr<EnvironmentRecord> ProbeEnvironment(const ExternalName& name,
                                             const EnvironmentOptions& options) {
  EnvironmentOptions plain = options;
  plain.external.record = "none";
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<ExternalFactory> factory,
                          MakeExternal(name, plain));
  return Probe(*factory);
}

std::unique_ptr<DrawSource> MakeRandomDraws(RandomStream stream) {
  return std::make_unique<RandomDraws>(stream);
}

}  // namespace gorila
