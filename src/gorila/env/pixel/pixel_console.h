// MinAtar games as a console would show them: 210 x 160 pixels, 60 frames a second.
#ifndef GORILA_ENV_PIXEL_PIXEL_CONSOLE_H_
#define GORILA_ENV_PIXEL_PIXEL_CONSOLE_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "gorila/env/atari/frame_source.h"
#include "gorila/env/minatar/bit_grid.h"
#include "gorila/env/minatar/game.h"
#include "gorila/env/pixel/sprites.h"

namespace gorila {

namespace pixel {

// How the objects of one channel of a game are drawn.
struct Look {
  const Sprite* sprite = nullptr;  // null: not drawn; motion shows what MinAtar's trails do
  std::uint8_t colour = 0;         // index into the palette
  // Drawn on every second frame only, objects of even rows on even frames: consoles share their few
  // sprites between many objects in this way.
  bool flickers = false;
};

// Rules that MinAtar's game leaves open.
struct Cabinet {
  std::string_view game;
  std::uint8_t background = 0;
  int lives = 0;  // 0: the game ends by its clock
  std::array<Look, minatar::kMaxChannels> looks{};
};

// The row of the table for a game; there is one for each.
const Cabinet& CabinetOf(std::string_view game);

}  // namespace pixel

// The game makes a step every kFramesPerStep frames, with the joystick's position of that frame;
// between steps its objects glide to where they are. Above the field is a line with the score and
// the lives. Losing a life starts the game's next round, with the score kept. The joystick has
// MinAtar's six positions. Not thread-safe.
class PixelConsole final : public atari::FrameSource {
 public:
  static constexpr int kFramesPerStep = 4;

  explicit PixelConsole(std::unique_ptr<minatar::Game> game);

  const atari::ConsoleSpec& spec() const override { return spec_; }
  void Reset(DrawSource& draws) override;
  float Act(atari::Joystick position, DrawSource& draws) override;
  bool game_over() const override { return over_; }
  int lives() const override { return lives_; }
  void ReadScreen(std::span<std::uint8_t> screen) const override;
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

 private:
  using Grids = std::array<minatar::BitGrid, minatar::kMaxChannels>;

  void BeginRound(DrawSource& draws);
  float PlayStep(atari::Joystick position, DrawSource& draws);
  Grids Observe() const;
  void DrawStatus(std::span<std::uint8_t> screen) const;
  void DrawField(std::span<std::uint8_t> screen) const;

  const std::unique_ptr<minatar::Game> game_;
  const pixel::Cabinet& cabinet_;
  const atari::ConsoleSpec spec_;
  const std::size_t channels_;

  Grids before_{};  // a step ago
  Grids now_{};
  int frames_in_step_ = 0;  // shown of the present step, 0 .. kFramesPerStep - 1; 0: all
  int odd_frame_ = 0;       // 0 or 1
  int lives_ = 0;
  std::int32_t score_ = 0;
  bool over_ = true;
};

}  // namespace gorila

#endif  // GORILA_ENV_PIXEL_PIXEL_CONSOLE_H_
