#include "gorila/env/minatar/minatar_environment.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "gorila/env/picture.h"
#include "gorila/env/state_fields.h"

namespace gorila {
namespace {

using minatar::Action;
using minatar::GameInfo;
using minatar::kCells;
using minatar::kGridSize;

constexpr int kPixelsPerCell = 16;
constexpr std::array<Action, minatar::kNumActions> kAllActions{
    minatar::kNoOp, minatar::kLeft, minatar::kUp, minatar::kRight, minatar::kDown, minatar::kFire};
constexpr std::array<std::string_view, minatar::kNumActions> kActionNames{"no-op", "left", "up",
                                                                          "right", "down", "fire"};

std::vector<Action> ActionSet(const GameInfo& info, bool minimal) {
  if (minimal) return {info.minimal_actions.begin(), info.minimal_actions.end()};
  return {kAllActions.begin(), kAllActions.end()};
}

EnvironmentSpec MakeSpec(const GameInfo& info, const std::vector<Action>& actions) {
  EnvironmentSpec spec;
  spec.name = fmt::format("minatar/{}", info.name);
  spec.observation = {.channels = static_cast<int>(info.channels.size()),
                      .height = kGridSize,
                      .width = kGridSize,
                      .element = ElementType::kUint8,
                      .scale = 1,
                      .stack = 1};
  for (const Action action : actions) spec.action_names.emplace_back(kActionNames[action]);
  return spec;
}

}  // namespace

MinAtarEnvironment::MinAtarEnvironment(std::unique_ptr<minatar::Game> game,
                                       const EnvironmentOptions& options,
                                       std::unique_ptr<DrawSource> draws)
    : game_(std::move(game)),
      draws_(std::move(draws)),
      sticky_actions_(options.sticky_actions),
      actions_(ActionSet(game_->info(), options.minimal_actions)),
      spec_(MakeSpec(game_->info(), actions_)),
      episode_(options.max_episode_steps) {
  GORILA_CHECK(game_->info().channels.size() <= minatar::kMaxChannels);
}

StatusOr<TimeStep> MinAtarEnvironment::Reset(std::span<std::byte> observation) {
  game_->Reset(*draws_);
  Observe(observation);
  return episode_.Begin();
}

StatusOr<TimeStep> MinAtarEnvironment::Step(int action, std::span<std::byte> observation) {
  GORILA_CHECK(action >= 0 && action < spec_.num_actions(), "action {} of {}", action,
               spec_.num_actions());
  const bool stick = draws_->Uniform() < sticky_actions_;
  if (!stick) previous_action_ = actions_[static_cast<std::size_t>(action)];
  const minatar::Outcome outcome = game_->Act(previous_action_, *draws_);
  Observe(observation);
  return episode_.Advance(outcome.reward, outcome.terminal);
}

void MinAtarEnvironment::Observe(std::span<std::byte> observation) const {
  game_->Observe({reinterpret_cast<std::uint8_t*>(observation.data()), observation.size()});
}

Status MinAtarEnvironment::Render(RgbImage& image) {
  const std::span<const minatar::Channel> channels = game_->info().channels;
  std::array<std::uint8_t, minatar::kMaxChannels * kCells> cells;
  game_->Observe(std::span(cells).first(channels.size() * kCells));
  ClearImage(image, kGridSize * kPixelsPerCell, kGridSize * kPixelsPerCell, colour::kBackground);
  for (std::size_t i = 0; i < channels.size() * kCells; ++i) {
    if (cells[i] == 0) continue;
    const int cell = static_cast<int>(i % kCells);
    const int left = cell % kGridSize * kPixelsPerCell;
    const int top = cell / kGridSize * kPixelsPerCell;
    FillRectangle(image, left, top, left + kPixelsPerCell, top + kPixelsPerCell,
                  channels[i / kCells].colour);
  }
  return OkStatus();
}

void MinAtarEnvironment::SaveState(StateWriter& writer) const {
  WriteEnvironmentName(writer, spec_.name);
  episode_.SaveState(writer);
  writer.Write<std::int32_t>(previous_action_);
  game_->SaveState(writer);
  draws_->SaveState(writer);
}

Status MinAtarEnvironment::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(ReadEnvironmentName(reader, spec_.name));
  GORILA_RETURN_IF_ERROR(episode_.RestoreState(reader));
  std::int32_t previous_action = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(previous_action));
  GORILA_RETURN_IF_ERROR(
      CheckFields({{"previous_action", previous_action, 0, minatar::kNumActions - 1}}));
  GORILA_RETURN_IF_ERROR(game_->RestoreState(reader));
  GORILA_RETURN_IF_ERROR(draws_->RestoreState(reader));
  previous_action_ = previous_action;
  return OkStatus();
}

}  // namespace gorila
