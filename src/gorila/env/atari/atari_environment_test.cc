#include "gorila/env/atari/atari_environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gorila/env/atari/testing.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

using atari::CountingConsole;
using atari::Joystick;

constexpr int kNoOp = 0;
constexpr int kFire = 1;

// An environment over a counting console; no no-ops unless a test asks for them.
class Table {
 public:
  explicit Table(CountingConsole::Script script, AtariOptions options = {.noop_max = 0},
                 EnvironmentOptions others = {}) {
    others.atari = options;
    auto console = std::make_unique<CountingConsole>(std::move(script));
    console_ = console.get();
    environment_ = std::make_unique<AtariEnvironment>(std::move(console), others,
                                                      MakeRandomDraws(RandomStream(1)));
    frame_.resize(environment_->spec().observation.frame_bytes());
  }

  TimeStep Reset() { return environment_->Reset(frame_).value(); }
  TimeStep Step(int action) { return environment_->Step(action, frame_).value(); }
  // The grey level of the observation, which is one colour throughout.
  int Grey() const {
    EXPECT_EQ(std::set(frame_.begin(), frame_.end()).size(), 1u);
    return static_cast<int>(frame_.front());
  }

  CountingConsole& console() { return *console_; }
  AtariEnvironment& environment() { return *environment_; }

 private:
  std::unique_ptr<AtariEnvironment> environment_;
  CountingConsole* console_ = nullptr;
  std::vector<std::byte> frame_;
};

TEST(AtariEnvironmentTest, ObservationIsDqns) {
  Table table({});
  const ObservationSpec& spec = table.environment().spec().observation;
  EXPECT_EQ(spec.channels, 1);
  EXPECT_EQ(spec.height, 84);
  EXPECT_EQ(spec.width, 84);
  EXPECT_EQ(spec.element, ElementType::kUint8);
  EXPECT_EQ(spec.scale, 1.0F / 255);
  EXPECT_EQ(spec.stack, 4);
}

TEST(AtariEnvironmentTest, AStepRepeatsItsActionAndSumsThePoints) {
  Table table({});
  table.Reset();
  const TimeStep step = table.Step(kFire);
  EXPECT_EQ(step.reward, 4);
  EXPECT_EQ(step.step_type, StepType::kMid);
  EXPECT_EQ(table.console().held(), std::vector(4, Joystick::kFire));
  EXPECT_EQ(table.Step(kNoOp).reward, 0);
  EXPECT_EQ(table.environment().frames(), 8);
}

TEST(AtariEnvironmentTest, TheMaximumOfTheLastTwoFramesIsSeen) {
  Table table({});
  table.Reset();
  EXPECT_EQ(table.Grey(), CountingConsole::GreyOf(0));
  // Colours grow with frames until they begin again after the 99th.
  for (int frame = 4; frame <= 96; frame += 4) {
    table.Step(kNoOp);
    EXPECT_EQ(table.Grey(), CountingConsole::GreyOf(frame));
  }
  table.Step(kNoOp);  // frames 99 and 100: the brighter one is the older
  EXPECT_EQ(table.Grey(), CountingConsole::GreyOf(99));
}

TEST(AtariEnvironmentTest, WithoutPoolingTheLastFrameIsSeen) {
  Table table({}, {.pooled_frames = 1, .noop_max = 0});
  table.Reset();
  for (int frame = 4; frame <= 100; frame += 4) table.Step(kNoOp);
  EXPECT_EQ(table.Grey(), CountingConsole::GreyOf(100));
}

TEST(AtariEnvironmentTest, WithoutRepeatsTheMaximumReachesIntoTheStepBefore) {
  Table table({}, {.action_repeat = 1, .noop_max = 0});
  table.Reset();
  for (int frame = 1; frame <= 100; ++frame) table.Step(kNoOp);
  EXPECT_EQ(table.Grey(), CountingConsole::GreyOf(99));
}

TEST(AtariEnvironmentTest, AGameThatIsOverEndsTheEpisodeAtOnce) {
  Table table({.length = 6});
  table.Reset();
  EXPECT_FALSE(table.Step(kFire).last());
  const TimeStep last = table.Step(kFire);
  EXPECT_TRUE(last.last());
  EXPECT_EQ(last.discount, 0);
  EXPECT_EQ(last.reward, 2);
  table.Reset();
  EXPECT_EQ(table.console().games(), 2);
}

TEST(AtariEnvironmentTest, ALostLifeEndsTheEpisodeButNotTheGame) {
  Table table({.life_losses = {6}});
  table.Reset();
  table.Step(kFire);
  const TimeStep last = table.Step(kFire);
  EXPECT_TRUE(last.last());
  EXPECT_EQ(last.discount, 0);
  EXPECT_EQ(last.reward, 2);  // the action is not repeated beyond it
  EXPECT_EQ(table.Reset().step_type, StepType::kFirst);
  EXPECT_EQ(table.console().games(), 1);
  EXPECT_EQ(table.console().frame(), 6);
  EXPECT_FALSE(table.Step(kFire).last());
}

