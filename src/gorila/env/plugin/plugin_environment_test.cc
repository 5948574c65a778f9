#include "gorila/env/plugin/plugin_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>
#include <set>

#include "gorila/base/default_float_environment.h"
#include "gorila/base/denormals.h"
#include "gorila/base/random.h"
#include "gorila/env/plugin/testing.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// The numbers of a test plug-in's observation.
using Numbers = std::array<float, 4>;
constexpr std::size_t kSeedAt = 2;

std::unique_ptr<DrawSource> Draws(std::uint64_t seed) {
  return MakeRandomDraws(RandomStream(seed));
}

EnvironmentOptions Options(std::string kwargs) {
  EnvironmentOptions options;
  options.external.kwargs = std::move(kwargs);
  return options;
}

StatusOr<std::unique_ptr<Environment>> TryMake(std::string_view plugin,
                                               const EnvironmentOptions& options,
                                               std::uint64_t seed = 1) {
  GORILA_ASSIGN_OR_RETURN(const auto factory, MakePluginFactory(TestPlugin(plugin), options));
  return factory->Make(Draws(seed));
}

std::unique_ptr<Environment> Make(std::string_view plugin, std::string kwargs = "{}",
                                  std::uint64_t seed = 1) {
  auto made = TryMake(plugin, Options(std::move(kwargs)), seed);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

// Buffers that are aligned as plug-ins want them, and such that are not.
class Frame {
 public:
  explicit Frame(const Environment& environment, std::size_t offset = 0)
      : bytes_(environment.spec().observation.frame_bytes() + 2 * kPluginAlignment) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.data());
    const std::size_t start = (kPluginAlignment - address % kPluginAlignment) % kPluginAlignment;
    span_ = std::span(bytes_).subspan(start + offset, environment.spec().observation.frame_bytes());
  }

  std::span<std::byte> span() const { return span_; }
  Numbers numbers() const {
    Numbers numbers;
    EXPECT_EQ(span_.size(), sizeof numbers);
    std::memcpy(&numbers, span_.data(), sizeof numbers);
    return numbers;
  }
  std::vector<std::byte> contents() const { return {span_.begin(), span_.end()}; }

 private:
  std::vector<std::byte> bytes_;
  std::span<std::byte> span_;
};

std::string Saved(const Environment& environment) {
  StateWriter writer;
  environment.SaveState(writer);
  return writer.Take();
}

Status Restore(Environment& environment, std::string_view bytes) {
  StateReader reader(bytes);
  GORILA_RETURN_IF_ERROR(environment.RestoreState(reader));
  return reader.Finish();
}

struct Shown {
  TimeStep step;
  std::vector<std::byte> frame;
  bool operator==(const Shown& other) const {
    return std::memcmp(&step, &other.step, sizeof step) == 0 && frame == other.frame;
  }
};

// Random steps, with a Reset after every episode and, when `reset` is set, at the start.
std::vector<Shown> Play(Environment& environment, std::uint64_t seed, int steps,
                        bool reset = true) {
  RandomStream actions(seed);
  Frame frame(environment);
  std::vector<Shown> shown;
  for (int i = 0; i < steps; ++i) {
    const auto step = reset ? environment.Reset(frame.span())
                            : environment.Step(actions.Integer(0, environment.spec().num_actions()),
                                               frame.span());
    EXPECT_TRUE(step.ok()) << step.status();
    if (!step.ok()) break;
    shown.push_back({*step, frame.contents()});
    reset = step->last();
  }
  return shown;
}

TEST(PluginEnvironmentTest, SpecSaysWhatThePluginSays) {
  const auto environment = Make("test_plugin");
  const EnvironmentSpec& spec = environment->spec();
  EXPECT_EQ(spec.name, "plugin:" + TestPlugin("test_plugin"));
  EXPECT_EQ(spec.observation, (ObservationSpec{.channels = 4, .element = ElementType::kFloat32}));
  EXPECT_EQ(spec.action_names, (std::vector<std::string>{"wait", "action 1", "action 2"}));
}

