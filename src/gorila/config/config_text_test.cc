#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "gorila/base/file.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/presets.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;

TEST(ToTomlTest, CommentsEveryKeyWithMeaningPaperAndWhatIsAllowed) {
  const std::string text = ToToml(Config());
  EXPECT_THAT(text, HasSubstr("[learner]\n"));
  EXPECT_THAT(text, HasSubstr("# Transitions, with vtrace unrolls, in a minibatch.\n"
                              "# DQN: 32.\n"
                              "# Allowed: an integer from 1 to 65536.\n"
                              "batch_size = 32\n"));
}

TEST(ToTomlTest, RealNumbersAreShortAndHaveAPoint) {
  Config config;
  config.replay.options.transition.discount = 0.1 + 0.2;
  config.run.seconds = 60;
  const std::string text = ToToml(config);
  EXPECT_THAT(text, HasSubstr("\ndiscount = 0.30000000000000004\n"));
  EXPECT_THAT(text, HasSubstr("\nseconds = 60.0\n"));
  EXPECT_THAT(text, HasSubstr("\nlearning_rate = 0.0005\n"));
}

TEST(ConfigurationPageTest, HasEveryKey) {
  const std::string page = ReadFile(GORILA_SOURCE_DIR "/docs/configuration.md").value();
  const std::string tables = ConfigMarkdown();
  if (page.find(tables) != std::string::npos) return;
  const auto path = std::filesystem::path(testing::TempDir()) / "configuration_tables.md";
  ASSERT_EQ(WriteFileAtomically(path, tables), OkStatus());
  FAIL() << "the tables of docs/configuration.md are out of date; replace them by " << path;
}

TEST(ConfigurationPageTest, HasEveryPreset) {
  const std::string page = ReadFile(GORILA_SOURCE_DIR "/docs/configuration.md").value();
  for (const Preset& preset : Presets()) {
    EXPECT_THAT(page, HasSubstr(fmt::format("| `{}` | {} |", preset.name, preset.summary)));
  }
}

}  // namespace
}  // namespace gorila
