// The environment seam: everything an actor, an evaluator or a person needs of a game.
#ifndef GORILA_ENV_ENVIRONMENT_H_
#define GORILA_ENV_ENVIRONMENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"

namespace gorila {

// 32 bits wide, so that a TimeStep has no padding and its bytes can be stored.
enum class StepType : std::int32_t { kFirst = 0, kMid = 1, kLast = 2 };

// The result of Reset and Step besides the observation (dm_env's convention).
struct TimeStep {
  StepType step_type = StepType::kFirst;
  float reward = 0;    // of the transition into this step; 0 at kFirst
  float discount = 1;  // 0 = terminal; 1 = continuing, or cut off by a time limit (kLast)

  bool last() const { return step_type == StepType::kLast; }
};

enum class ElementType : std::uint8_t { kUint8, kFloat32 };

// One frame as the environment writes it: `channels` x `height` x `width`, row-major, channel
// first.
struct ObservationSpec {
  int channels = 1;
  int height = 1;
  int width = 1;
  ElementType element = ElementType::kUint8;
  float scale = 1;  // the network sees value * scale (1/255 for grey levels)
  int stack = 1;    // the agent sees the last `stack` frames, oldest first (DQN: 4)

  std::size_t frame_elements() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
  std::size_t frame_bytes() const {
    return frame_elements() * (element == ElementType::kUint8 ? 1 : sizeof(float));
  }
  // The network's input: `stack` frames one after another.
  std::size_t stacked_bytes() const { return frame_bytes() * static_cast<std::size_t>(stack); }

  bool operator==(const ObservationSpec&) const = default;
};

struct EnvironmentSpec {
  std::string name;  // as in the registry, "minatar/breakout"
  ObservationSpec observation;
  std::vector<std::string> action_names;  // index = action

  int num_actions() const { return static_cast<int>(action_names.size()); }
};

// A picture for people: `height` x `width` x 3 bytes, row-major RGB.
struct RgbImage {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;
};

// Where an environment's randomness comes from. Injected, so that recorded episodes can be replayed
// and so that a seed fixes an episode. Not thread-safe.
class DrawSource {
 public:
  virtual ~DrawSource() = default;
  virtual double Uniform() = 0;                // in [0, 1)
  virtual int Integer(int low, int high) = 0;  // in low..high-1
  virtual void SaveState(StateWriter& writer) const = 0;
  virtual Status RestoreState(StateReader& reader) = 0;
};

// One game, stepped by one thread at a time. It writes observations into buffers of its caller
// (`frame_bytes()` long) and allocates nothing per step.
class Environment {
 public:
  virtual ~Environment() = default;

  virtual const EnvironmentSpec& spec() const = 0;

  // Starts an episode; the result is a kFirst step.
  virtual TimeStep Reset(std::span<std::byte> observation) = 0;

  // Executes `action` (0 .. num_actions-1). Must not be called after a kLast step before Reset.
  virtual TimeStep Step(int action, std::span<std::byte> observation) = 0;

  // Draws the present state for people. Changes nothing.
  virtual void Render(RgbImage& image) const = 0;

  // Everything that decides the future, its draw source included: an environment restored from it
  // continues bit for bit. Restore gives DataLoss for truncated or impossible state and for bytes
  // that another environment wrote; then Reset, or a Restore that succeeds, comes before the next
  // Step.
  virtual void SaveState(StateWriter& writer) const = 0;
  virtual Status RestoreState(StateReader& reader) = 0;
};

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

// Options of every environment; registry.h's table says which ones an environment uses.
struct EnvironmentOptions {
  double sticky_actions = 0.1;     // probability in [0,1] that the previous action is repeated
  bool difficulty_ramping = true;  // MinAtar: the game gets faster
  bool minimal_actions = false;    // only the actions the game has a use for (published: all six)
  int max_episode_steps = 0;       // cut off after this many steps (truncation); 0 = the game's own
  AtariOptions atari = {};

  bool operator==(const EnvironmentOptions&) const = default;
};

}  // namespace gorila

#endif  // GORILA_ENV_ENVIRONMENT_H_