TEST(PluginEnvironmentTest, LayoutIsThePluginsUnlessTheUserSaysAnother) {
  // (3, 1, 1): ambiguous without either.
  EnvironmentOptions options = Options(R"({"dimensions":3,"side":3,"element":0,"layout":2})");
  EXPECT_EQ((*TryMake("test_plugin", options))->spec().observation.channels, 3);
  options.external.layout = PictureLayout::kHwc;
  EXPECT_EQ((*TryMake("test_plugin", options))->spec().observation.height, 3);
  options = Options(R"({"dimensions":3,"side":3,"element":0})");
  EXPECT_THAT(std::string(TryMake("test_plugin", options).status().message()),
              AllOf(HasSubstr("libtest_plugin.so"), HasSubstr("environment.layout")));
}

TEST(PluginEnvironmentTest, PluginThatFailsToMakeOneIsBadInput) {
  const Status status = TryMake("test_plugin", Options(R"({"refuse_create":1})")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("create failed with code 5"));
  const Status nothing = TryMake("test_plugin", Options(R"({"forget_create":1})")).status();
  EXPECT_THAT(std::string(nothing.message()), HasSubstr("create gave 0, but no environment"));
}

TEST(PluginEnvironmentTest, PluginThatNeedsAProcessIsSentThere) {
  const Status status = TryMake("test_plugin_own_process", {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("use plugin-process:" + TestPlugin("test_plugin_own_process")));
}

TEST(PluginEnvironmentTest, EpisodesEndAsThePluginSays) {
  const auto environment = Make("test_plugin", R"({"length":5})");
  Frame frame(*environment);
  int terminated = 0;
  for (int episode = 0; episode < 40; ++episode) {
    ASSERT_EQ(environment->Reset(frame.span())->step_type, StepType::kFirst);
    for (int i = 1; i < 5; ++i) {
      ASSERT_EQ(environment->Step(2, frame.span())->step_type, StepType::kMid);
      ASSERT_EQ(frame.numbers()[0], i);
      ASSERT_EQ(frame.numbers()[1], 2);
    }
    // Both flags at a real end, and then it is one; otherwise truncated alone.
    const auto last = environment->Step(0, frame.span());
    ASSERT_EQ(last->step_type, StepType::kLast);
    ASSERT_EQ(frame.numbers()[0], 5) << "the final observation";
    terminated += last->discount == 0 ? 1 : 0;
  }
  EXPECT_GT(terminated, 0);
  EXPECT_LT(terminated, 40);
}

TEST(PluginEnvironmentTest, MaxEpisodeStepsCutsOffWithDiscountOne) {
  EnvironmentOptions options;
  options.max_episode_steps = 3;
  const auto environment = *TryMake("test_plugin", options);
  const std::vector<Shown> shown = Play(*environment, 1, 8);
  EXPECT_EQ(shown[3].step.step_type, StepType::kLast);
  EXPECT_EQ(shown[3].step.discount, 1);
  EXPECT_EQ(shown[4].step.step_type, StepType::kFirst);
}

TEST(PluginEnvironmentTest, EveryEpisodeHasASeedOfItsOwnFromTheDraws) {
  const auto environment = Make("test_plugin", "{}", 7);
  const auto draws = Draws(7);
  Frame frame(*environment);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(environment->Reset(frame.span()).ok());
    EXPECT_EQ(frame.numbers()[kSeedAt],
              draws->Integer(0, std::numeric_limits<std::int32_t>::max()) % 1000);
  }
}

TEST(PluginEnvironmentTest, BuffersThatAreNotAlignedShowTheSame) {
  const auto a = Make("test_plugin");
  const auto b = Make("test_plugin");
  Frame aligned(*a);
  Frame odd(*b, 4);
  ASSERT_TRUE(a->Reset(aligned.span()).ok() && b->Reset(odd.span()).ok());
  EXPECT_EQ(aligned.numbers(), odd.numbers());
  ASSERT_TRUE(a->Step(2, aligned.span()).ok() && b->Step(2, odd.span()).ok());
  EXPECT_EQ(aligned.numbers(), odd.numbers());
}

TEST(PluginEnvironmentTest, ComputesWithDenormalsAndLeavesThisThreadAsItWas) {
  constexpr std::uint64_t kRaised = 0x3f;  // exceptions that have happened, on x86
  const std::uint64_t before = FloatControl();
  FlushDenormalsInThisThread();
  const std::uint64_t flushing = FloatControl() & ~kRaised;
  for (const char* const plugin : {"test_plugin", "test_plugin_flushes"}) {
    const auto environment = Make(plugin);
    EXPECT_EQ(Play(*environment, 1, 2)[1].step.reward, 0.5F) << plugin;
    EXPECT_EQ(FloatControl() & ~kRaised, flushing) << plugin;
  }
  SetFloatControl(before);
}

