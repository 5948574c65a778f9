#include "gorila/run/initial_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "gorila/base/file.h"
#include "gorila/config/config_load.h"
#include "gorila/config/resolve.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_checkpoint.h"
#include "gorila/run/run_results.h"
#include "gorila/run/testing.h"
#include "gorila/run/trainer.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

ParameterLayout LayoutOf(const Config& config) {
  return MakeParameterLayout(ResolveNetwork(config).value());
}

Config OneGame(const std::string& game) {
  Config config = testing_config::SmallConfig();
  config.environment.name = game;
  return config;
}

Config SeveralGames(const std::string& games, GameHeads heads = GameHeads::kPerGame) {
  Config config = OneGame(games);
  config.network.heads = heads;
  return config;
}

class InitialNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) / fmt::format("initial_network_test-{}", ::getpid());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  // A network whose i-th value is i + `first`.
  fs::path WriteNetwork(const std::string& name, const Config& config, float first = 0) {
    const ParameterLayout layout = LayoutOf(config);
    std::vector<float> values(layout.size);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i);
    const fs::path path = root_ / name;
    EXPECT_TRUE(
        WriteFileAtomically(
            path, EncodeParameters(layout, values,
                                   {{"environment", config.environment.name}, {"frames", "4000"}})
                      .value())
            .ok());
    return path;
  }

  static Config From(Config config, const fs::path& source) {
    config.network.init_from = source.string();
    return config;
  }

  static std::vector<float> Compose(Config config) {
    EXPECT_TRUE(RecordInitialNetwork(config).ok());
    return *ComposeInitialNetwork(config, LayoutOf(config)).value();
  }

  // The values of one tensor of the network.
  static std::vector<float> Tensor(const Config& config, const std::vector<float>& all,
                                   const std::string& name) {
    for (const ParameterTensor& tensor : LayoutOf(config).tensors) {
      if (tensor.name != name) continue;
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(tensor.offset);
      return {begin, begin + static_cast<std::ptrdiff_t>(tensor.size)};
    }
    ADD_FAILURE() << "no tensor " << name;
    return {};
  }

  fs::path root_;
};

TEST_F(InitialNetworkTest, WithoutASourceNothingIsReadOrSaid) {
  Config config = OneGame("classic/catch");
  EXPECT_THAT(RecordInitialNetwork(config).value(), IsEmpty());
  EXPECT_FALSE(StoreInitialNetwork(config, LayoutOf(config), root_).value().has_value());
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(InitialNetworkTest, ANetworkOfTheSameLayersIsTakenWhole) {
  const Config config = OneGame("classic/catch");
  const fs::path source = WriteNetwork("source.safetensors", config);
  Config from = From(config, source);
  EXPECT_THAT(RecordInitialNetwork(from).value(),
              ElementsAre(AllOf(HasSubstr(source.string()), HasSubstr("4000 frames"),
                                HasSubstr("4 of 4 tensors"))));
  EXPECT_THAT(from.network.init_record, AllOf(HasSubstr("crc32:"), HasSubstr(source.string())));
  const std::vector<float> values = Compose(from);
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(values[i], static_cast<float>(i));
}

// Dueling heads of c51 and qr_dqn have the same names and shapes.
TEST_F(InitialNetworkTest, OutputsOfAnAlgorithmThatMeansAnotherThingByThemAreWarnedAbout) {
  Config config = OneGame("classic/catch");
  config.learner.agent.dueling = true;
  config.learner.agent.algorithm = "c51";
  fs::create_directories(root_ / "run" / "kept");
  ASSERT_TRUE(WriteFileAtomically(root_ / "run" / "config.toml", RunConfigText(config)).ok());
  for (const char* const file : {"run/final.safetensors", "run/kept/x.safetensors"}) {
    Config same = From(config, WriteNetwork(file, config));
    EXPECT_THAT(RecordInitialNetwork(same).value(), SizeIs(1)) << file;
    Config other = same;
    other.learner.agent.algorithm = "qr_dqn";
    EXPECT_THAT(RecordInitialNetwork(other).value(),
                ElementsAre(HasSubstr("6 of 6 tensors"),
                            AllOf(HasSubstr("learner.algorithm is qr_dqn"),
                                  HasSubstr("trained with c51"), HasSubstr("expected c51"))));
    other.learner.agent.dueling = false;  // then no layer of outputs is taken
    EXPECT_THAT(RecordInitialNetwork(other).value(), SizeIs(2));
  }
}

TEST_F(InitialNetworkTest, LayersThatDoNotFitAreNamedWithBothShapesAndBeginAnew) {
  const Config config = OneGame("classic/catch");
  Config dueling = From(config, WriteNetwork("source.safetensors", config));
  dueling.learner.agent.dueling = true;
  const auto lines = RecordInitialNetwork(dueling).value();
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("2 of 6 tensors"));
  EXPECT_THAT(lines[1],
              AllOf(HasSubstr("value.weight not there, [1, 16] here"), Not(HasSubstr("fc1"))));
  const std::vector<float> values = Compose(dueling);
  EXPECT_EQ(Tensor(dueling, values, "fc1.weight")[5], 5);
  Config fresh = dueling;
  fresh.network.init_from = "none";
  EXPECT_EQ(Tensor(dueling, values, "value.weight"),
            Tensor(dueling, RunInitialParameters(fresh, LayoutOf(fresh)), "value.weight"));
}

