#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gorila/benchmark/measurement.h"
#include "gorila/benchmark/rows.h"
#include "gorila/env/plugin/plugin_environment.h"
#include "gorila/env/registry.h"

// A game that costs next to nothing, so that what is around it shows. It walks at random.
struct gorila_env {
  std::uint32_t random = 0;
  std::uint32_t steps = 0;
  float position = 0;
};

namespace gorila {
namespace {

namespace walk {

constexpr std::uint32_t kEpisode = 1000;  // steps
constexpr int kActions = 3;
constexpr int kNumbers = 4;  // of an observation

void Observe(const gorila_env* env, void* observation) {
  auto* const numbers = static_cast<float*>(observation);
  numbers[0] = env->position;
  numbers[1] = static_cast<float>(env->steps);
  numbers[2] = 0;
  numbers[3] = 1;
}

int Spec(const char*, gorila_env_spec* spec, gorila_env_error*) {
  spec->num_dimensions = 1;
  spec->shape[0] = kNumbers;
  spec->element = GORILA_ENV_FLOAT32;
  spec->num_actions = kActions;
  return 0;
}

int Create(const char*, gorila_env** env, gorila_env_error*) {
  *env = std::make_unique<gorila_env>().release();
  return 0;
}

void Destroy(gorila_env* env) { const std::unique_ptr<gorila_env> owned(env); }

int Reset(gorila_env* env, std::uint64_t seed, void* observation, gorila_env_error*) {
  *env = {.random = static_cast<std::uint32_t>(seed)};
  Observe(env, observation);
  return 0;
}

int Step(gorila_env* env, std::int32_t action, void* observation, gorila_env_result* result,
         gorila_env_error*) {
  env->random = env->random * 1664525U + 1013904223U;
  env->position += static_cast<float>(action - 1) + static_cast<float>(env->random >> 31);
  ++env->steps;
  result->reward = env->position;
  result->truncated = env->steps == kEpisode ? 1 : 0;
  Observe(env, observation);
  return 0;
}

std::uint64_t StateSize(const gorila_env*) { return sizeof(gorila_env); }

int SaveState(const gorila_env* env, void* state, std::uint64_t size, gorila_env_error*) {
  std::memcpy(state, env, size);
  return 0;
}

int RestoreState(gorila_env* env, const void* state, std::uint64_t size, gorila_env_error*) {
  std::memcpy(env, state, size);
  return 0;
}

gorila_env_api MakeApi(bool state) {
  gorila_env_api api{};
  api.struct_size = sizeof api;
  api.abi = GORILA_ENV_ABI;
  api.name = "walk";
  api.version = "1";
  api.spec = Spec;
  api.create = Create;
  api.destroy = Destroy;
  api.reset = Reset;
  api.step = Step;
  if (!state) return api;
  api.state_size = StateSize;
  api.state_save = SaveState;
  api.state_restore = RestoreState;
  return api;
}

}  // namespace walk

struct alignas(kPluginAlignment) WalkFrame {
  std::byte bytes[walk::kNumbers * sizeof(float)];
};

// As a user's own loop in C would play, with the same actions.
class DirectLoop {
 public:
  explicit DirectLoop(const gorila_env_api& api) : api_(api), random_(2) {
    api_.create("{}", &env_, &error_);
  }
  ~DirectLoop() { api_.destroy(env_); }
  DirectLoop(const DirectLoop&) = delete;
  DirectLoop& operator=(const DirectLoop&) = delete;

  void Step() {
    if (over_) {
      api_.reset(env_, static_cast<std::uint64_t>(random_.Integer(0, 1 << 30)), frame_.bytes,
                 &error_);
      over_ = false;
      return;
    }
    gorila_env_result result{};
    api_.step(env_, random_.Integer(0, walk::kActions), frame_.bytes, &result, &error_);
    over_ = result.terminated + result.truncated > 0;
  }

 private:
  const gorila_env_api& api_;
  gorila_env* env_ = nullptr;
  gorila_env_error error_{};
  RandomStream random_;
  WalkFrame frame_{};
  bool over_ = true;
};

StatusOr<BenchmarkResult> MeasurePlugin(std::string name, bool state,
                                        const BenchmarkOptions& options) {
  const gorila_env_api api = walk::MakeApi(state);
  GORILA_ASSIGN_OR_RETURN(auto library, PluginLibrary::FromTable(&api, "benchmark"));
  GORILA_ASSIGN_OR_RETURN(PluginInstance instance, PluginInstance::Make(std::move(library), "{}"));
  GORILA_ASSIGN_OR_RETURN(const EnvironmentRecord record, RecordOf(instance, "{}"));
  GORILA_ASSIGN_OR_RETURN(const EnvironmentSpec spec, SpecOfRecord("benchmark", record, {}));
  GORILA_ASSIGN_OR_RETURN(const auto environment,
                          PluginEnvironment::Make(std::move(instance), record, spec, {},
                                                  MakeRandomDraws(RandomStream(1))));
  RandomStream random(2);
  WalkFrame frame{};
  bool over = true;
  const auto step = [&] {
    const StatusOr<TimeStep> now =
        over ? environment->Reset(frame.bytes)
             : environment->Step(random.Integer(0, walk::kActions), frame.bytes);
    GORILA_CHECK(now.ok(), "{}", now.status().ToString());
    over = now->last();
  };
  DirectLoop direct(api);
  // Longer than a look at the clock.
  constexpr int kSteps = 1000;
  const auto times = [](const auto& once) {
    for (int i = 0; i < kSteps; ++i) once();
  };
  const TimedWork limit{.call = [&] { times([&] { direct.Step(); }); }, .amount = kSteps};
  return Measure(
      {.name = std::move(name), .unit = "frames/s", .limit_name = "the table called directly"},
      options.seconds, ThreadSeconds, {.call = [&] { times(step); }, .amount = kSteps}, &limit);
}

}  // namespace

StatusOr<std::vector<BenchmarkResult>> MeasurePlugins(const BenchmarkOptions& options) {
  std::vector<BenchmarkResult> results;
  for (const bool state : {true, false}) {
    const char* const name = state ? "env/plugin/with_state" : "env/plugin/with_replay";
    GORILA_ASSIGN_OR_RETURN(BenchmarkResult result, MeasurePlugin(name, state, options));
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace gorila