// The status of the first call that fails within 10 steps.
Status FailureOf(Environment& environment) {
  Frame frame(environment);
  GORILA_RETURN_IF_ERROR(environment.Reset(frame.span()).status());
  for (int i = 0; i < 10; ++i) {
    GORILA_RETURN_IF_ERROR(environment.Step(1, frame.span()).status());
  }
  return OkStatus();
}

TEST(PluginEnvironmentTest, BrokenPromisesAreNamed) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"nan_at":0})", "observation[2] is nan; expected finite floats"},
      {R"({"nan_at":4})", "observation[2] is nan; expected finite floats"},
      {R"({"nan_reward_at":3})", "step gave the reward 1e+300; expected a finite float"},
      {R"({"fail_at":2})", "step failed with code 7: out of fuel (action 1)"},
      {R"({"flag_at":2})", "step gave terminated = 2 and truncated = 0; expected 0 or 1"}};
  for (const auto& [kwargs, words] : cases) {
    const Status status = FailureOf(*Make("test_plugin", kwargs));
    EXPECT_FALSE(status.ok());
    EXPECT_FALSE(IsEpisodeLost(status));
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("libtest_plugin.so"), HasSubstr(words)));
  }
  EXPECT_TRUE(FailureOf(*Make("test_plugin")).ok());
}

TEST(PluginEnvironmentTest, RendersThePluginsPicture) {
  const auto environment = Make("test_plugin");
  RgbImage image;
  EXPECT_TRUE(absl::IsFailedPrecondition(environment->Render(image))) << "no episode yet";
  Play(*environment, 1, 3);
  ASSERT_TRUE(environment->Render(image).ok());
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.pixels, std::vector<std::uint8_t>(18, 2));
  const auto flat = Make("test_plugin", R"({"length":13})");
  Play(*flat, 1, 1);
  EXPECT_THAT(std::string(flat->Render(image).message()), HasSubstr("a picture of 0 x 2"));
}

TEST(PluginEnvironmentTest, WithoutRenderObservationsAreDrawnIfPicturesAreWanted) {
  const auto maze = Make("maze");
  Play(*maze, 1, 1);
  RgbImage image;
  EXPECT_TRUE(absl::IsUnimplemented(maze->Render(image)));
  EnvironmentOptions options;
  options.external.pictures = true;
  const auto shown = *TryMake("maze", options);
  Play(*shown, 1, 1);
  ASSERT_TRUE(shown->Render(image).ok());
  EXPECT_GE(std::set(image.pixels.begin(), image.pixels.end()).size(), 2U);
}

TEST(PluginEnvironmentTest, RecordDescribesItWithoutTheLibrary) {
  const std::string kwargs = R"({"dimensions":3,"side":3,"element":0,"layout":2})";
  const auto factory = *MakePluginFactory(TestPlugin("test_plugin"), Options(kwargs));
  EXPECT_TRUE(factory->record().repeats);
  EnvironmentOptions options = Options(kwargs);
  options.external.record = EncodeEnvironmentRecord(factory->record());
  const auto spec = DescribeEnvironment("plugin:./not_there.so", options);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->observation, (*factory->Make(Draws(1)))->spec().observation);
  EXPECT_EQ(spec->num_actions(), 3);
  EXPECT_TRUE(TryMake("test_plugin", options).ok());
  options.external.kwargs = R"({"dimensions":3,"side":3,"element":0,"layout":1})";
  EXPECT_THAT(std::string(TryMake("test_plugin", options).status().message()),
              HasSubstr("this run began with"));
}

TEST(PluginEnvironmentTest, ProbeSeesThatOneDoesNotRepeatItself) {
  const auto repeats = [](std::string_view plugin, const std::string& kwargs) {
    return ProbeEnvironment(*ParseExternalName("plugin:" + TestPlugin(plugin)), Options(kwargs))
        ->repeats;
  };
  EXPECT_TRUE(repeats("test_plugin", "{}"));
  EXPECT_FALSE(repeats("test_plugin", R"({"forget":1})"));
  EXPECT_FALSE(repeats("test_plugin_not_deterministic", "{}"));
}

