#include "gorila/env/classic/catch.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "gorila/env/picture.h"
#include "gorila/env/state_fields.h"

namespace gorila {
namespace {

constexpr int kRows = 10;
constexpr int kColumns = 5;
constexpr int kPaddleRow = kRows - 1;
constexpr int kPixelsPerCell = 16;

EnvironmentSpec MakeSpec() {
  EnvironmentSpec spec;
  spec.name = "classic/catch";
  spec.observation = {.channels = 1,
                      .height = kRows,
                      .width = kColumns,
                      .element = ElementType::kUint8,
                      .scale = 1,
                      .stack = 1};
  spec.action_names = {"left", "stay", "right"};
  return spec;
}

void FillCell(RgbImage& image, int y, int x, Rgb colour) {
  FillRectangle(image, x * kPixelsPerCell, y * kPixelsPerCell, (x + 1) * kPixelsPerCell,
                (y + 1) * kPixelsPerCell, colour);
}

}  // namespace

Catch::Catch(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws)
    : draws_(std::move(draws)), spec_(MakeSpec()), episode_(options.max_episode_steps) {}

StatusOr<TimeStep> Catch::Reset(std::span<std::byte> observation) {
  state_ = {.ball_x = draws_->Integer(0, kColumns), .ball_y = 0, .paddle_x = kColumns / 2};
  Observe(observation);
  return episode_.Begin();
}

StatusOr<TimeStep> Catch::Step(int action, std::span<std::byte> observation) {
  GORILA_CHECK(action >= 0 && action < spec_.num_actions(), "action {}", action);
  state_.paddle_x = std::clamp(state_.paddle_x + action - 1, 0, kColumns - 1);
  ++state_.ball_y;
  const bool landed = state_.ball_y == kPaddleRow;
  const float reward = !landed ? 0.0F : state_.ball_x == state_.paddle_x ? 1.0F : -1.0F;
  const TimeStep step = episode_.Advance(reward, landed);
  Observe(observation);
  return step;
}

void Catch::Observe(std::span<std::byte> observation) const {
  GORILA_CHECK(observation.size() == kRows * kColumns, "observation of {} bytes",
               observation.size());
  std::fill(observation.begin(), observation.end(), std::byte{0});
  const auto set = [observation](int y, int x) {
    observation[static_cast<std::size_t>(y * kColumns + x)] = std::byte{1};
  };
  set(state_.ball_y, state_.ball_x);
  set(kPaddleRow, state_.paddle_x);
}

Status Catch::Render(RgbImage& image) {
  ClearImage(image, kColumns * kPixelsPerCell, kRows * kPixelsPerCell, colour::kBackground);
  FillCell(image, kPaddleRow, state_.paddle_x, colour::kSkyBlue);
  FillCell(image, state_.ball_y, state_.ball_x, colour::kOrange);
  return OkStatus();
}

void Catch::SaveState(StateWriter& writer) const {
  WriteEnvironmentName(writer, spec_.name);
  episode_.SaveState(writer);
  writer.Write(state_);
  draws_->SaveState(writer);
}

Status Catch::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(ReadEnvironmentName(reader, spec_.name));
  GORILA_RETURN_IF_ERROR(episode_.RestoreState(reader));
  State state;
  GORILA_RETURN_IF_ERROR(reader.Read(state));
  // A running episode's ball has not landed.
  const int lowest_row = episode_.running() ? kPaddleRow - 1 : kPaddleRow;
  GORILA_RETURN_IF_ERROR(CheckFields({
      {"ball_x", state.ball_x, 0, kColumns - 1},
      {"ball_y", state.ball_y, 0, lowest_row},
      {"paddle_x", state.paddle_x, 0, kColumns - 1},
  }));
  state_ = state;
  return draws_->RestoreState(reader);
}

}  // namespace gorila
