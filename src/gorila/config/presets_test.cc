#include "gorila/config/presets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "gorila/base/file.h"
#include "gorila/config/config_keys.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;

TEST(PresetsTest, EveryPresetLoadsAndGoesTogether) {
  for (const Preset& preset : Presets()) {
    const StatusOr<Config> config = LoadPreset(preset.name);
    ASSERT_EQ(config.status(), OkStatus());
    EXPECT_EQ(CheckConfig(*config), OkStatus()) << preset.name;
  }
}

TEST(PresetsTest, TheDefaultComesFirst) { EXPECT_EQ(Presets().front().name, kDefaultPreset); }

TEST(PresetsTest, SummariesAreTheFirstCommentLines) {
  for (const Preset& preset : Presets()) {
    EXPECT_FALSE(preset.summary.empty()) << preset.name;
    EXPECT_TRUE(preset.text.starts_with(fmt::format("# {}\n", preset.summary))) << preset.name;
  }
}

TEST(PresetsTest, EveryFileOfTheFolderIsInTheProgram) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(GORILA_SOURCE_DIR "/configs")) {
    files.insert(entry.path().stem().string());
  }
  std::set<std::string> presets;
  for (const Preset& preset : Presets()) {
    presets.emplace(preset.name);
    const std::string path = fmt::format("{}/configs/{}.toml", GORILA_SOURCE_DIR, preset.name);
    EXPECT_EQ(ReadFile(path).value(), preset.text) << preset.name;
  }
  EXPECT_EQ(presets, files);
}

// Whether the line that sets `key` says where its value comes from.
bool HasNote(const Preset& preset, const ConfigKey& key) {
  const std::size_t section = preset.text.find(fmt::format("[{}]\n", key.section()));
  const std::size_t line = preset.text.find(fmt::format("\n{} = ", key.last_part()), section);
  const std::string_view rest = preset.text.substr(line + 1);
  return rest.substr(0, rest.find('\n')).find("  # ") != std::string_view::npos;
}

TEST(PresetsTest, HoldWhatDiffersFromTheirBaseOrSaysWhereItComesFrom) {
  for (const Preset& preset : Presets()) {
    const std::string base_name = BasePreset(preset.text, preset.name).value();
    EXPECT_EQ(base_name.empty(), preset.name == kDefaultPreset) << preset.name;
    const Config base = base_name.empty() ? Config() : LoadPreset(base_name).value();
    const Config config = LoadPreset(preset.name).value();
    const auto missing = MissingKeys(preset.text, preset.name).value();
    for (const ConfigKey& key : ConfigKeys()) {
      if (std::ranges::find(missing, key.name) != missing.end()) continue;
      EXPECT_TRUE(ValueText(key.field, config) != ValueText(key.field, base) ||
                  HasNote(preset, key))
          << preset.name << ": " << key.name << " is as in its base";
    }
  }
}

TEST(PresetsTest, UnknownNamesGetTheNearest) {
  const Status status = LoadPreset("minitar").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("unknown preset 'minitar'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'minatar'?"));
}

// Nair et al. 2015, section 5 ("Experiments") and what it takes over from DQN.
TEST(PresetsTest, GorilaHasThePapersNumbers) {
  const Config config = LoadPreset("gorila").value();
  EXPECT_EQ(config.run.bundles, 100);
  EXPECT_EQ(config.parameter_server.shards, 31);
  EXPECT_EQ(config.parameter_server.options.optimizer.name, "adagrad");
  EXPECT_EQ(config.parameter_server.options.target_period, 60000);
  EXPECT_EQ(config.actor.environments, 1);
  EXPECT_EQ(config.actor.options.refresh_every, 1);
  EXPECT_EQ(config.actor.options.exploration.epsilon_start, 1.0);
  EXPECT_EQ(config.actor.options.exploration.epsilon_end, 0.1);
  EXPECT_EQ(config.actor.options.exploration.epsilon_ticks, 1000000);
  EXPECT_EQ(config.actor.options.exploration.clock, ExplorationClock::kUpdates);
  EXPECT_EQ(config.replay.options.capacity, 1000000);
  EXPECT_EQ(config.replay.options.rate.updates_per_step, 1.0);
  EXPECT_EQ(config.learner.agent.algorithm, "dqn");
  EXPECT_EQ(config.learner.batch_size, 32);
  EXPECT_GT(config.learner.outliers.deviations, 0);
  EXPECT_EQ(config.replay.options.transition.n_step, 1);
  EXPECT_EQ(config.replay.options.transition.discount, 0.99);
  EXPECT_EQ(config.replay.options.transition.reward_clip, 1.0);
  EXPECT_EQ(config.evaluation.episodes, 30);
  EXPECT_TRUE(config.evaluation.best);
}