TEST_F(InitialNetworkTest, OtherShapesNoiseAndAtomsBeginAnew) {
  const Config config = OneGame("classic/catch");
  Config other = From(config, WriteNetwork("source.safetensors", config));
  other.learner.agent.noise = 0.5;
  EXPECT_THAT(RecordInitialNetwork(other).value()[1], HasSubstr("fc1.weight_sigma not there"));
  other.learner.agent.noise = 0;
  other.learner.agent.algorithm = "c51";
  EXPECT_THAT(RecordInitialNetwork(other).value()[1], HasSubstr("logits.weight not there"));
  Config fewer = From(other, WriteNetwork("c51.safetensors", other));
  fewer.learner.agent.atoms = 11;
  EXPECT_THAT(RecordInitialNetwork(fewer).value()[1],
              HasSubstr("logits.weight [153, 16] there, [33, 16] here"));
}

TEST_F(InitialNetworkTest, WhereNothingFitsItIsAnError) {
  const Config config = OneGame("classic/catch");
  Config wide = From(config, WriteNetwork("source.safetensors", config));
  wide.network.hidden = {8, 4};
  wide.environment.name = "classic/cart_pole";
  const Status status = RecordInitialNetwork(wide).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("network.init_from"), HasSubstr("source.safetensors"),
                    HasSubstr("fc1.weight ["), HasSubstr("[8, 4] here")));
  EXPECT_FALSE(Trainer::Start(wide, root_ / "run").ok());
  EXPECT_FALSE(fs::exists(root_ / "run"));
}

TEST_F(InitialNetworkTest, WhatCannotBeReadIsNamed) {
  const Config config = OneGame("classic/catch");
  Config from = From(config, root_ / "nowhere");
  EXPECT_TRUE(absl::IsNotFound(RecordInitialNetwork(from).status()));
  std::ofstream(root_ / "text.safetensors") << "text";
  from = From(config, root_ / "text.safetensors");
  EXPECT_THAT(std::string(RecordInitialNetwork(from).status().message()),
              AllOf(HasSubstr("network.init_from"), HasSubstr("text.safetensors")));
  from = From(config, root_);
  EXPECT_THAT(std::string(RecordInitialNetwork(from).status().message()),
              HasSubstr("not a run directory"));
}

TEST_F(InitialNetworkTest, ANetworkThatIsNotFiniteIsRefused) {
  const Config config = OneGame("classic/catch");
  const ParameterLayout layout = LayoutOf(config);
  const std::vector<float> values(layout.size, std::numeric_limits<float>::quiet_NaN());
  ASSERT_TRUE(
      WriteFileAtomically(root_ / "nan.safetensors", EncodeParameters(layout, values, {}).value())
          .ok());
  Config from = From(config, root_ / "nan.safetensors");
  EXPECT_THAT(std::string(RecordInitialNetwork(from).status().message()), HasSubstr("not finite"));
}

