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
#include "gorila/env/rgb_image.h"

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

// Whether a game has each of the actions: 0 or 1.
using ActionMask = std::vector<std::uint8_t>;

struct EnvironmentSpec {
  std::string name;  // as in the registry, "minatar/breakout"
  ObservationSpec observation;
  std::vector<std::string> action_names;  // index = action
  // Where several games share a network (game_union.h): which of them this is, and the actions that
  // each has. Empty: one game, which has all actions.
  int game = 0;
  std::vector<ActionMask> game_actions = {};

  int num_actions() const { return static_cast<int>(action_names.size()); }
  int num_games() const { return game_actions.empty() ? 1 : static_cast<int>(game_actions.size()); }
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

// The episode cannot continue: its process died and what came before it did not repeat itself.
// Reset begins another.
inline Status EpisodeLost(const std::string& why) { return absl::AbortedError(why); }
inline bool IsEpisodeLost(const Status& status) { return absl::IsAborted(status); }

// One game, stepped by one thread at a time. It writes observations into buffers of its caller
// (`frame_bytes()` long) and allocates nothing per step. Games that are built in never fail; an
// environment in another process does when that process cannot be brought back, and one of a user's
// own code when it breaks its promises.
class Environment {
 public:
  virtual ~Environment() = default;

  virtual const EnvironmentSpec& spec() const = 0;

  // Starts an episode; the result is a kFirst step.
  virtual StatusOr<TimeStep> Reset(std::span<std::byte> observation) = 0;

  // Executes `action` (0 .. num_actions-1). Must not be called after a kLast step before Reset.
  virtual StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) = 0;

  // Announces the action of the next Step, so that environments in other processes compute at the
  // same time: submit all, then step all. Optional. Does not block.
  virtual void Submit(int action) { static_cast<void>(action); }

  // After Submit: blocks until the result of the next Step is there, which then cannot fail.
  // EpisodeLost, or an error that ends the run. Optional too.
  virtual Status Await() { return OkStatus(); }

  // Draws the present state for people. Changes nothing. Unimplemented where an environment has no
  // pictures.
  virtual Status Render(RgbImage& image) = 0;

  // Everything that decides the future, its draw source included: an environment restored from it
  // continues bit for bit. Restore gives DataLoss for truncated or impossible state and for bytes
  // that another environment wrote; then Reset, or a Restore that succeeds, comes before the next
  // Step.
  virtual void SaveState(StateWriter& writer) const = 0;
  virtual Status RestoreState(StateReader& reader) = 0;
};

}  // namespace gorila

#endif  // GORILA_ENV_ENVIRONMENT_H_
