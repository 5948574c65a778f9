#include "gorila/evaluation/environment_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "gorila/env/external/external_factory.h"

namespace gorila {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What an environment of these tests is like.
struct Script {
  int terminates_after = 5;  // steps; 0 = never
  int truncates_after = 7;   // likewise; every third episode gets so far
  float reward = 1;          // times 0 to 6
  float value = 1;           // of observations, likewise
  bool same_observation = false;
  bool unseeded = false;         // shows numbers that no seed decides
  bool shared = false;           // all draw from one generator
  bool forgets = false;          // its state lacks a number
  bool draws_on_render = false;  // a picture changes what follows
  bool own_picture = true;
  bool picture_fails = false;
  int fails_at = 0;  // step of an environment's life at which Step gives an error
  int loses_at = 0;  // likewise, EpisodeLost
};

int shared_number = 0;
int lives = 0;

class Scripted final : public Environment {
 public:
  Scripted(const Script& script, std::unique_ptr<DrawSource> draws)
      : script_(script), draws_(std::move(draws)), life_(++lives) {
    spec_.name = "test/scripted";
    spec_.observation = {.channels = 2, .element = ElementType::kFloat32};
    spec_.action_names = {"LEFT", "RIGHT"};
  }

  const EnvironmentSpec& spec() const override { return spec_; }

  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override {
    if (script_.shared) shared_number = draws_->Integer(0, 1000);
    steps_ = 0;
    ++episodes_;
    Show(observation);
    return TimeStep{};
  }

  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override {
    ++total_;
    ++steps_;
    hidden_ += action;
    if (total_ == script_.fails_at) return InvalidArgument("it went wrong");
    if (total_ == script_.loses_at) return EpisodeLost("its process died twice");
    Show(observation);
    const bool longer = episodes_ % 3 == 0;
    TimeStep step{.step_type = StepType::kMid,
                  .reward = script_.reward * static_cast<float>(hidden_ % 7)};
    if (!longer && steps_ == script_.terminates_after) {
      step.step_type = StepType::kLast;
      step.discount = 0;
    } else if (steps_ == script_.truncates_after) {
      step.step_type = StepType::kLast;
    }
    return step;
  }

  Status Render(RgbImage& image) override {
    if (script_.picture_fails) return Unavailable("no screen");
    if (script_.draws_on_render) ++hidden_;
    if (!script_.own_picture) return absl::UnimplementedError("none");
    image = {.width = 1, .height = 1, .pixels = {1, 2, 3}};
    return OkStatus();
  }

  void SaveState(StateWriter& writer) const override {
    draws_->SaveState(writer);
    writer.Write(steps_);
    writer.Write(episodes_);
    if (!script_.forgets) writer.Write(hidden_);
  }
  Status RestoreState(StateReader& reader) override {
    GORILA_RETURN_IF_ERROR(draws_->RestoreState(reader));
    GORILA_RETURN_IF_ERROR(reader.Read(steps_));
    GORILA_RETURN_IF_ERROR(reader.Read(episodes_));
    return script_.forgets ? OkStatus() : reader.Read(hidden_);
  }

 private:
  void Show(std::span<std::byte> observation) {
    if (script_.shared) shared_number = (shared_number * 17 + 3) % 1000;
    std::array<float, 2> values = {script_.value * static_cast<float>(hidden_ % 7), 0};
    if (script_.unseeded) values[1] = static_cast<float>(life_ % 7);
    if (script_.shared) values[1] = static_cast<float>(shared_number) / 1000;
    if (script_.same_observation) values = {};
    std::memcpy(observation.data(), values.data(), sizeof values);
  }

  const Script script_;
  const std::unique_ptr<DrawSource> draws_;
  EnvironmentSpec spec_;
  const int life_;
  int total_ = 0;
  int steps_ = 0;
  int episodes_ = 0;
  int hidden_ = 0;
};

class ScriptedFactory final : public ExternalFactory {
 public:
  ScriptedFactory(const Script& script, EnvironmentDetails details)
      : script_(script), details_(std::move(details)) {
    record_.observation = {.shape = {2}, .element = ElementType::kFloat32};
  }

  const EnvironmentRecord& record() const override { return record_; }
  EnvironmentDetails details() const override { return details_; }
  StatusOr<std::unique_ptr<Environment>> Make(std::unique_ptr<DrawSource> draws) override {
    return std::make_unique<Scripted>(script_, std::move(draws));
  }

