#include "gorila/config/config_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/base/file.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/presets.h"

namespace gorila {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

std::filesystem::path FileWith(std::string_view name, std::string_view text) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / name;
  EXPECT_EQ(WriteFileAtomically(path, text), OkStatus());
  return path;
}

std::string LoadError(const ConfigSources& sources) {
  const StatusOr<Config> config = LoadConfig(sources);
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(config.status().message());
}

TEST(LoadConfigTest, NothingGivenIsTheDefaultPreset) {
  EXPECT_EQ(ToToml(LoadConfig({}).value()), ToToml(LoadPreset(kDefaultPreset).value()));
}

TEST(LoadConfigTest, SetsOverrideTheFileWhichOverridesThePreset) {
  const auto file = FileWith("overrides.toml", "[run]\nframes = 10\nbundles = 3\nseed = 4\n");
  const Config config =
      LoadConfig({.preset = "dqn", .file = file, .sets = {"run.seed=5", "run.seed = 6"}}).value();
  Config expected = LoadPreset("dqn").value();
  expected.run.frames = 10;
  expected.run.bundles = 3;
  expected.run.seed = 6;
  EXPECT_EQ(ToToml(config), ToToml(expected));
}

TEST(LoadConfigTest, AFileMayNameItsPreset) {
  const auto file = FileWith("gorila_based.toml", "preset = \"gorila\"\n[run]\nbundles = 3\n");
  Config expected = LoadPreset("gorila").value();
  expected.run.bundles = 3;
  EXPECT_EQ(ToToml(LoadConfig({.file = file}).value()), ToToml(expected));
  EXPECT_EQ(ToToml(LoadConfig({.preset = "gorila", .file = file}).value()), ToToml(expected));
}

TEST(LoadConfigTest, TwoDifferentPresetsAreRefused) {
  const auto file = FileWith("two_presets.toml", "preset = \"gorila\"\n");
  EXPECT_EQ(LoadError({.preset = "dqn", .file = file}),
            "preset 'dqn' was asked for, but " + file.string() +
                " starts from preset 'gorila'; expected one");
}

TEST(LoadConfigTest, AResolvedConfigurationLoadsAsItWas) {
  Config config = LoadPreset("minatar-long").value();
  config.run.seed = 12345;
  const auto file = FileWith("resolved.toml", ToToml(config));
  EXPECT_EQ(ToToml(LoadConfig({.file = file}).value()), ToToml(config));
  EXPECT_EQ(ToToml(LoadConfig({.preset = "gorila", .file = file}).value()), ToToml(config));
}

TEST(LoadConfigTest, ErrorsNameTheirSource) {
  const auto file = FileWith("broken.toml", "[learner]\nbach_size = 1\n");
  EXPECT_EQ(LoadError({.file = file}), file.string() +
                                           ":2: unknown key 'learner.bach_size'; did you mean "
                                           "'learner.batch_size'? 'gorila config' lists all");
  EXPECT_EQ(LoadError({.sets = {"learner.bach_size=1"}}),
            "--set: unknown key 'learner.bach_size'; did you mean 'learner.batch_size'? 'gorila "
            "config' lists all");
  EXPECT_EQ(LoadError({.sets = {"run.frames"}}), "--set 'run.frames'; expected section.key=value");
  EXPECT_THAT(LoadError({.preset = "gorilla"}),
              EndsWith("did you mean 'gorila'? 'gorila train --help' lists all"));
}

// Without the lines that set the key and comment on it.
std::string Without(std::string text, std::string_view last_part) {
  const std::size_t line = text.find(fmt::format("\n{} = ", last_part)) + 1;
  return text.erase(line, text.find('\n', line) + 1 - line);
}

std::string ChangedConfigText() {
  Config config = LoadPreset("minatar").value();
  config.parameter_server.options.optimizer.learning_rate = 0.002;
  return RunConfigText(config);
}

TEST(LoadRunConfigTest, LoadsWhatARunHasWritten) {
  const std::string text = ChangedConfigText();
  EXPECT_EQ(RunConfigText(LoadRunConfig(FileWith("run.toml", text)).value()), text);
  EXPECT_EQ(RunConfigText(LoadConfig({.file = FileWith("run.toml", text)}).value()), text);
}

TEST(LoadRunConfigTest, WhereverItIsCutOffItIsRefused) {
  const std::string whole = ChangedConfigText();
  const std::string of_earlier_version = whole.substr(whole.find("\n\n") + 2);
  for (const std::string& text : {whole, of_earlier_version}) {
    ASSERT_TRUE(LoadRunConfig(FileWith("cut.toml", text)).ok());
    for (std::size_t size = 0; size < text.size(); size += size + 320 < text.size() ? 293 : 9) {
      EXPECT_FALSE(LoadRunConfig(FileWith("cut.toml", text.substr(0, size))).ok()) << size;
    }
  }
}

TEST(LoadRunConfigTest, AMissingKeyIsNamed) {
  const auto file = FileWith("lacks.toml", Without(ChangedConfigText(), "learning_rate"));
  for (const Status& status : {LoadRunConfig(file).status(), LoadConfig({.file = file}).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr("'optimizer.learning_rate' is missing"));
  }
}

TEST(LoadRunConfigTest, ARunOfAnEarlierVersionMayLackKeysThatItDidNotHave) {
  const std::string text = ChangedConfigText();
  const std::size_t keys = ConfigKeys().size();
  std::string counted = Without(text, "shared_memory");
  counted.replace(counted.find(std::to_string(keys)), std::to_string(keys).size(),
                  std::to_string(keys - 1));
  const std::string uncounted = Without(text.substr(text.find("\n\n") + 2), "shared_memory");
  for (const std::string& earlier : {counted, uncounted}) {
    const auto config = LoadRunConfig(FileWith("earlier.toml", earlier));
    ASSERT_TRUE(config.ok()) << config.status();
    EXPECT_EQ(RunConfigText(*config), text);
  }
}

TEST(LoadConfigTest, AMissingFileIsNotFound) {
  const auto file = std::filesystem::path(testing::TempDir()) / "there_is_no_such_file.toml";
  const StatusOr<Config> config = LoadConfig({.file = file});
  EXPECT_EQ(config.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(config.status().message()), HasSubstr("there_is_no_such_file.toml"));
}

}  // namespace
}  // namespace gorila
