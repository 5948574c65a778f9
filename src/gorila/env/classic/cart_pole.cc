#include "gorila/env/classic/cart_pole.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <numbers>
#include <utility>

#include "gorila/env/picture.h"

namespace gorila {
namespace {

constexpr double kGravity = 9.8;   // m/s^2
constexpr double kCartMass = 1.0;  // kg
constexpr double kPoleMass = 0.1;  // kg
constexpr double kTotalMass = kCartMass + kPoleMass;
constexpr double kHalfLength = 0.5;                        // m, from the joint to the pole's centre
constexpr double kForce = 10.0;                            // N
constexpr double kTimeStep = 0.02;                         // s
constexpr double kMaxPosition = 2.4;                       // m
constexpr double kMaxAngle = 12 * std::numbers::pi / 180;  // rad
constexpr double kStartRange = 0.05;                       // every coordinate starts within +- this
constexpr int kDefaultMaxSteps = 500;

constexpr int kImageWidth = 300;
constexpr int kImageHeight = 200;
constexpr double kPixelsPerMetre = kImageWidth / (2 * kMaxPosition);
constexpr int kTrackRow = 150;

// cos(pi c . s) for every c in {0, ..., kOrder}^4; s is the state from 0 to 1.
constexpr int kOrder = 3;
constexpr int kFourierFeatures = (kOrder + 1) * (kOrder + 1) * (kOrder + 1) * (kOrder + 1);
// What becomes 0 and 1: the limits of an episode, and speeds that are seldom exceeded.
constexpr std::array<double, 4> kRanges = {kMaxPosition, 3.0, kMaxAngle, 3.5};

using FourierFeatures = std::array<float, kFourierFeatures>;

FourierFeatures MakeFourierFeatures(const std::array<double, 4>& state) {
  std::array<double, 4> angles;  // pi s
  for (std::size_t i = 0; i < state.size(); ++i) {
    const double part = (state[i] + kRanges[i]) / (2 * kRanges[i]);
    angles[i] = std::numbers::pi * std::clamp(part, 0.0, 1.0);
  }
  FourierFeatures features;
  for (int f = 0; f < kFourierFeatures; ++f) {
    double sum = 0;
    int digits = f;  // c, to the base kOrder + 1
    for (const double angle : angles) {
      sum += digits % (kOrder + 1) * angle;
      digits /= kOrder + 1;
    }
    features[static_cast<std::size_t>(f)] = static_cast<float>(std::cos(sum));
  }
  return features;
}

EnvironmentSpec MakeSpec(CartPole::Features features) {
  const bool fourier = features == CartPole::Features::kFourier;
  EnvironmentSpec spec;
  spec.name = fourier ? "classic/cart_pole_fourier" : "classic/cart_pole";
  spec.observation = {.channels = fourier ? kFourierFeatures : 4,
                      .height = 1,
                      .width = 1,
                      .element = ElementType::kFloat32,
                      .scale = 1,
                      .stack = 1};
  spec.action_names = {"left", "right"};
  return spec;
}

}  // namespace

CartPole::CartPole(const EnvironmentOptions& options, std::unique_ptr<DrawSource> draws,
                   Features features)
    : draws_(std::move(draws)),
      features_(features),
      spec_(MakeSpec(features)),
      episode_(options.max_episode_steps > 0 ? options.max_episode_steps : kDefaultMaxSteps) {}

StatusOr<TimeStep> CartPole::Reset(std::span<std::byte> observation) {
  for (double* value : {&state_.x, &state_.x_dot, &state_.theta, &state_.theta_dot}) {
    *value = kStartRange * (2 * draws_->Uniform() - 1);
  }
  Observe(observation);
  return episode_.Begin();
}

StatusOr<TimeStep> CartPole::Step(int action, std::span<std::byte> observation) {
  GORILA_CHECK(action == 0 || action == 1, "action {}", action);
  const double force = action == 1 ? kForce : -kForce;
  const double cosine = std::cos(state_.theta);
  const double sine = std::sin(state_.theta);
  // Florian (2007), equations 23 and 24, without friction.
  const double pull =
      (force + kPoleMass * kHalfLength * state_.theta_dot * state_.theta_dot * sine) / kTotalMass;
  const double theta_acceleration =
      (kGravity * sine - cosine * pull) /
      (kHalfLength * (4.0 / 3.0 - kPoleMass * cosine * cosine / kTotalMass));
  const double x_acceleration =
      pull - kPoleMass * kHalfLength * theta_acceleration * cosine / kTotalMass;
  // Explicit Euler: positions move with the old velocities.
  state_.x += kTimeStep * state_.x_dot;
  state_.x_dot += kTimeStep * x_acceleration;
  state_.theta += kTimeStep * state_.theta_dot;
  state_.theta_dot += kTimeStep * theta_acceleration;
  const bool fallen = std::abs(state_.x) > kMaxPosition || std::abs(state_.theta) > kMaxAngle;
  Observe(observation);
  return episode_.Advance(1, fallen);
}

void CartPole::Observe(std::span<std::byte> observation) const {
  if (features_ == Features::kFourier) {
    const FourierFeatures values =
        MakeFourierFeatures({state_.x, state_.x_dot, state_.theta, state_.theta_dot});
    GORILA_CHECK(observation.size() == sizeof values, "{} bytes", observation.size());
    std::memcpy(observation.data(), values.data(), sizeof values);
    return;
  }
  const std::array<float, 4> values{static_cast<float>(state_.x), static_cast<float>(state_.x_dot),
                                    static_cast<float>(state_.theta),
                                    static_cast<float>(state_.theta_dot)};
  GORILA_CHECK(observation.size() == sizeof values, "observation of {} bytes", observation.size());
  std::memcpy(observation.data(), values.data(), sizeof values);
}

Status CartPole::Render(RgbImage& image) {
  ClearImage(image, kImageWidth, kImageHeight, colour::kBackground);
  FillRectangle(image, 0, kTrackRow, kImageWidth, kTrackRow + 2, colour::kDim);
  const double cart_x = kImageWidth / 2.0 + kPixelsPerMetre * state_.x;
  const int left = static_cast<int>(std::lround(cart_x)) - 20;
  FillRectangle(image, left, kTrackRow - 12, left + 40, kTrackRow + 12, colour::kSkyBlue);
  const double length = 2 * kHalfLength * kPixelsPerMetre;
  DrawLine(image, cart_x, kTrackRow, cart_x + length * std::sin(state_.theta),
           kTrackRow - length * std::cos(state_.theta), 7, colour::kOrange);
  return OkStatus();
}

void CartPole::SaveState(StateWriter& writer) const {
  WriteEnvironmentName(writer, spec_.name);
  episode_.SaveState(writer);
  writer.Write(state_);
  draws_->SaveState(writer);
}

Status CartPole::RestoreState(StateReader& reader) {
  GORILA_RETURN_IF_ERROR(ReadEnvironmentName(reader, spec_.name));
  GORILA_RETURN_IF_ERROR(episode_.RestoreState(reader));
  State state;
  GORILA_RETURN_IF_ERROR(reader.Read(state));
  for (const double value : {state.x, state.x_dot, state.theta, state.theta_dot}) {
    // Far beyond what an episode reaches; NaN fails too.
    if (!(std::abs(value) <= 1000)) {
      return DataLoss("state of the cart-pole has a coordinate {}, expected -1000 to 1000", value);
    }
  }
  state_ = state;
  return draws_->RestoreState(reader);
}

}  // namespace gorila
