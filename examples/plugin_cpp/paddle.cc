// A ball and a paddle as a plug-in for Gorila: keep the ball in play. A template for games in C++,
// with everything that is optional: pictures, state that is saved, names of actions. See README.md
// for how to build it and train on it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <random>
#include <type_traits>

#include "gorila_env.h"

namespace {

constexpr int kNumbers = 5;           // of an observation
constexpr double kHalfPaddle = 0.15;  // the court is 1 x 1
constexpr double kPaddleSpeed = 0.08;
constexpr double kBallSpeed = 0.1;  // upwards and downwards
constexpr int kMaxSteps = 300;
constexpr const char* kActionNames[] = {"left", "stay", "right"};

// All that decides the future. Its bytes are the state that is saved.
struct Game {
  double ball_x = 0, ball_y = 0, speed_x = 0, speed_y = 0;
  double paddle = 0.5;  // its centre
  std::int64_t steps = 0;
  std::minstd_rand random;  // not rand(): its state would be shared by all environments

  double Uniform(double low, double high) {
    const double range = static_cast<double>(std::minstd_rand::max());
    return low + (high - low) * static_cast<double>(random()) / range;
  }

  void Serve(std::uint64_t seed) {
    random.seed(static_cast<std::uint32_t>(seed + 1));
    steps = 0;
    paddle = 0.5;
    ball_x = Uniform(0.1, 0.9);
    ball_y = 1;
    speed_x = Uniform(-0.06, 0.06);
    speed_y = -kBallSpeed;
  }

  // Whether the paddle hit the ball, and whether it missed it.
  struct Events {
    bool hit = false;
    bool missed = false;
  };

  Events Move(int action) {
    Events events;
    ++steps;
    paddle = std::clamp(paddle + (action - 1) * kPaddleSpeed, 0.0, 1.0);
    ball_x += speed_x;
    ball_y += speed_y;
    if (ball_x < 0 || ball_x > 1) {
      ball_x = std::clamp(ball_x, 0.0, 1.0);
      speed_x = -speed_x;
    }
    if (ball_y >= 1) {
      speed_y = -kBallSpeed;
    } else if (ball_y <= 0.05) {
      events.hit = std::abs(ball_x - paddle) <= kHalfPaddle;
      events.missed = !events.hit;
      speed_y = kBallSpeed;
      speed_x = Uniform(-0.06, 0.06);
    }
    return events;
  }

  // About -1 to 1, which networks like.
  void Observe(void* observation) const {
    const float numbers[kNumbers] = {
        static_cast<float>(2 * ball_x - 1), static_cast<float>(2 * ball_y - 1),
        static_cast<float>(speed_x / 0.06), static_cast<float>(speed_y / kBallSpeed),
        static_cast<float>(2 * paddle - 1)};
    std::memcpy(observation, numbers, sizeof numbers);
  }
};
static_assert(std::is_trivially_copyable_v<Game>, "its bytes are saved");

int Fail(gorila_env_error* error, const char* text) {
  std::snprintf(error->text, sizeof error->text, "%s", text);
  return 1;
}

}  // namespace

struct gorila_env {
  Game game;
};

namespace {

int Spec(const char*, gorila_env_spec* spec, gorila_env_error*) {
  spec->num_dimensions = 1;
  spec->shape[0] = kNumbers;
  spec->element = GORILA_ENV_FLOAT32;
  spec->num_actions = 3;
  return 0;
}

// Exceptions must not leave a function of the table.
int Create(const char*, gorila_env** env, gorila_env_error* error) {
  try {
    *env = new gorila_env;
    return 0;
  } catch (const std::exception& thrown) {
    return Fail(error, thrown.what());
  }
}

void Destroy(gorila_env* env) { delete env; }

int Reset(gorila_env* env, std::uint64_t seed, void* observation, gorila_env_error*) {
  env->game.Serve(seed);
  env->game.Observe(observation);
  return 0;
}

int Step(gorila_env* env, std::int32_t action, void* observation, gorila_env_result* result,
         gorila_env_error*) {
  const Game::Events events = env->game.Move(action);
  result->reward = events.hit ? 1 : 0;
  result->terminated = events.missed;
  result->truncated = env->game.steps >= kMaxSteps;
  env->game.Observe(observation);
  return 0;
}

std::uint64_t StateSize(const gorila_env*) { return sizeof(Game); }

int SaveState(const gorila_env* env, void* state, std::uint64_t size, gorila_env_error*) {
  std::memcpy(state, &env->game, size);
  return 0;
}

int RestoreState(gorila_env* env, const void* state, std::uint64_t size, gorila_env_error* error) {
  if (size != sizeof(Game)) return Fail(error, "the state has another size");
  std::memcpy(&env->game, state, size);
  return 0;
}

int Render(const gorila_env* env, std::uint8_t* rgb, std::int32_t* width, std::int32_t* height,
           gorila_env_error*) {
  constexpr int kSide = 160;
  *width = kSide;
  *height = kSide;
  if (rgb == nullptr) return 0;
  const Game& game = env->game;
  for (int row = 0; row < kSide; ++row) {
    for (int column = 0; column < kSide; ++column) {
      const double x = (column + 0.5) / kSide;
      const double y = 1 - (row + 0.5) / kSide;
      const bool ball = std::hypot(x - game.ball_x, y - game.ball_y) < 0.03;
      const bool paddle = y < 0.04 && std::abs(x - game.paddle) < kHalfPaddle;
      std::uint8_t* const pixel = rgb + 3 * (row * kSide + column);
      pixel[0] = ball ? 230 : paddle ? 86 : 27;
      pixel[1] = ball ? 159 : paddle ? 180 : 31;
      pixel[2] = ball ? 0 : paddle ? 233 : 42;
    }
  }
  return 0;
}

const char* ActionName(const gorila_env*, std::int32_t action) { return kActionNames[action]; }

gorila_env_api MakeApi() {
  gorila_env_api api{};
  api.struct_size = sizeof api;
  api.abi = GORILA_ENV_ABI;
  api.name = "paddle";
  api.version = "1.0";
  api.spec = Spec;
  api.create = Create;
  api.destroy = Destroy;
  api.reset = Reset;
  api.step = Step;
  api.state_size = StateSize;
  api.state_save = SaveState;
  api.state_restore = RestoreState;
  api.render = Render;
  api.action_name = ActionName;
  return api;
}

}  // namespace

const gorila_env_api* gorila_env_get_api(std::uint32_t abi) {
  static const gorila_env_api kApi = MakeApi();
  return abi == GORILA_ENV_ABI ? &kApi : nullptr;
}