// Mnih et al. 2015, Extended Data Table 1, and the released code.
TEST(PresetsTest, DqnHasThePapersNumbers) {
  const Config config = LoadPreset("dqn").value();
  EXPECT_EQ(config.run.frames, 50000000);
  EXPECT_EQ(config.run.bundles, 1);
  EXPECT_EQ(config.parameter_server.shards, 1);
  EXPECT_EQ(config.actor.environments, 1);
  EXPECT_EQ(config.actor.options.refresh_every, 1);
  EXPECT_EQ(config.actor.options.exploration.epsilon_start, 1.0);
  EXPECT_EQ(config.actor.options.exploration.epsilon_end, 0.1);
  EXPECT_EQ(config.actor.options.exploration.epsilon_ticks, 1000000);
  EXPECT_EQ(config.actor.options.exploration.clock, ExplorationClock::kFrames);
  EXPECT_EQ(config.replay.options.capacity, 1000000);
  EXPECT_EQ(config.replay.options.rate.min_size, 50000);
  EXPECT_EQ(config.replay.options.rate.updates_per_step, 0.25);
  EXPECT_EQ(config.learner.agent.algorithm, "dqn");
  EXPECT_EQ(config.learner.agent.loss, TdErrorLoss::kHuber);
  EXPECT_EQ(config.learner.agent.reduction, BatchReduction::kSum);
  EXPECT_EQ(config.learner.batch_size, 32);
  EXPECT_EQ(config.learner.outliers.deviations, 0);
  EXPECT_EQ(config.replay.options.transition.n_step, 1);
  EXPECT_EQ(config.replay.options.transition.discount, 0.99);
  EXPECT_EQ(config.replay.options.transition.reward_clip, 1.0);
  const OptimizerOptions& optimizer = config.parameter_server.options.optimizer;
  EXPECT_EQ(optimizer.name, "rmsprop");
  EXPECT_EQ(optimizer.learning_rate, 0.00025);
  EXPECT_EQ(optimizer.decay, 0.95);
  EXPECT_EQ(optimizer.epsilon, 0.01);
  // A copy every 10,000 steps of the agent, which makes an update every 4 of them.
  EXPECT_EQ(config.parameter_server.options.target_period, 2500);
  EXPECT_EQ(config.evaluation.protocol, "noop30");
  EXPECT_TRUE(config.environment.options.minimal_actions);
  const AtariOptions& atari = config.environment.options.atari;
  EXPECT_EQ(atari.action_repeat, 4);
  EXPECT_EQ(atari.pooled_frames, 2);
  EXPECT_EQ(atari.maximum, ScreenMaximum::kColour);
  EXPECT_EQ(atari.screen_size, 84);
  EXPECT_EQ(atari.stack, 4);
  EXPECT_TRUE(atari.life_loss_ends_episode);
  EXPECT_EQ(atari.noop_max, 30);
  EXPECT_EQ(atari.repeat_action_probability, 0);
}

