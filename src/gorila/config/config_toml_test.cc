#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/config/config_keys.h"

namespace gorila {
namespace {

using ::testing::StartsWith;

std::string Error(std::string_view text) {
  Config config;
  const Status status = ApplyToml(config, text, "x.toml");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(status.message());
}

TEST(ApplyTomlTest, SetsWhatIsNamedAndKeepsTheRest) {
  Config config;
  config.run.bundles = 7;
  ASSERT_EQ(ApplyToml(config, "[run]\nframes = 12_000\n[learner]\nalgorithm = \"dqn\"\n", "x.toml"),
            OkStatus());
  EXPECT_EQ(config.run.frames, 12000);
  EXPECT_EQ(config.run.bundles, 7);
  EXPECT_EQ(config.learner.agent.algorithm, "dqn");
}

TEST(ApplyTomlTest, DottedKeysAreTheSameKeys) {
  Config config;
  ASSERT_EQ(ApplyToml(config, "run.frames = 5\nlearner.n_step = 3\n", "x.toml"), OkStatus());
  EXPECT_EQ(config.run.frames, 5);
  EXPECT_EQ(config.replay.options.transition.n_step, 3);
}

TEST(ApplyTomlTest, AnEmptyDocumentChangesNothing) {
  Config config;
  EXPECT_EQ(ApplyToml(config, "", "x.toml"), OkStatus());
  EXPECT_EQ(ToToml(config), ToToml(Config()));
}

TEST(ApplyTomlTest, ErrorsNameTheFileTheLineAndTheLikelyName) {
  EXPECT_EQ(Error("[learner]\nbatch_size = 16\nbach_size = 16\n"),
            "x.toml:3: unknown key 'learner.bach_size'; did you mean 'learner.batch_size'? 'gorila "
            "config' lists all");
  EXPECT_EQ(
      Error("[run]\nframes = 1\n\n[lerner]\nbatch_size = 16\n"),
      "x.toml:4: unknown section 'lerner'; did you mean 'learner'? 'gorila config' lists all");
  EXPECT_EQ(Error("batch_size = 16\n"),
            "x.toml:1: unknown key 'batch_size'; did you mean 'learner.batch_size'? 'gorila "
            "config' lists all");
  EXPECT_EQ(Error("learner = 16\n"), "x.toml:1: learner is 16; expected a section, [learner]");
}

TEST(ApplyTomlTest, ValuesThatAreNotAllowedAreNamedWithTheirLine) {
  EXPECT_EQ(Error("[learner]\nbatch_size = \"32\"\n"),
            "x.toml:2: learner.batch_size is '32'; expected an integer from 1 to 65536");
  EXPECT_EQ(Error("[learner]\n\ndiscount = nan\n"),
            "x.toml:3: learner.discount is nan; expected a number from 0 to 1");
  EXPECT_EQ(Error("[learner]\nreduction = \"average\"\n"),
            "x.toml:2: learner.reduction is 'average'; expected one of mean, sum");
  EXPECT_THAT(Error("[run.frames]\nx = 1\n"), StartsWith("x.toml:1: run.frames is "));
}

TEST(ApplyTomlTest, SyntaxErrorsNameTheirLine) {
  EXPECT_THAT(Error("[run]\nframes = \n"), StartsWith("x.toml:2: not TOML: "));
  EXPECT_THAT(Error("[run]\nframes = 1\nframes = 2\n"), StartsWith("x.toml:3: not TOML: "));
  EXPECT_THAT(Error("[run]\nseconds = \xff\n"), StartsWith("x.toml:2: not TOML: "));
}

TEST(ApplyTomlTest, OneErrorLeavesEverythingUnchanged) {
  Config config;
  EXPECT_FALSE(ApplyToml(config, "[actor]\nenvironments = 3\n[run]\nframes = 0\n", "x").ok());
  EXPECT_EQ(ToToml(config), ToToml(Config()));
}

TEST(BasePresetTest, IsTheNameAtTheTop) {
  EXPECT_EQ(BasePreset("preset = \"dqn\"\n[run]\nframes = 1\n", "x.toml").value(), "dqn");
  EXPECT_EQ(BasePreset("[run]\nframes = 1\n", "x.toml").value(), "");
}

TEST(BasePresetTest, MustBeAName) {
  EXPECT_EQ(BasePreset("\npreset = 3\n", "x.toml").status().message(),
            "x.toml:2: preset is 3; expected the name of a preset");
  EXPECT_FALSE(BasePreset("preset = \"\"\n", "x.toml").ok());
}

}  // namespace
}  // namespace gorila