// The games' heads are theirs, wherever they stand.
TEST_F(InitialNetworkTest, HeadsOfSeveralGamesGoByTheGamesNames) {
  const Config two = SeveralGames("minatar/breakout,minatar/asterix");
  const fs::path source = WriteNetwork("source.safetensors", two);
  const std::vector<float> there = Compose(From(two, source));
  const Config swapped = From(SeveralGames("minatar/asterix,minatar/breakout"), source);
  const std::vector<float> here = Compose(swapped);
  EXPECT_EQ(Tensor(swapped, here, "game0.q.weight"), Tensor(two, there, "game1.q.weight"));
  EXPECT_EQ(Tensor(swapped, here, "game1.q.bias"), Tensor(two, there, "game0.q.bias"));
  EXPECT_EQ(Tensor(swapped, here, "fc1.weight"), Tensor(two, there, "fc1.weight"));
}

TEST_F(InitialNetworkTest, AHeadOfOneGameAndThatOfAllGamesFitSeveral) {
  const Config one = OneGame("minatar/asterix");
  const Config two =
      From(SeveralGames("minatar/breakout,minatar/asterix"), WriteNetwork("one.safetensors", one));
  Config with_record = two;
  EXPECT_THAT(RecordInitialNetwork(with_record).value().back(),
              AllOf(HasSubstr("game0.q.weight not there"), Not(HasSubstr("game1"))));
  EXPECT_EQ(Tensor(two, Compose(two), "game1.q.weight"),
            Tensor(one, Compose(From(one, root_ / "one.safetensors")), "q.weight"));

  const Config shared = SeveralGames("minatar/breakout,minatar/asterix", GameHeads::kShared);
  Config per_game = From(two, WriteNetwork("shared.safetensors", shared));
  EXPECT_THAT(RecordInitialNetwork(per_game).value(), SizeIs(1));
}

TEST_F(InitialNetworkTest, OneGameTakesItsHeadFromSeveral) {
  const Config two = SeveralGames("minatar/breakout,minatar/asterix");
  const fs::path source = WriteNetwork("source.safetensors", two);
  const Config one = From(OneGame("minatar/asterix"), source);
  EXPECT_EQ(Tensor(one, Compose(one), "q.weight"),
            Tensor(two, Compose(From(two, source)), "game1.q.weight"));
}

TEST_F(InitialNetworkTest, TheInputThatNamesTheGameIsSpokenOfWhereGamesDiffer) {
  Config two = SeveralGames("minatar/breakout,minatar/asterix", GameHeads::kShared);
  two.environment.options.game_input = true;
  const fs::path source = WriteNetwork("source.safetensors", two);
  Config same = From(two, source);
  EXPECT_THAT(RecordInitialNetwork(same).value(), SizeIs(1));
  Config swapped = same;
  swapped.environment.name = "minatar/asterix,minatar/breakout";
  EXPECT_THAT(RecordInitialNetwork(swapped).value().back(), HasSubstr("network.game_input"));
}

// Repeating a run from its configuration must not start from something else.
TEST_F(InitialNetworkTest, ARecordedSourceMustBeTheSame) {
  const Config config = OneGame("classic/catch");
  Config from = From(config, WriteNetwork("source.safetensors", config));
  ASSERT_TRUE(RecordInitialNetwork(from).ok());
  ASSERT_TRUE(RecordInitialNetwork(from).ok());
  WriteNetwork("source.safetensors", config, 1);
  const Status status = RecordInitialNetwork(from).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("network.init_record=none"));
  EXPECT_FALSE(ComposeInitialNetwork(from, LayoutOf(from)).ok());
  // Another source is another choice.
  Config other = From(from, WriteNetwork("other.safetensors", config, 1));
  EXPECT_TRUE(RecordInitialNetwork(other).ok());
}