// Espeholt et al. 2018, Table G.1 and section 5.3.1.
TEST(PresetsTest, ImpalaHasThePapersNumbers) {
  const Config config = LoadPreset("impala").value();
  EXPECT_EQ(config.run.frames, 50000000);
  const AgentOptions& agent = config.learner.agent;
  EXPECT_EQ(agent.algorithm, "vtrace");
  EXPECT_EQ(agent.unroll, 20);
  EXPECT_EQ(config.learner.batch_size, 32);
  EXPECT_EQ(agent.reduction, BatchReduction::kSum);
  EXPECT_EQ(agent.entropy_cost, 0.01);
  EXPECT_EQ(agent.baseline_cost, 0.5);
  EXPECT_EQ(agent.rho_clip, 1);
  EXPECT_EQ(agent.trace_clip, 1);
  EXPECT_EQ(agent.trace_decay, 1);
  EXPECT_EQ(config.learner.gradient_norm, 40);
  EXPECT_EQ(config.learner.outliers.deviations, 0);
  EXPECT_EQ(config.actor.options.exploration.epsilon_start, 0);
  EXPECT_EQ(config.actor.options.exploration.epsilon_end, 0);
  const TransitionOptions& transition = config.replay.options.transition;
  EXPECT_EQ(transition.discount, 0.99);
  EXPECT_EQ(transition.reward_clip, 1);
  EXPECT_EQ(config.replay.options.selector.name, "queue");
  const OptimizerOptions& optimizer = config.parameter_server.options.optimizer;
  EXPECT_EQ(optimizer.name, "rmsprop_uncentred");
  EXPECT_EQ(optimizer.learning_rate, 6e-4);
  EXPECT_EQ(optimizer.learning_rate_end, 0);
  EXPECT_EQ(optimizer.decay, 0.99);
  EXPECT_EQ(optimizer.epsilon, 0.01);
  EXPECT_FALSE(config.environment.options.minimal_actions);
  EXPECT_TRUE(config.environment.options.atari.life_loss_ends_episode);
}

// Machado et al. 2018.
TEST(PresetsTest, StickyHasTheProtocolsNumbers) {
  const Config config = LoadPreset("sticky").value();
  const AtariOptions& atari = config.environment.options.atari;
  EXPECT_FALSE(config.environment.options.minimal_actions);
  EXPECT_EQ(atari.repeat_action_probability, 0.25);
  EXPECT_FALSE(atari.life_loss_ends_episode);
  EXPECT_EQ(atari.noop_max, 0);
  EXPECT_EQ(atari.max_frames, 18000);
  EXPECT_EQ(config.evaluation.protocol, "sticky");
}

// Young & Tian 2019.
TEST(PresetsTest, MinAtarDqnHasItsAuthorsNumbers) {
  const Config config = LoadPreset("minatar-dqn").value();
  EXPECT_EQ(config.run.frames, 5000000);
  EXPECT_EQ(config.run.bundles, 1);
  EXPECT_EQ(config.network.preset, "minatar_dqn");
  EXPECT_EQ(config.environment.options.sticky_actions, 0.1);
  EXPECT_FALSE(config.environment.options.minimal_actions);
  EXPECT_EQ(config.learner.batch_size, 32);
  EXPECT_EQ(config.learner.agent.loss, TdErrorLoss::kHuber);
  EXPECT_EQ(config.learner.agent.reduction, BatchReduction::kMean);
  EXPECT_EQ(config.replay.options.capacity, 100000);
  EXPECT_EQ(config.replay.options.rate.min_size, 5000);
  EXPECT_EQ(config.replay.options.rate.updates_per_step, 1.0);
  EXPECT_EQ(config.replay.options.transition.discount, 0.99);
  EXPECT_EQ(config.actor.options.exploration.epsilon_end, 0.1);
  EXPECT_EQ(config.actor.options.exploration.epsilon_ticks, 100000);
  EXPECT_EQ(config.parameter_server.options.target_period, 1000);
  const OptimizerOptions& optimizer = config.parameter_server.options.optimizer;
  EXPECT_EQ(optimizer.name, "rmsprop_momentum");
  EXPECT_EQ(optimizer.learning_rate, 0.00025);
  EXPECT_EQ(optimizer.decay, 0.95);
  EXPECT_EQ(optimizer.momentum, 0.95);
  EXPECT_EQ(optimizer.epsilon, 0.01);
}

}  // namespace
}  // namespace gorila
