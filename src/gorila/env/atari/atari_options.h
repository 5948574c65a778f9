// The choices of the preprocessing of games on a console.
#ifndef GORILA_ENV_ATARI_ATARI_OPTIONS_H_
#define GORILA_ENV_ATARI_ATARI_OPTIONS_H_

#include <string>

namespace gorila {

// Which maximum of two screens the agent sees.
enum class ScreenMaximum {
  kColour,    // of each colour channel, then luminance (DQN)
  kLuminance  // of the grey levels (later systems)
};

// How screens are shrunk; atari/screen_resizer.h.
enum class ScreenResize { kBilinear, kArea };

// The preprocessing of games on a console: the environments pixel/... and atari/... Frames are the
// emulator's, 60 a second. docs/atari.md has what was published for each.
inline constexpr int kMostRepeats = 60;
inline constexpr int kSmallestScreen = 14;
inline constexpr int kLargestScreen = 160;  // a screen is only made smaller
inline constexpr int kMostStacked = 16;
inline constexpr int kMostNoOps = 600;  // ten seconds
struct AtariOptions {
  int action_repeat = 4;  // frames that an action is held for
  int pooled_frames = 2;  // 2: the maximum over the last two frames is seen; 1: the last one
  ScreenMaximum maximum = ScreenMaximum::kColour;
  int screen_size = 84;  // pixels a side of what the agent sees
  ScreenResize resize = ScreenResize::kBilinear;
  int stack = 4;                         // observations that the network sees at once
  bool life_loss_ends_episode = true;    // in training; evaluations never do
  int noop_max = 30;                     // maximum random no-op frames at an episode's start
  int max_frames = 18000;                // of a game, no-ops included; 0 = no limit
  double repeat_action_probability = 0;  // each frame, that the joystick stays where it was
  std::string rom_folder = "auto";       // of atari/...; "auto": the program looks for it

  bool operator==(const AtariOptions&) const = default;
};

}  // namespace gorila

#endif  // GORILA_ENV_ATARI_ATARI_OPTIONS_H_