 private:
  const Script script_;
  const EnvironmentDetails details_;
  EnvironmentRecord record_;
};

struct Checked {
  Verdict worst = Verdict::kOk;
  std::map<std::string, std::pair<Verdict, std::string>, std::less<>> lines;

  Verdict VerdictOf(std::string_view check) const {
    const auto found = lines.find(check);
    EXPECT_NE(found, lines.end()) << check;
    return found == lines.end() ? Verdict::kOk : found->second.first;
  }
  std::string Text(std::string_view check) const {
    const auto found = lines.find(check);
    return found == lines.end() ? "" : found->second.second;
  }
};

Checked RunCheck(CheckRequest request) {
  request.at_once = 3;
  request.limits = {.steps = 2000, .seconds = 1000};
  request.speed_seconds = 0.001;
  Checked checked;
  const StatusOr<Verdict> worst = CheckEnvironment(request, [&](const CheckLine& line) {
    checked.lines[std::string(line.check)] = {line.verdict, line.text};
  });
  EXPECT_TRUE(worst.ok()) << worst.status();
  checked.worst = worst.value_or(Verdict::kFailed);
  return checked;
}

Checked RunScript(const Script& script, const EnvironmentDetails& details = {}) {
  CheckRequest request;
  request.make = [&](bool) { return std::make_unique<ScriptedFactory>(script, details); };
  return RunCheck(std::move(request));
}

// The one check that does not find the environment in order.
void ExpectOnly(const Checked& checked, std::string_view check, Verdict verdict,
                const testing::Matcher<std::string>& text) {
  EXPECT_EQ(checked.worst, verdict);
  EXPECT_THAT(checked.Text(check), text);
  for (const auto& [name, line] : checked.lines) {
    EXPECT_EQ(line.first, name == check ? verdict : Verdict::kOk) << name << ": " << line.second;
  }
}

TEST(EnvironmentCheckTest, FindsAnEnvironmentInOrder) {
  const Checked checked = RunScript({}, {.versions = "python 3.11.2", .dtype = "float64"});
  EXPECT_EQ(checked.worst, Verdict::kOk);
  EXPECT_EQ(checked.lines.size(), 10U);
  EXPECT_THAT(checked.Text("what it is"),
              AllOf(HasSubstr("python 3.11.2"), HasSubstr("(2) of float64"),
                    HasSubstr("2 actions (LEFT, RIGHT)"), HasSubstr("2x1x1, floats")));
  EXPECT_THAT(checked.Text("episodes"), HasSubstr("of 5 to 7 steps"));
  EXPECT_THAT(checked.Text("episodes"), Not(HasSubstr("0 truncated")));
  EXPECT_THAT(checked.Text("rewards"), HasSubstr("0 to 6"));
  EXPECT_THAT(checked.Text("pictures"), HasSubstr("1x1, its own"));
}

TEST(EnvironmentCheckTest, FindsOurOwnGamesInOrder) {
  for (const char* const name : {"classic/cart_pole", "minatar/breakout", "pixel/breakout"}) {
    const Checked checked = RunCheck(MakeCheckRequest(name, {}));
    EXPECT_NE(checked.worst, Verdict::kFailed) << name;
    EXPECT_EQ(checked.VerdictOf("repeats itself"), Verdict::kOk) << name;
    EXPECT_EQ(checked.VerdictOf("save and restore"), Verdict::kOk) << name;
    EXPECT_THAT(checked.Text("pictures"), HasSubstr("its own")) << name;
    EXPECT_EQ(checked.lines.count("its process"), 0U) << name;
  }
}

TEST(EnvironmentCheckTest, WarnsOfIntegersThatFloatsCannotHold) {
  ExpectOnly(RunScript({}, {.versions = {}, .dtype = "int64"}), "what it is", Verdict::kWarning,
             HasSubstr("16,777,216"));
  EXPECT_EQ(RunScript({}, {.versions = {}, .dtype = "int16"}).worst, Verdict::kOk);
}

TEST(EnvironmentCheckTest, WarnsOfWhatNoSeedDecides) {
  const Checked checked = RunScript({.unseeded = true});
  EXPECT_EQ(checked.worst, Verdict::kWarning);
  EXPECT_THAT(checked.Text("repeats itself"), HasSubstr("from the same seed and actions"));
  EXPECT_EQ(checked.VerdictOf("save and restore"), Verdict::kWarning);
}

TEST(EnvironmentCheckTest, WarnsOfWhatEnvironmentsShare) {
  const Checked checked = RunScript({.shared = true});
  EXPECT_EQ(checked.worst, Verdict::kWarning);
  EXPECT_THAT(checked.Text("repeats itself"), HasSubstr("environment.per_worker=1"));
}

TEST(EnvironmentCheckTest, WarnsWhereNoEpisodeEnds) {
  ExpectOnly(RunScript({.terminates_after = 0, .truncates_after = 0}), "episodes",
             Verdict::kWarning, HasSubstr("environment.max_episode_steps"));
}

TEST(EnvironmentCheckTest, WarnsWhereOnlyOneOfTheTwoEndsWasSeen) {
  ExpectOnly(RunScript({.terminates_after = 0}), "episodes", Verdict::kWarning,
             HasSubstr("0 terminated"));
  ExpectOnly(RunScript({.truncates_after = 0}), "episodes", Verdict::kWarning,
             HasSubstr("0 truncated"));
}

TEST(EnvironmentCheckTest, WarnsOfRewardsAndObservationsThatAreHardToLearnFrom) {
  ExpectOnly(RunScript({.reward = 100}), "rewards", Verdict::kWarning,
             HasSubstr("learner.reward_clip"));
  ExpectOnly(RunScript({.reward = 0}), "rewards", Verdict::kWarning, HasSubstr("all 0"));
  ExpectOnly(RunScript({.value = -200}), "observations", Verdict::kWarning, HasSubstr("-10 to 10"));
  ExpectOnly(RunScript({.same_observation = true}), "observations", Verdict::kWarning,
             HasSubstr("all the same"));
}

TEST(EnvironmentCheckTest, FailsOnNumbersThatAreNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  ExpectOnly(RunScript({.reward = nan}), "random steps", Verdict::kFailed, HasSubstr("a reward"));
  ExpectOnly(RunScript({.value = nan}), "random steps", Verdict::kFailed,
             HasSubstr("an observation"));
}

TEST(EnvironmentCheckTest, FailsOnAStateThatLacksSomething) {
  ExpectOnly(RunScript({.forgets = true}), "save and restore", Verdict::kFailed,
             HasSubstr("restored in the middle"));
}

TEST(EnvironmentCheckTest, SaysWhatPicturesThereAre) {
  EXPECT_THAT(RunScript({.own_picture = false}).Text("pictures"), HasSubstr("none"));
  ExpectOnly(RunScript({.draws_on_render = true}), "pictures", Verdict::kWarning,
             HasSubstr("was not drawn"));
  const Checked failed = RunScript({.picture_fails = true});
  ExpectOnly(failed, "pictures", Verdict::kFailed, HasSubstr("no screen"));
  EXPECT_EQ(failed.lines.count("speed"), 0U) << "nothing after an error";
}

TEST(EnvironmentCheckTest, AnErrorIsAFailureAndTheLastCheck) {
  const Checked checked = RunScript({.fails_at = 300});
  ExpectOnly(checked, "random steps", Verdict::kFailed, HasSubstr("it went wrong"));
  EXPECT_EQ(checked.lines.count("episodes"), 0U);
}

TEST(EnvironmentCheckTest, DeathsOfItsProcessFailThoughTheyAreSurvived) {
  CheckRequest request;
  request.make = [](bool) {
    return std::make_unique<ScriptedFactory>(Script{.loses_at = 300}, EnvironmentDetails{});
  };
  int calls = 0;
  request.count_failures = [&calls] {
    ++calls;
    return calls == 1 ? WorkerCounters{.restarts = 2, .exceptions = 3, .lost_episodes = 4}
                      : WorkerCounters{.restarts = 3, .exceptions = 5, .lost_episodes = 7};
  };
  ExpectOnly(RunCheck(std::move(request)), "its process", Verdict::kFailed,
             HasSubstr("1 deaths or hangs, 2 exceptions, 3 episodes lost"));
}

TEST(EnvironmentCheckTest, WithoutAnEnvironmentThereIsNoVerdict) {
  const auto none = [](const CheckLine&) { ADD_FAILURE(); };
  EXPECT_TRUE(
      absl::IsInvalidArgument(CheckEnvironment(MakeCheckRequest("no/such", {}), none).status()));
}

}  // namespace
}  // namespace gorila
