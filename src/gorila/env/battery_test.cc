// What every environment of the table must do, with several settings of the options.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "gorila/env/atari/ale_source.h"
#include "gorila/env/atari/game_names.h"
#include "gorila/env/atari/rom_folder.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

constexpr std::byte kPoison{0xa5};
constexpr std::size_t kGuardBytes = 64;

// A frame between guards, poisoned before every use.
class GuardedFrame {
 public:
  explicit GuardedFrame(const ObservationSpec& spec)
      : spec_(spec), bytes_(spec.frame_bytes() + 2 * kGuardBytes) {}

  std::span<std::byte> Poisoned(std::byte poison = kPoison) {
    std::fill(bytes_.begin(), bytes_.end(), poison);
    return std::span(bytes_).subspan(kGuardBytes, spec_.frame_bytes());
  }
  std::vector<std::byte> Contents() const {
    return {bytes_.begin() + kGuardBytes, bytes_.end() - kGuardBytes};
  }
  // Whether the guards are untouched and the values are possible ones.
  void Check() const {
    for (std::size_t i = 0; i < kGuardBytes; ++i) {
      ASSERT_EQ(bytes_[i], kPoison);
      ASSERT_EQ(bytes_[bytes_.size() - 1 - i], kPoison);
    }
    const std::vector<std::byte> frame = Contents();
    if (spec_.element == ElementType::kUint8) return;
    for (std::size_t i = 0; i < frame.size(); i += sizeof(float)) {
      float value = std::numeric_limits<float>::quiet_NaN();
      std::memcpy(&value, &frame[i], sizeof value);
      ASSERT_LT(std::abs(value), 1e6F);
    }
  }

 private:
  const ObservationSpec spec_;
  std::vector<std::byte> bytes_;
};

struct Case {
  std::string name;
  std::string label;
  EnvironmentOptions options;
};
void PrintTo(const Case& shown, std::ostream* stream) { *stream << shown.label; }

// Who is in the table, and who else plays here: the games of ALE whose ROMs lie in ALE_ROMS_DIR.
struct Entrant {
  std::string name;
  bool console = false;
};

std::vector<Entrant> Entrants() {
  std::vector<Entrant> entrants;
  for (const EnvironmentRow& row : EnvironmentTable()) {
    entrants.push_back({std::string(row.name), row.atari});
  }
  if (!atari::AleIsBuiltIn()) return entrants;
  for (const std::string_view game : atari::GamesIn(atari::RomFolder())) {
    entrants.push_back({fmt::format("{}{}", atari::kAtariFolder, game), true});
  }
  return entrants;
}

bool InTable(std::string_view name) { return !name.starts_with(atari::kAtariFolder); }

std::vector<Case> Cases() {
  const std::map<std::string, EnvironmentOptions> variants{
      {"Default", {}},
      {"Minimal", {.minimal_actions = true}},
      {"Plain", {.sticky_actions = 0, .difficulty_ramping = false}},
      {"Sticky", {.sticky_actions = 0.8}},
      {"Short", {.max_episode_steps = 7}},
      {"RawFrames",
       {.atari = {.action_repeat = 1, .screen_size = 20, .stack = 1, .max_frames = 700}}},
      {"Restless", {.atari = {.life_loss_ends_episode = false, .repeat_action_probability = 0.25}}},
  };
  std::vector<Case> cases;
  for (const Entrant& entrant : Entrants()) {
    for (const auto& [label, options] : variants) {
      // Variants of [atari] and of the games below it say nothing about the others.
      const bool of_atari = !(options.atari == AtariOptions{});
      const bool of_both = label == "Default" || label == "Short";
      if (of_atari != entrant.console && !of_both) continue;
      std::string name = entrant.name;
      std::replace(name.begin(), name.end(), '/', '_');
      cases.push_back({entrant.name, name + "_" + label, options});
      cases.back().options.atari.rom_folder = atari::RomFolder();
    }
  }
  return cases;
}

class BatteryTest : public testing::TestWithParam<Case> {
 protected:
  static std::unique_ptr<Environment> Make(std::uint64_t seed) {
    return MakeAs(GetParam().options, seed);
  }
  static std::unique_ptr<Environment> MakeAs(const EnvironmentOptions& options,
                                             std::uint64_t seed) {
    StatusOr<std::unique_ptr<Environment>> made =
        MakeEnvironment(GetParam().name, options, MakeRandomDraws(RandomStream(seed)));
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }
  // Console games take a hundred times as long as the others.
  static int Scaled(int count) { return IsConsoleGame(GetParam().name) ? count / 4 : count; }
  static std::string Saved(const Environment& environment) {
    StateWriter writer;
    environment.SaveState(writer);
    return writer.Take();
  }
  static Status Restore(Environment& environment, std::string_view bytes) {
    StateReader reader(bytes);
    GORILA_RETURN_IF_ERROR(environment.RestoreState(reader));
    return reader.Finish();
  }
  // Everything that stepping shows.
  struct Shown {
    StepType step_type;
    float reward;
    float discount;
    std::vector<std::byte> frame;
    bool operator==(const Shown&) const = default;
  };
  // `steps` random steps, with a Reset after every episode and, when `reset` is set, at the start.
  static std::vector<Shown> Trajectory(Environment& environment, RandomStream actions, int steps,
                                       bool reset = true) {
    GuardedFrame frame(environment.spec().observation);
    std::vector<Shown> shown;
    for (int i = 0; i < steps; ++i) {
      const TimeStep step =
          reset ? environment.Reset(frame.Poisoned()).value()
                : environment
                      .Step(actions.Integer(0, environment.spec().num_actions()), frame.Poisoned())
                      .value();
      shown.push_back({step.step_type, step.reward, step.discount, frame.Contents()});
      reset = step.last();
    }
    return shown;
  }
};

