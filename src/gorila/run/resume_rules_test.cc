#include "gorila/run/resume_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>

#include "gorila/base/file.h"
#include "gorila/config/config_keys.h"
#include "gorila/run/run_directory.h"

namespace gorila {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Another allowed value of a key, as text.
struct Other {
  const Config& config;

  std::string operator()(const IntegerField& field) const {
    const std::int64_t value = field.get(config);
    return std::to_string(value == field.low ? field.low + 1 : value - 1);
  }
  std::string operator()(const RealField& field) const {
    if (field.range.high <= 0) return field.get(config) == -0.5 ? "-0.25" : "-0.5";
    return field.get(config) == 0.5 ? "0.25" : "0.5";
  }
  std::string operator()(const BooleanField& field) const {
    return field.get(config) ? "false" : "true";
  }
  std::string operator()(const NameField& field) const {
    if (field.choices == nullptr) return "another";
    for (const std::string_view name : field.choices()) {
      if (name != field.get(config)) return std::string(name);
    }
    return "";
  }
  std::string operator()(const TextField&) const { return "another"; }
  std::string operator()(const HiddenLayersField&) const { return "[77]"; }
  std::string operator()(const ConvolutionsField&) const { return "[[7, 7, 7]]"; }
};

Config ConfigWithReplays() {
  Config config;
  config.run.bundles = 2;
  config.cluster = {.actors = 1, .learners = 1, .replays = 1};
  return config;
}

class ResumeRulesTest : public testing::TestWithParam<RunKind> {};

TEST(ResumeRulesTest, EveryKeyIsClassified) {
  for (const ConfigKey& key : ConfigKeys()) EXPECT_TRUE(ResumeRuleOf(key.name).ok()) << key.name;
  EXPECT_FALSE(ResumeRuleOf("run.nothing").ok());
}

TEST_P(ResumeRulesTest, AKeyThatTheStateDependsOnIsRefusedByNameAndAFreeOneIsNot) {
  const Config before = ConfigWithReplays();
  const MadeWith made_with = StateKeys(before, GetParam());
  for (const ConfigKey& key : ConfigKeys()) {
    Config after = before;
    const std::string value =
        key.name == "learner.algorithm" ? "c51" : std::visit(Other{before}, key.field);
    ASSERT_TRUE(SetConfigValue(after, key.name, value).ok()) << key.name << " = " << value;
    const Status status = CheckResumable(made_with, after, "the checkpoint");
    if (!made_with.contains(key.name)) {
      EXPECT_TRUE(status.ok()) << status;
      continue;
    }
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << key.name;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(key.name), HasSubstr(made_with.find(key.name)->second),
                      HasSubstr("the checkpoint"), HasSubstr("start a new run")));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ResumeRulesTest,
                         testing::Values(RunKind::kTrained, RunKind::kLaunched));

TEST(ResumeRulesTest, ALaunchedRunMayHaveOtherBundlesAndATrainedOneOtherShards) {
  const Config config;
  EXPECT_FALSE(StateKeys(config, RunKind::kLaunched).contains("run.bundles"));
  EXPECT_TRUE(StateKeys(config, RunKind::kLaunched).contains("parameter_server.shards"));
  EXPECT_TRUE(StateKeys(config, RunKind::kTrained).contains("run.bundles"));
  EXPECT_FALSE(StateKeys(config, RunKind::kTrained).contains("parameter_server.shards"));
}

TEST(ResumeRulesTest, ReplayKeysAreFreeWhereNoReplayIsSaved) {
  Config config;
  EXPECT_TRUE(StateKeys(config, RunKind::kTrained).contains("replay.capacity"));
  EXPECT_FALSE(StateKeys(config, RunKind::kLaunched).contains("replay.capacity"));
  config.checkpoint.replay = false;
  EXPECT_FALSE(StateKeys(config, RunKind::kTrained).contains("replay.capacity"));
}

// Replay shards keep their rows; the memories of bundles begin anew.
TEST(ResumeRulesTest, FurtherGamesFreeTheKeysOfTheReplayMemoryInATrainedRunOnly) {
  const Config before = ConfigWithReplays();
  const MadeWith launched = StateKeys(before, RunKind::kLaunched);
  const MadeWith trained = StateKeys(before, RunKind::kTrained);
  Config games = before;
  games.environment.name += ",minatar/asterix";
  EXPECT_TRUE(CheckResumable(launched, games, "it", FurtherGames::kOfLaunched).ok());
  EXPECT_TRUE(CheckResumable(trained, games, "it", FurtherGames::kOfTrained).ok());
  for (const auto& [key, value] :
       {std::pair("replay.selector", "prioritized"), std::pair("learner.n_step", "7")}) {
    Config config = games;
    ASSERT_TRUE(SetConfigValue(config, key, value).ok());
    EXPECT_TRUE(CheckResumable(trained, config, "it", FurtherGames::kOfTrained).ok()) << key;
    const Status status = CheckResumable(launched, config, "it", FurtherGames::kOfLaunched);
    EXPECT_THAT(std::string(status.message()), HasSubstr(fmt::format("{} is ", key)));
  }
}

