// The seam below the Atari preprocessing: a console that runs one game, frame by frame. The Arcade
// Learning Environment is one (ale_source.h), the built-in pixel games are others
// (pixel/pixel_console.h).
#ifndef GORILA_ENV_ATARI_FRAME_SOURCE_H_
#define GORILA_ENV_ATARI_FRAME_SOURCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/env/picture.h"

namespace gorila::atari {

// Positions of joystick and button, numbered as the Arcade Learning Environment does.
enum class Joystick : std::uint8_t {
  kNoOp,
  kFire,
  kUp,
  kRight,
  kLeft,
  kDown,
  kUpRight,
  kUpLeft,
  kDownRight,
  kDownLeft,
  kUpFire,
  kRightFire,
  kLeftFire,
  kDownFire,
  kUpRightFire,
  kUpLeftFire,
  kDownRightFire,
  kDownLeftFire
};
inline constexpr std::array<std::string_view, 18> kJoystickNames = {"no-op",
                                                                    "fire",
                                                                    "up",
                                                                    "right",
                                                                    "left",
                                                                    "down",
                                                                    "up-right",
                                                                    "up-left",
                                                                    "down-right",
                                                                    "down-left",
                                                                    "up-fire",
                                                                    "right-fire",
                                                                    "left-fire",
                                                                    "down-fire",
                                                                    "up-right-fire",
                                                                    "up-left-fire",
                                                                    "down-right-fire",
                                                                    "down-left-fire"};

inline std::string_view JoystickName(Joystick position) {
  return kJoystickNames[static_cast<std::size_t>(position)];
}

inline constexpr int kScreenWidth = 160;
inline constexpr int kScreenHeight = 210;  // NTSC; a few PAL games have 250 lines
inline constexpr int kFramesPerSecond = 60;

// The console has 128 colours; a pixel of a screen is an index into them.
inline constexpr std::size_t kColours = 128;
using Palette = std::array<Rgb, kColours>;

struct ConsoleSpec {
  std::string name;  // as in the registry, "pixel/breakout"
  int height = kScreenHeight;
  Palette palette{};
  std::vector<Joystick> legal_actions;    // what the console accepts, ascending
  std::vector<Joystick> minimal_actions;  // those that the game has a use for, ascending

  std::size_t screen_size() const {
    return static_cast<std::size_t>(height) * std::size_t{kScreenWidth};
  }
};

// One game on one console. One thread at a time; allocates nothing per frame.
class FrameSource {
 public:
  virtual ~FrameSource() = default;

  virtual const ConsoleSpec& spec() const = 0;

  // Starts a game.
  virtual void Reset(DrawSource& draws) = 0;

  // Runs one frame (1/60 s) with the joystick held at `position`, one of the legal actions; the
  // points that were won in it. After the game is over nothing happens until Reset.
  virtual float Act(Joystick position, DrawSource& draws) = 0;

  virtual bool game_over() const = 0;
  // Lives left; 0 for a game that has none.
  virtual int lives() const = 0;

  // The present screen: height x width palette indices, row-major, each below kColours.
  virtual void ReadScreen(std::span<std::uint8_t> screen) const = 0;

  // As Environment's: everything that decides the future and the present screen.
  virtual void SaveState(StateWriter& writer) const = 0;
  virtual Status RestoreState(StateReader& reader) = 0;
};

}  // namespace gorila::atari

#endif  // GORILA_ENV_ATARI_FRAME_SOURCE_H_
