#include "gorila/simulation/agents.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <utility>

#include "gorila/base/runtime.h"
#include "gorila/env/rgb_image.h"
#include "gorila/env/simulated_environment.h"
#include "gorila/network/simulated_backend.h"

namespace gorila::simulation {
namespace {

constexpr int kActions = 3;
constexpr int kMostSteps = 12;  // of an episode
// Of the time of a gradient: what one action of the policy takes.
constexpr double kActingShare = 0.05;

thread_local const Agents* present = nullptr;

EnvironmentSpec MakeEnvironmentSpec() {
  EnvironmentSpec spec;
  spec.name = kSimulated;
  spec.observation = SimulatedObservation();
  spec.action_names = {"a", "b", "c"};
  return spec;
}

class MarkedEnvironment final : public Environment {
 public:
  explicit MarkedEnvironment(std::unique_ptr<DrawSource> draws)
      : draws_(std::move(draws)), spec_(MakeEnvironmentSpec()) {}

  const EnvironmentSpec& spec() const override { return spec_; }

  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override {
    // In a process of a simulation, not where the environment is only asked what it is like.
    if (mark_.life == 0) mark_ = {.life = present->watch().life(), .environment = NewNumber()};
    ++mark_.episode;
    mark_.step = 1;
    steps_left_ = draws_->Integer(1, kMostSteps);
    Write(observation);
    return TimeStep{.step_type = StepType::kFirst};
  }

  // Half of the episodes end, half are cut off.
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override {
    present->watch().stepped();
    ++mark_.step;
    Write(observation);
    const bool last = --steps_left_ == 0;
    const bool ends = last && draws_->Integer(0, 2) == 0;
    return TimeStep{.step_type = last ? StepType::kLast : StepType::kMid,
                    .reward = static_cast<float>(action),
                    .discount = ends ? 0.0F : 1.0F};
  }

  Status Render(RgbImage& picture) override {
    picture = {.width = 1, .height = 1, .pixels = {0, 0, 0}};
    return OkStatus();
  }
  void SaveState(StateWriter&) const override {}
  Status RestoreState(StateReader&) override { return DataLoss("simulated: nothing was saved"); }

 private:
  // Of a process's environments: distinct by their streams of random numbers.
  std::uint32_t NewNumber() { return static_cast<std::uint32_t>(draws_->Uniform() * 0x1p32); }
  void Write(std::span<std::byte> observation) const {
    std::fill(observation.begin(), observation.end(), std::byte{0});
    std::memcpy(observation.data(), &mark_, sizeof mark_);
  }

  const std::unique_ptr<DrawSource> draws_;
  const EnvironmentSpec spec_;
  FrameMark mark_;
  int steps_left_ = 0;
};

class CostlyNetwork final : public QNetwork {
 public:
  explicit CostlyNetwork(const NetworkSpec& spec)
      : spec_(spec), layout_(MakeParameterLayout(spec)) {}

  const NetworkSpec& spec() const override { return spec_; }
  const ParameterLayout& layout() const override { return layout_; }
  void SetParameters(std::span<const float>) override {}

  void Predict(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    // An actor's; a minibatch's are part of its gradient.
    if (batch <= kActorEnvironments) Take(kActingShare);
    Forward(observations, batch, q);
  }

  void Forward(std::span<const std::byte> observations, int batch, std::span<float> q) override {
    const std::size_t bytes = spec_.input.stacked_bytes();
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch); ++i) {
      const auto mark = MarkOfStack(observations.subspan(i * bytes, bytes));
      if (!mark.ok()) present->watch().violated(std::string(mark.status().message()));
    }
    for (std::size_t i = 0; i < q.size(); ++i) q[i] = static_cast<float>(i % kActions);
  }

  void Backward(std::span<const float>, std::span<float> gradient) override {
    Take(1);
    std::fill(gradient.begin(), gradient.end(), 0.0F);
    // At another place of each slice than other processes.
    for (const Slice& slice : present->partition()) {
      gradient[slice.begin + present->watch().life() % slice.size()] = 1;
    }
    present->watch().computed();
  }

 private:
  static void Take(double gradients) {
    SleepFor(std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(gradients * present->watch().compute_seconds())));
  }

  const NetworkSpec spec_;
  const ParameterLayout layout_;
};

constexpr EnvironmentRow kEnvironmentRow{
    .name = kSimulated,
    .summary = "frames that say which step they are of",
    .make = [](const EnvironmentOptions&,
               std::unique_ptr<DrawSource> draws) -> StatusOr<std::unique_ptr<Environment>> {
      return std::make_unique<MarkedEnvironment>(std::move(draws));
    },
    .sticky_actions = false,
    .difficulty_ramping = false,
    .minimal_actions = false};

constexpr QNetworkBackend kBackendRow{
    .name = kSimulated,
    .summary = "takes virtual time",
    .make = [](const NetworkSpec& spec, int, std::string_view)
        -> StatusOr<std::unique_ptr<QNetwork>> { return std::make_unique<CostlyNetwork>(spec); },
    .elsewhere = true};  // it needs nothing of this processor

FrameMark MarkOf(std::span<const std::byte> frame) {
  FrameMark mark;
  std::memcpy(&mark, frame.data(), sizeof mark);
  return mark;
}

std::string Text(const FrameMark& mark) {
  return fmt::format("step {} of episode {} of environment {:x} of process {}", mark.step,
                     mark.episode, mark.environment, mark.life);
}

bool SameEpisode(const FrameMark& a, const FrameMark& b) {
  return a.life == b.life && a.environment == b.environment && a.episode == b.episode;
}

}  // namespace

Agents::Agents(AgentWatch watch) : watch_(std::move(watch)) {
  GORILA_CHECK(present == nullptr, "two simulations in one thread");
  present = this;
  simulated_environment = &kEnvironmentRow;
  simulated_backend = &kBackendRow;
}

void Agents::LeaveThread() {
  if (present != this) return;
  present = nullptr;
  simulated_environment = nullptr;
  simulated_backend = nullptr;
}

const ObservationSpec& SimulatedObservation() {
  static const ObservationSpec spec{.channels = 1,
                                    .height = 4,
                                    .width = 6,
                                    .element = ElementType::kUint8,
                                    .scale = 1,
                                    .stack = 2};
  static_assert(sizeof(FrameMark) <= 4 * 6);
  return spec;
}

StatusOr<FrameMark> MarkOfStack(std::span<const std::byte> stack) {
  const std::size_t bytes = SimulatedObservation().frame_bytes();
  const FrameMark older = MarkOf(stack.first(bytes));
  const FrameMark newest = MarkOf(stack.last(bytes));
  const bool first = newest.step == 1 && older == FrameMark();
  const bool later = SameEpisode(older, newest) && newest.step == older.step + 1;
  if (newest.life != 0 && (first || later)) return newest;
  return InvalidArgument("a state joins {} with {}", Text(older), Text(newest));
}

StatusOr<int> StepsBetween(std::span<const std::byte> state, std::span<const std::byte> later) {
  GORILA_ASSIGN_OR_RETURN(const FrameMark from, MarkOfStack(state));
  GORILA_ASSIGN_OR_RETURN(const FrameMark to, MarkOfStack(later));
  if (SameEpisode(from, to) && to.step > from.step) return static_cast<int>(to.step - from.step);
  return InvalidArgument("a transition joins {} with {}", Text(from), Text(to));
}

}  // namespace gorila::simulation