class ResumeTest : public testing::TestWithParam<const char*> {};

TEST_P(ResumeTest, RestoredEnvironmentContinuesBitForBit) {
  // Before the first episode, at its start, within it, at the end of one, within a later one.
  for (const int played : {0, 1, 7, 21, 50}) {
    const auto environment = Make(GetParam(), R"({"length":20})", 3);
    const std::vector<Shown> shown = Play(*environment, 4, played);
    const bool reset = shown.empty() || shown.back().step.last();
    const std::string saved = Saved(*environment);
    const auto fresh = Make(GetParam(), R"({"length":20})", 5);
    if (played == 50) Play(*fresh, 6, 10);  // one that has been used
    const Status status = Restore(*fresh, saved);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(Saved(*fresh), saved);
    EXPECT_EQ(Play(*fresh, 6, 300, reset), Play(*environment, 6, 300, reset)) << played;
  }
}

TEST_P(ResumeTest, TruncatedStateIsDataLoss) {
  const auto environment = Make(GetParam());
  Play(*environment, 1, 15);
  const std::string saved = Saved(*environment);
  const auto other = Make(GetParam());
  for (std::size_t size = 0; size < saved.size(); ++size) {
    ASSERT_TRUE(absl::IsDataLoss(Restore(*other, std::string_view(saved).substr(0, size)))) << size;
  }
  EXPECT_EQ(Play(*other, 1, 30).size(), 30U);
}

TEST_P(ResumeTest, AlteredStateIsRefusedOrPlayable) {
  const auto environment = Make(GetParam());
  ASSERT_EQ(Play(*environment, 1, 15).back().step.step_type, StepType::kMid);
  const std::string saved = Saved(*environment);
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * saved.size(); ++bit) {
    std::string altered = saved;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
    const auto other = Make(GetParam());
    const Status status = Restore(*other, altered);
    if (!status.ok()) {
      ASSERT_TRUE(absl::IsDataLoss(status)) << status;
      ++refused;
    } else {
      // The running flag or the count of steps may be what was altered.
      Play(*other, 2, 30);
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_P(ResumeTest, StateOfAnotherEnvironmentIsDataLoss) {
  const auto maze = Make("maze");
  Play(*maze, 1, 15);
  const Status status = Restore(*Make(GetParam()), Saved(*maze));
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("'maze'"));
}

INSTANTIATE_TEST_SUITE_P(Plugins, ResumeTest, testing::Values("test_plugin", "test_plugin_state"));

// What a deterministic run says to the state of `saved`, and that any other run begins anew.
void ExpectRefusedOrBegunAnew(std::string_view plugin, const std::string& kwargs,
                              const std::string& saved, const std::string& words) {
  EnvironmentOptions options = Options(kwargs);
  options.external.exact = true;
  const Status status = Restore(**TryMake(plugin, options), saved);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(fmt::format("lib{}.so", plugin)), HasSubstr("does not repeat itself"),
                    HasSubstr(words)));
  const auto other = Make(plugin, kwargs, 2);
  ASSERT_TRUE(Restore(*other, saved).ok());
  Frame frame(*other);
  EXPECT_TRUE(IsEpisodeLost(other->Await())) << other->Await();
  EXPECT_TRUE(IsEpisodeLost(other->Step(0, frame.span()).status()));
  // A second restore before the next episode says the same.
  const auto again = Make(plugin, kwargs, 3);
  ASSERT_TRUE(Restore(*again, Saved(*other)).ok());
  EXPECT_TRUE(IsEpisodeLost(again->Await()));
  ASSERT_TRUE(again->Reset(frame.span()).ok());
  EXPECT_TRUE(again->Await().ok());
}

std::string SavedWithin(std::string_view plugin, const std::string& kwargs) {
  const auto environment = Make(plugin, kwargs);
  EXPECT_EQ(Play(*environment, 1, 15).back().step.step_type, StepType::kMid);
  return Saved(*environment);
}

TEST(ResumeByReplayTest, EnvironmentThatDoesNotRepeatItself) {
  const std::string kwargs = R"({"forget":1})";
  ExpectRefusedOrBegunAnew("test_plugin", kwargs, SavedWithin("test_plugin", kwargs),
                           "it showed something else");
}

