// Several games' fair shares of what a selector draws.
#include "gorila/replay/game_selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gorila {
namespace {

using ::testing::HasSubstr;

constexpr int kGames = 3;
constexpr std::uint32_t kIds = 120;

std::string Saved(const Selector& selector) {
  StateWriter writer;
  selector.SaveState(writer);
  return writer.Take();
}

Status Restore(Selector& selector, const std::string& state) {
  StateReader reader(state);
  GORILA_RETURN_IF_ERROR(selector.RestoreState(reader));
  return reader.Finish();
}

std::array<int, kGames> CountGames(const Selector& selector,
                                   const std::vector<Selector::Drawn>& drawn) {
  std::array<int, kGames> counts{};
  for (const Selector::Drawn& draw : drawn) {
    ++counts[static_cast<std::size_t>(selector.GameOf(draw.id))];
  }
  return counts;
}

class GameSelectorTest : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Selector> Make(int games = kGames) const {
    return MakeSelector(*FindSelector(GetParam()).value(), options_, games, kIds);
  }
  // 90 ids of game 0, 20 of game 1 with priorities 1000 times as large, 3 of game 2.
  static void Fill(Selector& selector) {
    for (std::uint32_t id = 0; id < 113; ++id) {
      const int game = id < 90 ? 0 : id < 110 ? 1 : 2;
      selector.InsertOfGame(game, id);
      selector.Update(id, (game == 1 ? 1000 : 1) * (1 + id % 4));
    }
  }

  const SelectorOptions options_{.name = GetParam()};
};

INSTANTIATE_TEST_SUITE_P(WithReplacement, GameSelectorTest,
                         testing::Values("uniform", "prioritized"),
                         [](const auto& info) { return info.param; });

TEST_P(GameSelectorTest, GamesHaveEqualSharesOfEachMinibatchAndExactlyEqualOnesOfThree) {
  const auto selector = Make();
  Fill(*selector);
  RandomStream random(5);
  std::array<int, kGames> total{};
  for (int minibatch = 1; minibatch <= 300; ++minibatch) {
    std::vector<Selector::Drawn> drawn(32);
    selector->Sample(random, drawn);
    const auto counts = CountGames(*selector, drawn);
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    ASSERT_LE(*most - *least, 1);
    for (std::size_t game = 0; game < kGames; ++game) total[game] += counts[game];
    if (minibatch % kGames == 0) {
      ASSERT_EQ(total[0], total[1]);
      ASSERT_EQ(total[1], total[2]);
    }
  }
}

