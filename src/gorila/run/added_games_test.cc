#include "gorila/run/added_games.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "gorila/config/games.h"
#include "gorila/run/run_checkpoint.h"
#include "gorila/run/run_directory.h"
#include "gorila/run/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing_config::SmallConfig;

Config WithGames(const std::string& games) {
  Config config = SmallConfig();
  config.environment.name = games;
  config.actor.environments = 2;
  return config;
}

StatusOr<std::vector<std::string>> Added(const std::string& before, const std::string& after) {
  return AddedGames(StateKeys(WithGames(before), RunKind::kTrained), WithGames(after));
}

TEST(AddedGames, AreThoseAfterTheOldOnes) {
  EXPECT_THAT(Added("minatar/breakout", "minatar/breakout,minatar/asterix").value(),
              ElementsAre("minatar/asterix"));
  EXPECT_THAT(Added("minatar/breakout", "minatar/breakout").value(), IsEmpty());
  EXPECT_THAT(Added("minatar/breakout,minatar/asterix", "minatar/breakout").value(), IsEmpty());
  EXPECT_THAT(Added("minatar/breakout", "minatar/asterix,minatar/breakout").value(), IsEmpty());
}

TEST(AddedGames, ThatWouldChangeTheNetworkAreRefused) {
  EXPECT_THAT(
      std::string(
          Added("minatar/breakout", "minatar/breakout,minatar/seaquest").status().message()),
      HasSubstr("10 input channels instead of 4"));
  Config config = WithGames("minatar/breakout,minatar/asterix,minatar/space_invaders");
  config.network.heads = GameHeads::kPerGame;
  Config before = config;
  before.environment.name = "minatar/breakout,minatar/asterix";
  EXPECT_FALSE(AddedGames(StateKeys(before, RunKind::kTrained), config).ok());
}

// Two games mark the halves of a channel, three its thirds: the shape is the same.
TEST(AddedGames, AreRefusedWhereTheInputWouldNameTheOldGamesOtherwise) {
  Config before = WithGames("minatar/seaquest,minatar/breakout");
  Config after = WithGames("minatar/seaquest,minatar/breakout,minatar/asterix");
  EXPECT_TRUE(AddedGames(StateKeys(before, RunKind::kTrained), after).ok());
  before.environment.options.game_input = true;
  after.environment.options.game_input = true;
  const Status status = AddedGames(StateKeys(before, RunKind::kTrained), after).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("environment.name"), HasSubstr("network.game_input = true"),
                    HasSubstr("each of the 2 games"), Not(HasSubstr("\n"))));
  EXPECT_TRUE(AddedGames(StateKeys(before, RunKind::kTrained), before).ok());
}

TEST(AddedGames, NoneIsSilentlyDropped) {
  const Config before = WithGames("minatar/breakout,minatar/asterix");
  const Config after = WithGames("minatar/breakout");
  const Status status = CheckResumable(StateKeys(before, RunKind::kTrained), after, "'x'");
  EXPECT_THAT(std::string(status.message()), HasSubstr("environment.name"));
}

TEST(AddedGames, TheRunContinuesWithItsParametersAndCountsFramesOfEachGame) {
  const fs::path root = fs::path(testing::TempDir()) / fmt::format("added_games-{}", ::getpid());
  fs::remove_all(root);
  const Config one = WithGames("minatar/breakout");
  const auto before = Cluster::Make(one).value();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(before->StepAll().ok());
  RunCheckpointer writer(root, true, 2);
  ASSERT_TRUE(writer.Capture(*before, {}).ok());
  ASSERT_TRUE(writer.Write().ok());

  const Config two = WithGames("minatar/breakout,minatar/asterix");
  const auto after = Cluster::Make(two).value();
  RunCheckpointer reader(root, true, 2);
  ASSERT_TRUE(reader.Restore(NewestCompleteCheckpoint(root).value().checkpoint, *after, 1).ok());
  EXPECT_EQ(after->clock().frames(), 400);
  EXPECT_EQ(after->store().UpdateCount(), before->store().UpdateCount());
  EXPECT_GT(after->store().UpdateCount(), 0);
  EXPECT_EQ(after->bundles()[0]->replay().Size().rows, 0);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(after->StepAll().ok());
  EXPECT_THAT(after->bundles()[0]->TakeStatus().game_frames, ElementsAre(400 + 10, 10));
  EXPECT_THAT(after->bundles()[1]->TakeStatus().game_frames, ElementsAre(10, 10));

  // And from its own checkpoint, with all games, exactly.
  RunCheckpointer again(root, true, 2);
  ASSERT_TRUE(again.Capture(*after, {}).ok());
  ASSERT_TRUE(again.Write().ok());
  const auto resumed = Cluster::Make(two).value();
  ASSERT_TRUE(again.Restore(NewestCompleteCheckpoint(root).value().checkpoint, *resumed).ok());
  EXPECT_THAT(resumed->bundles()[0]->TakeStatus().game_frames, ElementsAre(410, 10));
  fs::remove_all(root);
}

}  // namespace
}  // namespace gorila
