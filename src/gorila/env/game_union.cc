#include "gorila/env/game_union.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>
#include <utility>

namespace gorila {
namespace {

bool HasRowsAndColumns(const ObservationSpec& spec) { return spec.height > 1 && spec.width > 1; }

std::string_view Kind(const ObservationSpec& spec) {
  return HasRowsAndColumns(spec) ? "a picture" : "a vector";
}

std::string_view ElementName(const ObservationSpec& spec) {
  return spec.element == ElementType::kUint8 ? "bytes" : "floats";
}

Status CheckAlike(const EnvironmentSpec& a, const EnvironmentSpec& b) {
  const auto refuse = [&a, &b](std::string_view what, const auto& of_a, const auto& of_b) {
    return InvalidArgument(
        "{} and {} cannot share a network: {} of the first is {}, of the second {}; train them in "
        "runs of their own",
        a.name, b.name, what, of_a, of_b);
  };
  const ObservationSpec& x = a.observation;
  const ObservationSpec& y = b.observation;
  if (HasRowsAndColumns(x) != HasRowsAndColumns(y))
    return refuse("the observation", Kind(x), Kind(y));
  if (x.element != y.element) {
    return refuse("the observation's type", ElementName(x), ElementName(y));
  }
  if (x.scale != y.scale) return refuse("the observation's scale", x.scale, y.scale);
  if (x.stack != y.stack) return refuse("the number of stacked frames", x.stack, y.stack);
  return OkStatus();
}

void UniteActions(std::span<const EnvironmentSpec> games, GameUnion& all) {
  std::vector<std::string>& names = all.spec.action_names;
  for (const EnvironmentSpec& game : games) {
    for (const std::string& name : game.action_names) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  for (const EnvironmentSpec& game : games) {
    std::vector<int> own(names.size(), -1);
    ActionMask mask(names.size(), 0);
    for (std::size_t a = 0; a < names.size(); ++a) {
      const auto found = std::find(game.action_names.begin(), game.action_names.end(), names[a]);
      if (found == game.action_names.end()) continue;
      own[a] = static_cast<int>(found - game.action_names.begin());
      mask[a] = 1;
    }
    all.own_actions.push_back(std::move(own));
    all.spec.game_actions.push_back(std::move(mask));
  }
}

Status AddGameInput(int games, ObservationSpec& common) {
  const int pixels = common.height * common.width;
  if (!HasRowsAndColumns(common)) {
    common.channels += games;
  } else if (games > pixels) {
    return InvalidArgument(
        "network.game_input is true with {} games; expected at most {} ({} x {} "
        "pixels)",
        games, pixels, common.height, common.width);
  } else {
    ++common.channels;
  }
  return OkStatus();
}

// Writes what the network sees as 1 into elements begin..end-1.
void FillOnes(const ObservationSpec& spec, std::size_t begin, std::size_t end,
              std::span<std::byte> observation) {
  const float one = 1 / spec.scale;
  if (spec.element == ElementType::kUint8) {
    std::memset(observation.data() + begin, static_cast<int>(std::lround(one)), end - begin);
    return;
  }
  for (std::size_t i = begin; i < end; ++i) {
    std::memcpy(observation.data() + i * sizeof(float), &one, sizeof(float));
  }
}

class UnitedEnvironment final : public Environment {
 public:
  UnitedEnvironment(std::unique_ptr<Environment> own, EnvironmentSpec spec,
                    std::vector<int> own_actions, bool game_input)
      : own_(std::move(own)),
        spec_(std::move(spec)),
        own_actions_(std::move(own_actions)),
        game_input_(game_input),
        frame_(own_->spec().observation.frame_bytes()) {}

  const EnvironmentSpec& spec() const override { return spec_; }

  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override {
    GORILA_ASSIGN_OR_RETURN(const TimeStep step, own_->Reset(frame_));
    Pad(observation);
    return step;
  }

  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override {
    GORILA_ASSIGN_OR_RETURN(const TimeStep step, own_->Step(Own(action), frame_));
    Pad(observation);
    return step;
  }

  void Submit(int action) override { own_->Submit(Own(action)); }
  Status Await() override { return own_->Await(); }
  Status Render(RgbImage& image) override { return own_->Render(image); }
  void SaveState(StateWriter& writer) const override { own_->SaveState(writer); }
  Status RestoreState(StateReader& reader) override { return own_->RestoreState(reader); }

 private:
  int Own(int action) const { return std::max(0, own_actions_[static_cast<std::size_t>(action)]); }

  void Pad(std::span<std::byte> observation) const {
    const ObservationSpec& small = own_->spec().observation;
    const ObservationSpec& large = spec_.observation;
    const std::size_t element = small.frame_bytes() / small.frame_elements();
    const std::size_t row = static_cast<std::size_t>(small.width) * element;
    const auto rows = static_cast<std::size_t>(large.height);
    const std::size_t stride = static_cast<std::size_t>(large.width) * element;
    std::memset(observation.data(), 0, observation.size());
    const std::byte* from = frame_.data();
    for (int channel = 0; channel < small.channels; ++channel) {
      std::byte* to = observation.data() + static_cast<std::size_t>(channel) * rows * stride;
      for (int y = 0; y < small.height; ++y, from += row, to += stride) {
        std::memcpy(to, from, row);
      }
    }
    if (game_input_) WriteGame(observation);
  }

  // The last channel's part, or the last elements of a vector.
  void WriteGame(std::span<std::byte> observation) const {
    const auto games = static_cast<std::size_t>(spec_.num_games());
    const auto game = static_cast<std::size_t>(spec_.game);
    const std::size_t all = spec_.observation.frame_elements();
    const std::size_t plane = all / static_cast<std::size_t>(spec_.observation.channels);
    const std::size_t size = HasRowsAndColumns(spec_.observation) ? plane : games;
    FillOnes(spec_.observation, all - size + size * game / games,
             all - size + size * (game + 1) / games, observation);
  }

  const std::unique_ptr<Environment> own_;
  const EnvironmentSpec spec_;
  const std::vector<int> own_actions_;
  const bool game_input_;
  std::vector<std::byte> frame_;  // of its own
};

class UnitedFactory final : public EnvironmentFactory {
 public:
  UnitedFactory(std::unique_ptr<EnvironmentFactory> own, GameUnion all, int game)
      : own_(std::move(own)),
        spec_(std::move(all.spec)),
        own_actions_(std::move(all.own_actions[static_cast<std::size_t>(game)])),
        game_input_(all.game_input) {
    spec_.game = game;
  }

  StatusOr<std::unique_ptr<Environment>> Make(std::unique_ptr<DrawSource> draws) override {
    GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Environment> own, own_->Make(std::move(draws)));
    EnvironmentSpec spec = spec_;
    spec.name = own->spec().name;
    return std::make_unique<UnitedEnvironment>(std::move(own), std::move(spec), own_actions_,
                                               game_input_);
  }

 private:
  const std::unique_ptr<EnvironmentFactory> own_;
  EnvironmentSpec spec_;
  const std::vector<int> own_actions_;
  const bool game_input_;
};

}  // namespace

StatusOr<GameUnion> UniteGames(std::span<const EnvironmentSpec> games, bool game_input) {
  GameUnion all;
  std::vector<std::string_view> names;
  ObservationSpec& common = all.spec.observation;
  common = games.front().observation;
  for (const EnvironmentSpec& game : games) {
    GORILA_RETURN_IF_ERROR(CheckAlike(games.front(), game));
    common.channels = std::max(common.channels, game.observation.channels);
    common.height = std::max(common.height, game.observation.height);
    common.width = std::max(common.width, game.observation.width);
    names.push_back(game.name);
  }
  all.spec.name = fmt::format("{}", fmt::join(names, ","));
  UniteActions(games, all);
  all.game_input = game_input;
  if (game_input) GORILA_RETURN_IF_ERROR(AddGameInput(static_cast<int>(games.size()), common));
  return all;
}

std::unique_ptr<EnvironmentFactory> MakeUnitedFactory(std::unique_ptr<EnvironmentFactory> factory,
                                                      GameUnion all, int game) {
  return std::make_unique<UnitedFactory>(std::move(factory), std::move(all), game);
}

}  // namespace gorila