TEST_P(GameSelectorTest, DrawsAsOftenAsItsProbabilitiesSay) {
  const auto selector = Make();
  Fill(*selector);
  RandomStream random(6);
  std::vector<Selector::Drawn> drawn(90000);
  selector->Sample(random, drawn);
  std::vector<int> counts(kIds);
  std::vector<double> probabilities(kIds);
  for (const Selector::Drawn& draw : drawn) {
    ++counts[draw.id];
    probabilities[draw.id] = draw.probability;
  }
  double chi_square = 0;
  double sum = 0;
  for (std::uint32_t id = 0; id < 113; ++id) {
    // Within its game, which has a third of the draws.
    const double part = (id < 90 ? 90 : id < 110 ? 20 : 3) / 113.0;
    const double expected = probabilities[id] / part * static_cast<double>(drawn.size()) / kGames;
    chi_square += (counts[id] - expected) * (counts[id] - expected) / expected;
    sum += probabilities[id];
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_NEAR(chi_square, 110, 5 * std::sqrt(2 * 110.0));  // 113 ids, three sums given
}

TEST_P(GameSelectorTest, AGameWithNothingLeavesItsShareToTheOthersInEqualParts) {
  const auto selector = Make();
  Fill(*selector);
  for (std::uint32_t id = 90; id < 110; ++id) selector->Remove(id);
  RandomStream random(7);
  std::vector<Selector::Drawn> drawn(30);
  selector->Sample(random, drawn);
  EXPECT_THAT(CountGames(*selector, drawn), testing::ElementsAre(15, 0, 15));
  if (GetParam() == "uniform") {
    for (const Selector::Drawn& draw : drawn) {
      EXPECT_DOUBLE_EQ(draw.probability, 1.0 / 93);
    }
  }
  selector->InsertOfGame(1, 119);
  selector->Sample(random, drawn);
  EXPECT_THAT(CountGames(*selector, drawn), testing::ElementsAre(10, 10, 10));
  selector->CheckInvariants();
}

// What a learner's importance weights make of the probabilities, with exponent 1.
TEST_P(GameSelectorTest, WeightsLeaveTheGamesTheirEqualSharesWhateverTheirSizes) {
  const auto selector = Make(2);  // 10 ids of game 0, 40 of game 1
  for (std::uint32_t id = 0; id < 50; ++id) selector->InsertOfGame(id < 10 ? 0 : 1, id);
  RandomStream random(10);
  std::vector<Selector::Drawn> drawn(32);
  selector->Sample(random, drawn);
  for (const Selector::Drawn& draw : drawn) EXPECT_DOUBLE_EQ(draw.probability, 1.0 / 50);
  // Errors of game 1 are 100 times as large; within each game every other id has thrice as much.
  for (std::uint32_t id = 0; id < 50; ++id) {
    selector->Update(id, (id < 10 ? 1 : 100) * (id % 2 == 0 ? 1 : 3));
  }
  selector->Sample(random, drawn);
  for (const Selector::Drawn& draw : drawn) {
    const double within = GetParam() == "uniform" ? 1 : draw.id % 2 == 0 ? 0.5 : 1.5;
    EXPECT_DOUBLE_EQ(draw.probability, within / 50);
  }
}

TEST_P(GameSelectorTest, ANewIdHasTheLargestPriorityOfItsGame) {
  const auto selector = Make();
  Fill(*selector);
  selector->InsertOfGame(2, 118);
  selector->InsertOfGame(1, 119);
  EXPECT_EQ(selector->Priority(118), GetParam() == "uniform" ? 1 : 4);
  EXPECT_EQ(selector->Priority(119), GetParam() == "uniform" ? 1 : 4000);
}

TEST_P(GameSelectorTest, DrawsTheSameAfterARestoreWhoseeverTurnItWas) {
  const auto selector = Make();
  Fill(*selector);
  RandomStream random(8);
  std::vector<Selector::Drawn> drawn(32);  // the last turn was the second game's
  selector->Sample(random, drawn);
  const auto restored = Make();
  restored->InsertOfGame(2, 5);  // what was there before goes
  ASSERT_TRUE(Restore(*restored, Saved(*selector)).ok());
  restored->CheckInvariants();
  RandomStream same(9);
  RandomStream again(9);
  std::vector<Selector::Drawn> others(32);
  for (int minibatch = 0; minibatch < 20; ++minibatch) {
    selector->Sample(same, drawn);
    restored->Sample(again, others);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      ASSERT_EQ(drawn[i].id, others[i].id);
      ASSERT_EQ(drawn[i].probability, others[i].probability);
    }
  }
}

TEST_P(GameSelectorTest, AnImpossibleStateIsRefusedAndChangesNothing) {
  const auto selector = Make();
  Fill(*selector);
  const std::string state = Saved(*selector);
  const auto other = Make();
  other->InsertOfGame(1, 2);
  const std::string before = Saved(*other);
  for (std::size_t size = 0; size < state.size(); ++size) {
    ASSERT_TRUE(absl::IsDataLoss(Restore(*other, state.substr(0, size)))) << size;
    ASSERT_EQ(Saved(*other), before);
  }
  std::string no_such_game = state;
  no_such_game[0] = kGames;
  EXPECT_TRUE(absl::IsDataLoss(Restore(*other, no_such_game)));
  StateWriter twice;
  twice.Write<std::uint64_t>(0);
  const auto one = Make(1);
  one->Insert(7);
  for (int game = 0; game < kGames; ++game) one->SaveState(twice);
  const Status status = Restore(*other, twice.bytes());
  EXPECT_THAT(std::string(status.message()), HasSubstr("id 7 belongs to games 0 and 1"));
  EXPECT_EQ(Saved(*other), before);
}

TEST_P(GameSelectorTest, OneGameHasTheSelectorItself) {
  EXPECT_EQ(Saved(*Make(1)), Saved(*FindSelector(GetParam()).value()->make(options_, kIds)));
  const std::int64_t one = SelectorBytesPerId(options_);
  EXPECT_EQ(SelectorBytesPerId(options_, 1), one);
  EXPECT_EQ(SelectorBytesPerId(options_, kGames), kGames * one + 2);
}

TEST(GamesInAQueueTest, ItStaysOne) {
  const SelectorOptions options{.name = "queue"};
  const auto queue = MakeSelector(*FindSelector("queue").value(), options, kGames, kIds);
  EXPECT_TRUE(queue->draws_once());
  queue->InsertOfGame(2, 4);
  queue->InsertOfGame(1, 3);
  RandomStream random(1);
  std::vector<Selector::Drawn> drawn(2);
  queue->Sample(random, drawn);
  EXPECT_EQ(drawn[0].id, 4);
  EXPECT_EQ(SelectorBytesPerId(options, kGames), SelectorBytesPerId(options));
}

}  // namespace
}  // namespace gorila
