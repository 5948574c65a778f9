// A console's game as an Environment: the preprocessing of DQN and Gorila.
#ifndef GORILA_ENV_ATARI_ATARI_ENVIRONMENT_H_
#define GORILA_ENV_ATARI_ATARI_ENVIRONMENT_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "gorila/env/atari/frame_source.h"
#include "gorila/env/atari/luminance.h"
#include "gorila/env/atari/screen_resizer.h"
#include "gorila/env/environment.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/episode.h"

namespace gorila {

// Mnih et al. 2015 ("Methods", preprocessing) with every choice an option (AtariOptions). A step
// repeats its action; the observation is the maximum over the last two frames as grey levels,
// shrunk to size x size, uint8, scale 1/255. The reward is the sum of the points of the repeated
// frames, not clipped: that is the learner's. Not thread-safe.
//
// An episode ends with discount 0 when the game is over and, where the option says so, when a life
// is lost; the game then continues at the next Reset. At the time limit it ends with discount 1.
// Every Reset plays 0 to noop_max frames of no-op, which count towards the limit; points won in
// them are nobody's.
//
// Draws: the console's own, one Integer(0, noop_max + 1) at Reset where noop_max > 0, one Uniform a
// frame where repeat_action_probability > 0.
class AtariEnvironment final : public Environment {
 public:
  // Options must be in their ranges (MakeEnvironment checks them).
  AtariEnvironment(std::unique_ptr<atari::FrameSource> source, const EnvironmentOptions& options,
                   std::unique_ptr<DrawSource> draws);

  const EnvironmentSpec& spec() const override { return spec_; }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override;
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override;
  Status Render(RgbImage& image) override;  // 320 wide: a pixel of the console is a wide one
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

  // Frames of the emulator since the game was started.
  std::int64_t frames() const { return frames_; }

 private:
  void StartGame();
  void PlayNoOps();
  float Frame(atari::Joystick position);
  bool LosesLife();
  int FramesOfStep() const;
  void Capture();
  void Observe(std::span<std::byte> observation);

  const AtariOptions options_;
  const std::unique_ptr<atari::FrameSource> source_;
  const std::unique_ptr<DrawSource> draws_;
  const std::vector<atari::Joystick> actions_;  // index = the agent's action
  const EnvironmentSpec spec_;
  const atari::MaximumLuminance luminance_;
  atari::ScreenResizer resizer_;
  Episode episode_;

  std::int64_t frames_ = 0;
  int lives_ = 0;                                      // before the present step
  bool life_lost_ = false;                             // the game continues at Reset
  atari::Joystick previous_ = atari::Joystick::kNoOp;  // executed

  // The last screens; newest_ is the newest. Both are the same right after Reset.
  std::array<std::vector<std::uint8_t>, 2> screens_;
  std::size_t newest_ = 0;
  std::vector<std::uint8_t> grey_;
};

}  // namespace gorila

#endif  // GORILA_ENV_ATARI_ATARI_ENVIRONMENT_H_