TEST(AtariEnvironmentTest, ALostLifeGoesUnnoticedWhereTheOptionIsOff) {
  Table table({.life_losses = {6}}, {.life_loss_ends_episode = false, .noop_max = 0});
  table.Reset();
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(table.Step(kFire).last());
}

TEST(AtariEnvironmentTest, TheTimeLimitCountsFramesAndCutsOff) {
  Table table({}, {.noop_max = 0, .max_frames = 10});
  table.Reset();
  EXPECT_FALSE(table.Step(kFire).last());
  EXPECT_FALSE(table.Step(kFire).last());
  const TimeStep last = table.Step(kFire);
  EXPECT_TRUE(last.last());
  EXPECT_EQ(last.discount, 1);
  EXPECT_EQ(last.reward, 2);
  EXPECT_EQ(table.console().frame(), 10);
  EXPECT_EQ(table.Grey(), CountingConsole::GreyOf(10));
  table.Reset();
  EXPECT_EQ(table.environment().frames(), 0);
}

TEST(AtariEnvironmentTest, AnEpisodeBeginsWithUpToSoManyNoOps) {
  Table table({}, {.noop_max = 5});
  std::set<int> counts;
  for (int i = 0; i < 200; ++i) {
    const TimeStep first = table.Reset();
    EXPECT_EQ(first.reward, 0);
    EXPECT_EQ(table.environment().frames(), table.console().frame());
    counts.insert(table.console().frame());
    for (const Joystick position : table.console().held()) EXPECT_EQ(position, Joystick::kNoOp);
  }
  EXPECT_EQ(counts, (std::set<int>{0, 1, 2, 3, 4, 5}));
}

TEST(AtariEnvironmentTest, NoOpsCountTowardsTheTimeLimit) {
  Table table({}, {.noop_max = 30, .max_frames = 40});
  for (int i = 0; i < 20; ++i) {
    table.Reset();
    while (!table.Step(kNoOp).last()) {
    }
    EXPECT_EQ(table.console().frame(), 40);
  }
}

TEST(AtariEnvironmentTest, AGameThatEndsDuringNoOpsIsStartedAgain) {
  Table table({.length = 3}, {.noop_max = 30});
  for (int i = 0; i < 20; ++i) {
    table.Reset();
    EXPECT_FALSE(table.console().game_over());
  }
}

TEST(AtariEnvironmentTest, StickyActionsAreDrawnForEveryFrame) {
  Table table({.length = 100000},
              {.noop_max = 0, .max_frames = 0, .repeat_action_probability = 0.25});
  table.Reset();
  // Alternating actions: a frame keeps the one before with probability 1/4.
  for (int i = 0; i < 2000; ++i) table.Step(i % 2);
  const auto& held = table.console().held();
  // Of each step's four frames count those before the new action is seen.
  std::array<int, 5> delays{};
  for (std::size_t step = 0; step < 2000; ++step) {
    const auto wanted = step % 2 == 1 ? Joystick::kFire : Joystick::kNoOp;
    std::size_t delay = 0;
    while (delay < 4 && held[4 * step + delay] != wanted) ++delay;
    ++delays[delay];
    for (std::size_t i = delay; i < 4; ++i) EXPECT_EQ(held[4 * step + i], wanted);
  }
  // Geometric, but that a step may begin with its own action: about 1500, 375, 94, 23, 8.
  EXPECT_NEAR(delays[0], 1500, 100);
  EXPECT_NEAR(delays[1], 375, 70);
  EXPECT_NEAR(delays[2], 94, 40);
}

TEST(AtariEnvironmentTest, ActionSetsAreTheConsoles) {
  Table full({});
  EXPECT_EQ(full.environment().spec().action_names,
            (std::vector<std::string>{"no-op", "fire", "up"}));
  Table minimal({}, {.noop_max = 0}, {.minimal_actions = true});
  EXPECT_EQ(minimal.environment().spec().action_names, (std::vector<std::string>{"no-op", "fire"}));
}

TEST(AtariEnvironmentTest, RefusesAPreviousActionThatTheConsoleHasNot) {
  Table table({});
  table.Reset();
  StateWriter writer;
  table.environment().SaveState(writer);
  std::string state = writer.Take();
  // Name, episode, frames, lives, life_lost.
  const std::size_t at = 8 + std::string("test/counting").size() + 9 + 8 + 4 + 1;
  ASSERT_EQ(state[at], static_cast<char>(Joystick::kNoOp));
  state[at] = static_cast<char>(Joystick::kDownLeftFire);
  StateReader reader(state);
  EXPECT_EQ(table.environment().RestoreState(reader).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace gorila