TEST_P(BatteryTest, SpecIsConsistent) {
  const std::unique_ptr<Environment> environment = Make(1);
  const EnvironmentSpec& spec = environment->spec();
  EXPECT_EQ(spec.name, GetParam().name);
  const ObservationSpec& observation = spec.observation;
  EXPECT_GT(observation.channels, 0);
  EXPECT_GT(observation.height, 0);
  EXPECT_GT(observation.width, 0);
  EXPECT_GT(observation.stack, 0);
  EXPECT_GT(observation.scale, 0);
  EXPECT_GE(spec.num_actions(), 2);
  std::set<std::string> names;
  for (const std::string& name : spec.action_names) {
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST_P(BatteryTest, ResetGivesAFirstStep) {
  const std::unique_ptr<Environment> environment = Make(1);
  GuardedFrame frame(environment->spec().observation);
  for (int i = 0; i < 3; ++i) {
    const TimeStep first = environment->Reset(frame.Poisoned()).value();
    EXPECT_EQ(first.step_type, StepType::kFirst);
    EXPECT_EQ(first.reward, 0);
    EXPECT_EQ(first.discount, 1);
    // In the middle of an episode too.
    if (!environment->Step(0, frame.Poisoned()).value().last())
      environment->Step(1, frame.Poisoned()).value();
  }
}

TEST_P(BatteryTest, RandomPlayKeepsTheStepsInOrder) {
  const std::unique_ptr<Environment> environment = Make(2);
  RandomStream actions(3);
  GuardedFrame frame(environment->spec().observation);
  int episodes = 0;
  TimeStep previous{.step_type = StepType::kLast};
  for (int i = 0; i < Scaled(6000); ++i) {
    const bool starts = previous.last();
    const TimeStep step =
        starts ? environment->Reset(frame.Poisoned()).value()
               : environment
                     ->Step(actions.Integer(0, environment->spec().num_actions()), frame.Poisoned())
                     .value();
    ASSERT_NO_FATAL_FAILURE(frame.Check());
    ASSERT_EQ(step.step_type == StepType::kFirst, starts);
    ASSERT_TRUE(step.discount == 0 || step.discount == 1);
    ASSERT_TRUE(step.last() || step.discount == 1);
    ASSERT_LT(std::abs(step.reward), InTable(GetParam().name) ? 100 : 1e6);
    episodes += step.last() ? 1 : 0;
    previous = step;
  }
  // Freeway on a console lasts 2,500 steps; games of ALE may go on for as long as they like.
  const bool ends = InTable(GetParam().name) && GetParam().name != "pixel/freeway";
  EXPECT_GE(episodes, ends ? 2 : 0);
}

TEST_P(BatteryTest, EveryByteOfAnObservationIsWritten) {
  // Two instances with the same future and different poison differ in what was not written.
  const std::unique_ptr<Environment> a = Make(4);
  const std::unique_ptr<Environment> b = Make(4);
  GuardedFrame frame_a(a->spec().observation);
  GuardedFrame frame_b(b->spec().observation);
  bool reset = true;
  for (int i = 0; i < 200; ++i) {
    const std::byte other{0x5a};
    const TimeStep step =
        reset ? a->Reset(frame_a.Poisoned()).value() : a->Step(1, frame_a.Poisoned()).value();
    reset ? b->Reset(frame_b.Poisoned(other)).value() : b->Step(1, frame_b.Poisoned(other)).value();
    ASSERT_EQ(frame_a.Contents(), frame_b.Contents());
    reset = step.last();
  }
}

TEST_P(BatteryTest, SeedFixesTheTrajectory) {
  const auto play = [](std::uint64_t seed) {
    return Trajectory(*Make(seed), RandomStream(5), Scaled(3000));
  };
  EXPECT_EQ(play(6), play(6));
}

TEST_P(BatteryTest, RestoredEnvironmentContinuesBitForBit) {
  for (const int played : {0, 1, 3, 40, 777}) {
    const std::unique_ptr<Environment> environment = Make(7);
    bool reset = true;
    if (played > 0) {
      const std::vector<Shown> shown = Trajectory(*environment, RandomStream(8), played);
      reset = shown.back().step_type == StepType::kLast;
    }
    const std::string saved = Saved(*environment);
    const std::unique_ptr<Environment> fresh = Make(9);
    const Status status = Restore(*fresh, saved);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Saved(*fresh), saved);
    EXPECT_EQ(Trajectory(*fresh, RandomStream(10), Scaled(2000), reset),
              Trajectory(*environment, RandomStream(10), Scaled(2000), reset));
  }
}

TEST_P(BatteryTest, TruncatedStateIsDataLoss) {
  const std::unique_ptr<Environment> environment = Make(11);
  Trajectory(*environment, RandomStream(12), 150);
  const std::string saved = Saved(*environment);
  const std::unique_ptr<Environment> other = Make(13);
  for (std::size_t size = 0; size < saved.size(); ++size) {
    ASSERT_EQ(Restore(*other, std::string_view(saved).substr(0, size)).code(),
              absl::StatusCode::kDataLoss)
        << size;
  }
  // After all these failures a Reset makes it usable again.
  EXPECT_EQ(Trajectory(*other, RandomStream(12), 100).size(), 100u);
}

TEST_P(BatteryTest, AlteredStateIsRefusedOrPlayable) {
  const std::unique_ptr<Environment> environment = Make(14);
  // An episode must be running: Step is next.
  std::string saved;
  for (int steps = 100; saved.empty(); ++steps) {
    ASSERT_LT(steps, 200) << "no episode goes on";
    const std::vector<Shown> shown = Trajectory(*environment, RandomStream(15), steps);
    if (shown.back().step_type == StepType::kMid) saved = Saved(*environment);
  }
  // The name, the step count and the running flag are left alone.
  const std::size_t start = sizeof(std::uint64_t) + GetParam().name.size() + 8 + 1;
  RandomStream random(15);
  int refused = 0;
  // ALE takes 80 ms to start.
  const int tries = InTable(GetParam().name) ? Scaled(1500) : 30;
  for (int i = 0; i < tries; ++i) {
    std::string altered = saved;
    const auto at = start + random.Below(saved.size() - start);
    altered[at] = static_cast<char>(altered[at] ^ (1 << random.Below(8)));
    const std::unique_ptr<Environment> other = Make(16);
    const Status status = Restore(*other, altered);
    if (!status.ok()) {
      ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
      ++refused;
      continue;
    }
    RgbImage image;
    EXPECT_TRUE(other->Render(image).ok());
    Trajectory(*other, RandomStream(17), 30, /*reset=*/false);
  }
  EXPECT_GT(refused, 0);
}

TEST_P(BatteryTest, StateOfAnotherEnvironmentIsDataLoss) {
  const std::unique_ptr<Environment> environment = Make(18);
  Trajectory(*environment, RandomStream(19), 20);
  for (const EnvironmentRow& row : EnvironmentTable()) {
    if (row.name == GetParam().name) continue;
    StatusOr<std::unique_ptr<Environment>> other =
        MakeEnvironment(row.name, GetParam().options, MakeRandomDraws(RandomStream(20)));
    ASSERT_TRUE(other.ok());
    const Status status = Restore(**other, Saved(*environment));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << row.name;
    EXPECT_NE(std::string(status.message()).find(GetParam().name), std::string::npos) << status;
  }
}

TEST_P(BatteryTest, RenderMakesAPictureAndChangesNothing) {
  const std::unique_ptr<Environment> environment = Make(21);
  Trajectory(*environment, RandomStream(22), 30);
  const std::string before = Saved(*environment);
  RgbImage image;
  EXPECT_TRUE(environment->Render(image).ok());
  EXPECT_GT(image.width, 0);
  EXPECT_GT(image.height, 0);
  EXPECT_EQ(image.pixels.size(), 3u * static_cast<unsigned>(image.width * image.height));
  EXPECT_GE(std::set(image.pixels.begin(), image.pixels.end()).size(), 2u);
  EXPECT_EQ(Saved(*environment), before);
  RgbImage reused{.width = 1, .height = 2, .pixels = std::vector<std::uint8_t>(1000000, 3)};
  EXPECT_TRUE(environment->Render(reused).ok());
  EXPECT_EQ(reused.pixels, image.pixels);
}

TEST_P(BatteryTest, MaxEpisodeStepsCutsOffWithDiscountOne) {
  EnvironmentOptions options = GetParam().options;
  options.max_episode_steps = 4;
  options.atari.noop_max = 0;
  const std::unique_ptr<Environment> environment = MakeAs(options, 23);
  GuardedFrame frame(environment->spec().observation);
  for (int episode = 0; episode < 5; ++episode) {
    environment->Reset(frame.Poisoned()).value();
    // No environment ends by itself so soon.
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(environment->Step(0, frame.Poisoned()).value().step_type, StepType::kMid);
    }
    const TimeStep last = environment->Step(0, frame.Poisoned()).value();
    EXPECT_EQ(last.step_type, StepType::kLast);
    EXPECT_EQ(last.discount, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Environments, BatteryTest, testing::ValuesIn(Cases()),
                         [](const testing::TestParamInfo<Case>& info) { return info.param.label; });

}  // namespace
}  // namespace gorila