Status ChangeAlgorithm(const std::string& before, const std::string& after, bool dueling) {
  Config config;
  config.learner.agent.dueling = dueling;
  config.learner.agent.algorithm = before;
  const MadeWith made_with = StateKeys(config, RunKind::kTrained);
  config.learner.agent.algorithm = after;
  return CheckResumable(made_with, config, "the checkpoint");
}

// Dueling heads of both have the same names and shapes.
TEST(ResumeRulesTest, AnAlgorithmOfOtherOutputsIsRefusedAndOneOfTheSameIsNot) {
  for (const bool dueling : {false, true}) {
    const Status status = ChangeAlgorithm("c51", "qr_dqn", dueling);
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("learner.algorithm is \"qr_dqn\""), HasSubstr("made with \"c51\""),
                      HasSubstr("expected c51, or start a new run")));
    EXPECT_FALSE(ChangeAlgorithm("dqn", "iqn", dueling).ok());
    EXPECT_FALSE(ChangeAlgorithm("qr_dqn", "c51", dueling).ok());
    EXPECT_FALSE(ChangeAlgorithm("dqn", "c51", dueling).ok());
    EXPECT_FALSE(ChangeAlgorithm("vtrace", "dqn", dueling).ok());
    EXPECT_TRUE(ChangeAlgorithm("dqn", "double_dqn", dueling).ok());
    EXPECT_TRUE(ChangeAlgorithm("double_dqn", "munchausen", dueling).ok());
    EXPECT_TRUE(ChangeAlgorithm("c51", "c51", dueling).ok());
  }
}

TEST(ResumeRulesTest, AnAutomaticNumberOfShardsIsTheNumberThatThereIs) {
  Config config;
  config.parameter_server.shards = 0;
  const MadeWith made_with = StateKeys(config, RunKind::kLaunched);
  Config same = config;
  same.parameter_server.shards = NumberOfShards(config);
  EXPECT_TRUE(CheckResumable(made_with, same, "it").ok());
}

// The table of docs/operations.md.
std::string ResumeTable() {
  struct Group {
    ResumeRule rule;
    const char* why;
  };
  constexpr std::array kGroups = {
      Group{ResumeRule::kTask,
            "another task; games may be added ([games.md](games.md#adding-a-game))"},
      Group{ResumeRule::kNetwork, "parameters of other shapes or another meaning"},
      Group{
          ResumeRule::kAlgorithm,
          "other outputs of the network; free among algorithms that agree on them, such as `dqn`, "
          "`double_dqn` and `munchausen`"},
      Group{ResumeRule::kOptimizer, "another optimizer state"},
      Group{ResumeRule::kStart, "they take effect only when a run starts"},
      Group{ResumeRule::kReplay, "the replay memory; free where none is saved"},
      Group{ResumeRule::kBundles, "the state of bundles; free in a launched run"},
      Group{ResumeRule::kShards, "the servers' snapshots; free in a trained run"},
  };
  std::string table = "| keys | why |\n|---|---|\n";
  for (const Group& group : kGroups) {
    std::vector<std::string> keys;
    for (const ConfigKey& key : ConfigKeys()) {
      if (ResumeRuleOf(key.name).value() == group.rule)
        keys.push_back(fmt::format("`{}`", key.name));
    }
    table += fmt::format("| {} | {} |\n", fmt::join(keys, ", "), group.why);
  }
  return table;
}

TEST(OperationsPageTest, NamesEveryKeyThatAResumeMayNotChange) {
  const std::string page = ReadFile(GORILA_SOURCE_DIR "/docs/operations.md").value();
  const std::string table = ResumeTable();
  if (page.find("\n" + table + "\n") != std::string::npos) return;
  const auto path = std::filesystem::path(testing::TempDir()) / "resume_table.md";
  ASSERT_EQ(WriteFileAtomically(path, table), OkStatus());
  FAIL() << "the table of docs/operations.md is out of date; replace it by " << path;
}

}  // namespace
}  // namespace gorila
