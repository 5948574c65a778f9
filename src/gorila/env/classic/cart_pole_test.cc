#include "gorila/env/classic/cart_pole.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "gorila/env/registry.h"

namespace gorila {
namespace {

struct Coordinates {
  double x = 0;
  double x_dot = 0;
  double theta = 0;
  double theta_dot = 0;
};

Coordinates Observed(const std::array<std::byte, 16>& observation) {
  std::array<float, 4> values;
  std::memcpy(values.data(), observation.data(), sizeof values);
  return {.x = values[0], .x_dot = values[1], .theta = values[2], .theta_dot = values[3]};
}

// An independent reference: Newton's equations of a cart (1 kg) with a uniform rod (0.1 kg, half
// length 0.5 m) as two linear equations in the accelerations, solved by Cramer's rule,
//   (M + m) x'' + m l cos(theta) theta'' = F + m l sin(theta) theta'^2
//        cos(theta) x'' + (4/3) l theta'' = g sin(theta)
// and one step of 0.02 s by explicit Euler.
Coordinates ReferenceStep(const Coordinates& s, double force) {
  const double ml = 0.1 * 0.5;
  const double a11 = 1.1, a12 = ml * std::cos(s.theta);
  const double a21 = std::cos(s.theta), a22 = 4.0 / 3.0 * 0.5;
  const double b1 = force + ml * std::sin(s.theta) * s.theta_dot * s.theta_dot;
  const double b2 = 9.8 * std::sin(s.theta);
  const double determinant = a11 * a22 - a12 * a21;
  const double x_acceleration = (b1 * a22 - a12 * b2) / determinant;
  const double theta_acceleration = (a11 * b2 - b1 * a21) / determinant;
  return {.x = s.x + 0.02 * s.x_dot,
          .x_dot = s.x_dot + 0.02 * x_acceleration,
          .theta = s.theta + 0.02 * s.theta_dot,
          .theta_dot = s.theta_dot + 0.02 * theta_acceleration};
}

class MiddleDraws final : public DrawSource {
 public:
  double Uniform() override { return 0.5; }
  int Integer(int low, int) override { return low; }
  void SaveState(StateWriter&) const override {}
  Status RestoreState(StateReader&) override { return OkStatus(); }
};

TEST(CartPoleTest, FirstStepFromRestMatchesPublishedValues) {
  // From all zeros, pushed right once: the accelerations are 10 / (1.1 - 0.075) m/s^2 and
  // -1.5 times that, so that the velocities after 0.02 s are these.
  CartPole environment({}, std::make_unique<MiddleDraws>());
  std::array<std::byte, 16> observation;
  environment.Reset(observation).value();
  environment.Step(1, observation).value();
  const Coordinates after = Observed(observation);
  EXPECT_EQ(after.x, 0);
  EXPECT_EQ(after.theta, 0);
  EXPECT_NEAR(after.x_dot, 0.195121951, 1e-7);
  EXPECT_NEAR(after.theta_dot, -0.292682927, 1e-7);
}

// Konidaris et al. 2011, equation 2: the same episode, seen through cos(pi c . s).
TEST(CartPoleTest, FourierFeaturesAreThoseOfTheStateBetweenItsLimits) {
  CartPole plain({}, MakeRandomDraws(RandomStream(5)));
  CartPole fourier({}, MakeRandomDraws(RandomStream(5)), CartPole::Features::kFourier);
  ASSERT_EQ(fourier.spec().observation.channels, 256);
  std::array<std::byte, 16> state;
  std::vector<std::byte> observation(256 * sizeof(float));
  std::vector<float> features(256);
  plain.Reset(state).value();
  fourier.Reset(observation).value();
  for (int step = 0; step < 8; ++step) {
    EXPECT_EQ(fourier.Step(1, observation).value().reward, plain.Step(1, state).value().reward);
    std::memcpy(features.data(), observation.data(), observation.size());
    const Coordinates at = Observed(state);
    const auto part = [](double value, double limit) {
      return std::clamp((value / limit + 1) / 2, 0.0, 1.0);
    };
    const double s[] = {part(at.x, 2.4), part(at.x_dot, 3.0),
                        part(at.theta, 12 * std::numbers::pi / 180), part(at.theta_dot, 3.5)};
    std::size_t f = 0;
    for (int d = 0; d < 4; ++d) {
      for (int c = 0; c < 4; ++c) {
        for (int b = 0; b < 4; ++b) {
          for (int a = 0; a < 4; ++a, ++f) {
            const double angle = a * s[0] + b * s[1] + c * s[2] + d * s[3];
            EXPECT_NEAR(features[f], std::cos(std::numbers::pi * angle), 1e-5) << f;
          }
        }
      }
    }
  }
}

TEST(CartPoleTest, EveryStepFollowsTheEquationsOfMotion) {
  CartPole environment({}, MakeRandomDraws(RandomStream(5)));
  RandomStream choice(6);
  std::array<std::byte, 16> observation;
  for (int episode = 0; episode < 50; ++episode) {
    TimeStep step = environment.Reset(observation).value();
    Coordinates expected = Observed(observation);
    for (const double value : {expected.x, expected.x_dot, expected.theta, expected.theta_dot}) {
      ASSERT_LE(std::abs(value), 0.05);
    }
    for (int i = 0; !step.last(); ++i) {
      const int action = choice.Integer(0, 2);
      expected = ReferenceStep(expected, action == 1 ? 10 : -10);
      step = environment.Step(action, observation).value();
      const Coordinates got = Observed(observation);
      // The reference starts from observations rounded to float.
      ASSERT_NEAR(got.x, expected.x, 1e-5) << i;
      ASSERT_NEAR(got.x_dot, expected.x_dot, 1e-5) << i;
      ASSERT_NEAR(got.theta, expected.theta, 1e-5) << i;
      ASSERT_NEAR(got.theta_dot, expected.theta_dot, 1e-5) << i;
      ASSERT_EQ(step.reward, 1);
      const bool out = std::abs(got.x) > 2.4 || std::abs(got.theta) > std::numbers::pi / 15;
      ASSERT_EQ(step.last(), out) << i;
      ASSERT_EQ(step.discount, out ? 0 : 1);
    }
  }
}

// Leans against the fall; good enough to stand for 500 steps.
int Balance(const Coordinates& s) {
  return s.theta + 0.3 * s.theta_dot + 0.02 * s.x + 0.05 * s.x_dot > 0 ? 1 : 0;
}

int StepsOfBalancing(const EnvironmentOptions& options, TimeStep& last) {
  CartPole environment(options, MakeRandomDraws(RandomStream(7)));
  std::array<std::byte, 16> observation;
  TimeStep step = environment.Reset(observation).value();
  int steps = 0;
  for (; !step.last(); ++steps)
    step = environment.Step(Balance(Observed(observation)), observation).value();
  last = step;
  return steps;
}

TEST(CartPoleTest, BalancedPoleIsCutOffAfter500Steps) {
  TimeStep last;
  EXPECT_EQ(StepsOfBalancing({}, last), 500);
  EXPECT_EQ(last.discount, 1);
  EXPECT_EQ(last.reward, 1);
}

TEST(CartPoleTest, MaxEpisodeStepsReplacesTheLimit) {
  TimeStep last;
  EXPECT_EQ(StepsOfBalancing({.max_episode_steps = 600}, last), 600);
  EXPECT_EQ(last.discount, 1);
  EXPECT_EQ(StepsOfBalancing({.max_episode_steps = 20}, last), 20);
  EXPECT_EQ(last.discount, 1);
}

TEST(CartPoleTest, NonFiniteStateIsDataLoss) {
  CartPole environment({}, MakeRandomDraws(RandomStream(8)));
  std::array<std::byte, 16> observation;
  environment.Reset(observation).value();
  StateWriter writer;
  environment.SaveState(writer);
  std::string bytes = writer.Take();
  const double not_a_number = std::nan("");
  const std::size_t x_at = 8 + environment.spec().name.size() + 8 + 1;
  std::memcpy(&bytes.at(x_at), &not_a_number, sizeof not_a_number);
  StateReader reader(bytes);
  EXPECT_EQ(environment.RestoreState(reader).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace gorila
