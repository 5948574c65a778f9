#include "gorila/env/registry.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/env/classic/cart_pole.h"
#include "gorila/env/classic/catch.h"
#include "gorila/env/minatar/asterix.h"
#include "gorila/env/minatar/breakout.h"
#include "gorila/env/minatar/freeway.h"
#include "gorila/env/minatar/minatar_environment.h"
#include "gorila/env/minatar/seaquest.h"
#include "gorila/env/minatar/space_invaders.h"

namespace gorila {
namespace {

using EnvironmentOr = StatusOr<std::unique_ptr<Environment>>;

template <typename GameType>
EnvironmentOr MakeMinAtar(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws) {
  std::unique_ptr<minatar::Game> game;
  // Only games that get faster take the flag.
  if constexpr (std::is_constructible_v<GameType, bool>) {
    game = std::make_unique<GameType>(options.difficulty_ramping);
  } else {
    game = std::make_unique<GameType>();
  }
  return std::make_unique<MinAtarEnvironment>(std::move(game), options, std::move(draws));
}

template <typename EnvironmentType>
EnvironmentOr MakeClassic(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws) {
  return std::make_unique<EnvironmentType>(options, std::move(draws));
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
    EnvironmentRow{.name = "classic/cart_pole",
                   .summary = "balance a pole on a cart (CartPole-v1)",
                   .make = &MakeClassic<CartPole>,
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
    // The all-zero state is the generator's one fixed point: it would give zeros for ever.
    RandomStream next = restored;
    next.NextBits();
    if (next == restored) return DataLoss("state of a random stream is all zero");
    stream_ = restored;
    return OkStatus();
  }

 private:
  RandomStream stream_;
};

// A name that only lacks its folder ("breakout") is a better guess than edit distance's.
std::string_view Suggest(std::string_view name) {
  std::vector<std::string_view> names;
  for (const EnvironmentRow& row : kTable) {
    if (row.name.substr(row.name.find('/') + 1) == name) return row.name;
    names.push_back(row.name);
  }
  return NearestName(name, names);
}

Status CheckOptions(const EnvironmentOptions& options) {
  // Written so that NaN fails too.
  if (!(options.sticky_actions >= 0 && options.sticky_actions <= 1)) {
    return InvalidArgument("sticky_actions is {}; allowed: 0 to 1", options.sticky_actions);
  }
  if (options.max_episode_steps < 0) {
    return InvalidArgument("max_episode_steps is {}; allowed: 0 (the game's own limit) or more",
                           options.max_episode_steps);
  }
  return OkStatus();
}

}  // namespace

std::span<const EnvironmentRow> EnvironmentTable() { return kTable; }

EnvironmentOr MakeEnvironment(std::string_view name, const EnvironmentOptions& options,
                              std::unique_ptr<DrawSource> draws) {
  GORILA_CHECK(draws != nullptr);
  const auto row = std::find_if(kTable.begin(), kTable.end(),
                                [name](const EnvironmentRow& row) { return row.name == name; });
  if (row == kTable.end()) {
    return InvalidArgument("unknown environment '{}'; did you mean '{}'? (gorila envs lists them)",
                           name, Suggest(name));
  }
  GORILA_RETURN_IF_ERROR(CheckOptions(options));
  return row->make(options, std::move(draws));
}

std::unique_ptr<DrawSource> MakeRandomDraws(RandomStream stream) {
  return std::make_unique<RandomDraws>(stream);
}

}  // namespace gorila