TEST(ResumeByReplayTest, EpisodeThatEndsEarlierOrFails) {
  const std::string saved = SavedWithin("test_plugin", R"({"length":20})");
  ExpectRefusedOrBegunAnew("test_plugin", R"({"length":10})", saved, "its episode ended earlier");
  ExpectRefusedOrBegunAnew("test_plugin", R"({"length":20,"fail_at":3})", saved, "out of fuel");
}

TEST(ResumeByReplayTest, EpisodeOfAnEnvironmentThatIsNotDeterministic) {
  ExpectRefusedOrBegunAnew("test_plugin_not_deterministic", "{}",
                           SavedWithin("test_plugin_not_deterministic", "{}"),
                           "not in the checkpoint");
}

TEST(ResumeTest, TheEpisodeAfterALostOneHasTheSeedThatItWouldHaveHad) {
  const auto environment = Make("test_plugin_not_deterministic");
  Play(*environment, 1, 15);
  const auto other = Make("test_plugin_not_deterministic", "{}", 2);
  ASSERT_TRUE(Restore(*other, Saved(*environment)).ok());
  EXPECT_EQ(Play(*other, 1, 10), Play(*environment, 1, 10));
}

TEST(ResumeTest, StateThatCannotBeSavedEndsTheRun) {
  const auto environment = Make("test_plugin_state", R"({"save_fails":1})");
  Play(*environment, 1, 5);
  const std::string saved = Saved(*environment);
  Frame frame(*environment);
  EXPECT_THAT(std::string(environment->Step(0, frame.span()).status().message()),
              HasSubstr("state_size gave 1099511627776; expected at most"));
  EXPECT_TRUE(absl::IsDataLoss(Restore(*Make("test_plugin_state"), saved)));
}

TEST(ResumeTest, StateOfAPluginThatNoLongerSavesItIsRefused) {
  const auto environment = Make("test_plugin_state");
  Play(*environment, 1, 5);
  const Status status = Restore(*Make("test_plugin"), Saved(*environment));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no longer has"));
}

class ExampleTest : public testing::TestWithParam<const char*> {};

TEST_P(ExampleTest, RandomPlayAndResume) {
  const auto environment = Make(GetParam());
  const std::vector<Shown> shown = Play(*environment, 1, 2000);
  ASSERT_EQ(shown.size(), 2000U);
  const bool reset = shown.back().step.last();
  const auto restored = Make(GetParam());
  ASSERT_TRUE(Restore(*restored, Saved(*environment)).ok());
  EXPECT_EQ(Play(*restored, 2, 500, reset), Play(*environment, 2, 500, reset));
  int episodes = 0;
  for (const Shown& step : shown) episodes += step.step.last() ? 1 : 0;
  EXPECT_GT(episodes, 5);
}

#if defined(GORILA_RUST)
INSTANTIATE_TEST_SUITE_P(Plugins, ExampleTest, testing::Values("maze", "paddle", "maze_rust"));

TEST(ExampleTest, MazesInCAndRustAreTheSame) {
  const auto c = Make("maze", R"({"max_steps": 30})");
  const auto rust = Make("maze_rust", R"({"max_steps": 30})");
  EXPECT_EQ(c->spec().action_names, rust->spec().action_names);
  EXPECT_EQ(Play(*c, 1, 2000), Play(*rust, 1, 2000));
}
#else
INSTANTIATE_TEST_SUITE_P(Plugins, ExampleTest, testing::Values("maze", "paddle"));
#endif

TEST(ExampleOptionsTest, OptionThatCannotBeIsBadInput) {
  std::vector<std::string> mazes = {"maze"};
#if defined(GORILA_RUST)
  mazes.emplace_back("maze_rust");
#endif
  for (const std::string& maze : mazes) {
    const Status status = TryMake(maze, Options(R"({"max_steps": "many"})")).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("max_steps must be a number"));
  }
}

TEST(ExampleOptionsTest, PaddleDrawsItsPicture) {
  const auto paddle = Make("paddle");
  Play(*paddle, 1, 3);
  RgbImage image;
  ASSERT_TRUE(paddle->Render(image).ok());
  EXPECT_EQ(image.pixels.size(), 3U * 160 * 160);
  EXPECT_GE(std::set(image.pixels.begin(), image.pixels.end()).size(), 4U);
}

}  // namespace
}  // namespace gorila
