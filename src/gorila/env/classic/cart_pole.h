// Cart-pole (Barto, Sutton & Anderson 1983) with the constants and limits that the field calls
// CartPole-v1: push a cart left or right so that the pole on it stays upright.
#ifndef GORILA_ENV_CLASSIC_CART_POLE_H_
#define GORILA_ENV_CLASSIC_CART_POLE_H_

#include <memory>
#include <span>

#include "gorila/env/environment.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/episode.h"

namespace gorila {

// Actions left, right. Observation float32 4 x 1 x 1: position (m), velocity (m/s), angle (rad,
// right is positive), angular velocity (rad/s); or float32 256 x 1 x 1, the Fourier basis of order
// 3 over them (Konidaris, Osentoski & Thomas 2011), by which a linear network can tell states
// apart. Reward 1 a step, the last one included; terminal beyond 2.4 m or 12 degrees; cut off after
// 500 steps, or after max_episode_steps when that is not 0. Draws four Uniform at Reset, in the
// order of the observation. Not thread-safe.
class CartPole final : public Environment {
 public:
  enum class Features { kState, kFourier };

  CartPole(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws,
           Features features = Features::kState);

  const EnvironmentSpec& spec() const override { return spec_; }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override;
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override;
  Status Render(RgbImage& image) override;  // 300 x 200
  void SaveState(StateWriter& writer) const override;
  Status RestoreState(StateReader& reader) override;

 private:
  struct State {
    double x = 0;          // m
    double x_dot = 0;      // m/s
    double theta = 0;      // rad
    double theta_dot = 0;  // rad/s
  };

  void Observe(std::span<std::byte> observation) const;

  const std::unique_ptr<DrawSource> draws_;
  const Features features_;
  const EnvironmentSpec spec_;
  Episode episode_;
  State state_;
};

}  // namespace gorila

#endif  // GORILA_ENV_CLASSIC_CART_POLE_H_