TEST_F(InitialNetworkTest, OfARunItsNetworkIsTaken) {
  const Config config = OneGame("classic/catch");
  ASSERT_TRUE(WriteFileAtomically(root_ / "config.toml", RunConfigText(config)).ok());
  WriteNetwork("final.safetensors", config);
  Config from = From(config, root_ / "");
  ASSERT_TRUE(RecordInitialNetwork(from).ok());
  EXPECT_EQ(from.network.init_from, (root_ / "final.safetensors").string());

  // Of one that is not finished the newest checkpoint.
  fs::remove(root_ / "final.safetensors");
  const auto cluster = testing_run::MakeCluster(config);
  RunCheckpointer writer(root_ / "checkpoints", false, 2);
  ASSERT_TRUE(writer.Capture(*cluster, {}).ok());
  ASSERT_TRUE(writer.Write().ok());
  from = From(config, root_);
  ASSERT_TRUE(RecordInitialNetwork(from).ok());
  EXPECT_THAT(from.network.init_from, HasSubstr("checkpoints/000000000000/parameters"));
  from = From(config, root_ / "checkpoints" / "000000000000");
  EXPECT_TRUE(RecordInitialNetwork(from).ok());
}

TEST_F(InitialNetworkTest, ARunBeginsWithItTargetAndAllAndAnEmptyOptimizer) {
  const Config config = OneGame("classic/catch");
  const Config from = From(config, WriteNetwork("source.safetensors", config));
  const auto trainer = Trainer::Start(from, root_ / "run").value();
  const auto cluster = Cluster::Make(config, Compose(from)).value();
  const testing_run::ServerState state = testing_run::ReadServer(*cluster);
  EXPECT_EQ(state.values, Compose(from));
  EXPECT_EQ(state.target, state.values);
  ASSERT_FALSE(state.optimizer.empty());
  for (const auto& [name, values] : state.optimizer) EXPECT_THAT(values, Each(0)) << name;
  std::vector<float> parameters(trainer->store().size());
  ShardVersions versions(2, -1);
  ASSERT_TRUE(trainer->store().Pull(parameters, versions).ok());
  EXPECT_EQ(parameters, state.values);
  EXPECT_THAT(LoadRunConfig(root_ / "run" / "config.toml")->network.init_record,
              HasSubstr("crc32:"));
}

// It may be resumed before it has a checkpoint, when the source is gone.
TEST_F(InitialNetworkTest, ARunDoesNotDependOnTheSourceOnceItBegan) {
  const Config config = OneGame("classic/catch");
  const Config from = From(config, WriteNetwork("source.safetensors", config));
  const std::vector<float> expected = Compose(from);
  const fs::path run = root_ / "run";
  ASSERT_TRUE(Trainer::Start(from, run).ok());
  fs::remove(root_ / "source.safetensors");
  Config recorded = LoadRunConfig(run / "config.toml").value();
  const auto resumed = Trainer::Resume(recorded, RunDirectory::Open(run).value(), {});
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  std::vector<float> parameters((*resumed)->store().size());
  ShardVersions versions(2, -1);
  ASSERT_TRUE((*resumed)->store().Pull(parameters, versions).ok());
  EXPECT_EQ(parameters, expected);
}

// A process that was killed before it wrote config.toml leaves it alone in the folder.
TEST_F(InitialNetworkTest, AFolderWithNothingElseMayBecomeARun) {
  const Config config = OneGame("classic/catch");
  const Config from = From(config, WriteNetwork("source.safetensors", config));
  fs::create_directories(root_ / "run");
  ASSERT_TRUE(StoreInitialNetwork(from, LayoutOf(from), root_ / "run").ok());
  const auto trainer = Trainer::Start(config, root_ / "run");
  EXPECT_TRUE(trainer.ok()) << trainer.status();
  EXPECT_FALSE(fs::exists(root_ / "run" / "initial.safetensors"));
}

TEST_F(InitialNetworkTest, AResumeWithAnotherSourceOrWithoutTheStoredOneIsRefused) {
  const Config config = OneGame("classic/catch");
  const Config from = From(config, WriteNetwork("source.safetensors", config));
  const fs::path run = root_ / "run";
  ASSERT_TRUE(Trainer::Start(from, run).ok());
  Config recorded = LoadRunConfig(run / "config.toml").value();
  const Config other = From(recorded, root_ / "other.safetensors");
  EXPECT_THAT(
      std::string(Trainer::Resume(other, RunDirectory::Open(run).value(), {}).status().message()),
      AllOf(HasSubstr("network.init_from"), HasSubstr("start a new run")));
  fs::remove(run / "initial.safetensors");
  const Status status = Trainer::Resume(recorded, RunDirectory::Open(run).value(), {}).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("initial.safetensors"));
}

}  // namespace
}  // namespace gorila
