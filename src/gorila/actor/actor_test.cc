#include "gorila/actor/actor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "gorila/actor/testing.h"
#include "gorila/agent/epsilon_greedy_policy.h"
#include "gorila/agent/softmax_policy.h"

namespace gorila {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing_actor::BestAction;
using testing_actor::CountingStore;
using testing_actor::InsertedRow;
using testing_actor::kActions;
using testing_actor::RecordingReplay;
using testing_actor::ScriptedEnvironment;
using testing_actor::ScriptedNetwork;

ActorOptions WithEpsilon(double epsilon) {
  return {.exploration = {.epsilon_start = epsilon, .epsilon_end = epsilon}};
}

std::unique_ptr<Policy> EpsilonGreedy(QNetwork& network) {
  return std::make_unique<EpsilonGreedyPolicy>(network);
}

std::unique_ptr<Policy> Sampling(QNetwork& network) {
  return std::make_unique<SoftmaxPolicy>(network, ActBy::kSample);
}

// An actor with one environment for each list of episode lengths, and all that it touches.
class Rig {
 public:
  Rig(const ActorOptions& options, const std::vector<std::vector<int>>& lengths,
      std::uint64_t seed = 1, const ActorPlace& place = {},
      std::unique_ptr<Policy> (*make_policy)(QNetwork&) = &EpsilonGreedy, int games = 1)
      : replay(lengths.size()),
        replica(std::make_unique<ScriptedNetwork>(), store, NetworkReplica::Follows::kOnline),
        made(Actor::Make(options, place, Environments(lengths, games), replica,
                         make_policy(replica.network()), replay, RandomStream(seed))
                 .value()),
        actor(*made) {}

  void Step(int steps, std::int64_t ticks = 0) {
    for (int i = 0; i < steps; ++i) ASSERT_TRUE(actor.Step(ticks, finished).ok());
  }

  const ScriptedNetwork& network() { return static_cast<ScriptedNetwork&>(replica.network()); }

  CountingStore store;
  RecordingReplay replay;
  NetworkReplica replica;
  std::unique_ptr<Actor> made;
  Actor& actor;
  std::vector<EpisodeResult> finished;

 private:
  static std::vector<std::unique_ptr<Environment>> Environments(
      const std::vector<std::vector<int>>& lengths, int games) {
    std::vector<std::unique_ptr<Environment>> environments;
    for (const std::vector<int>& of_one : lengths) {
      const int game = static_cast<int>(environments.size()) % games;
      environments.push_back(std::make_unique<ScriptedEnvironment>(of_one, game, games));
    }
    return environments;
  }
};

TEST(ActorTest, InsertsEveryTimeStepWithTheActionTakenThere) {
  Rig rig(WithEpsilon(0), {{2, 1, 3}});
  rig.Step(5);
  constexpr StepType kFirst = StepType::kFirst;
  constexpr StepType kMid = StepType::kMid;
  constexpr StepType kLast = StepType::kLast;
  // Episode, step, type, reward of the transition into it, discount, best action there.
  EXPECT_THAT(rig.replay.rows[0],
              ElementsAre(InsertedRow{1, 0, kFirst, 0, 1, 1}, InsertedRow{1, 1, kMid, 11, 1, 0},
                          InsertedRow{1, 2, kLast, 20, 0, 0},  // terminal: no action
                          InsertedRow{2, 0, kFirst, 0, 1, 2},  //
                          InsertedRow{2, 1, kLast, 12, 1, 0},  // cut off
                          InsertedRow{3, 0, kFirst, 0, 1, 0}, InsertedRow{3, 1, kMid, 10, 1, 2}));
}

TEST(ActorTest, EveryEnvironmentHasItsOwnStream) {
  Rig rig(WithEpsilon(0), {{2}, {3}});
  rig.Step(4);
  EXPECT_THAT(rig.replay.order, ElementsAre(0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1));
  EXPECT_THAT(rig.replay.rows[0], SizeIs(6));
  EXPECT_THAT(rig.replay.rows[1], SizeIs(5));
  EXPECT_EQ(rig.replay.rows[0][3].episode, 2);
  EXPECT_EQ(rig.replay.rows[1][3].step_type, StepType::kLast);
}

TEST(ActorTest, ReportsEpisodesAsTheyEndWithTheirWholeReturn) {
  Rig rig(WithEpsilon(0), {{2, 1}});
  rig.Step(1);
  EXPECT_THAT(rig.finished, IsEmpty());
  rig.Step(1);
  ASSERT_THAT(rig.finished, SizeIs(1));
  EXPECT_EQ(rig.finished[0].episode_return, 11 + 20);
  EXPECT_EQ(rig.finished[0].length, 2);
  rig.Step(3);
  ASSERT_THAT(rig.finished, SizeIs(3));
  EXPECT_EQ(rig.finished[1].episode_return, 12);
  EXPECT_EQ(rig.finished[1].length, 1);
  EXPECT_EQ(rig.finished[2].length, 2);
}

TEST(ActorTest, WithoutExplorationTakesTheBestActionsOfOneBatchedPrediction) {
  Rig rig(WithEpsilon(0), {{4}, {2, 5}, {7}});
  rig.Step(50);
  EXPECT_THAT(rig.network().batches(), SizeIs(50));
  EXPECT_THAT(rig.network().batches(), Each(3));
  for (const std::vector<InsertedRow>& rows : rig.replay.rows) {
    for (const InsertedRow& row : rows) {
      if (row.step_type == StepType::kLast) continue;
      EXPECT_EQ(row.action, BestAction(row.episode, row.step));
    }
  }
}

TEST(ActorTest, ShowsTheNetworkTheLastFramesOfEachEnvironment) {
  Rig rig(WithEpsilon(0), {{9}, {1, 9}});
  const auto seen = [&] {
    std::vector<int> values;
    for (const std::byte value : rig.network().observations()) {
      values.push_back(static_cast<int>(value));
    }
    return values;
  };
  rig.Step(1);
  EXPECT_THAT(seen(), ElementsAre(0, 0, 1, 0, 0, 0, 1, 0));
  rig.Step(1);
  EXPECT_THAT(seen(), ElementsAre(1, 0, 1, 1, 0, 0, 2, 0)) << "a new episode forgets the old one";
  rig.Step(1);
  EXPECT_THAT(seen(), ElementsAre(1, 1, 1, 2, 2, 0, 2, 1));
}

TEST(ActorTest, AlwaysExploringNeverAsksTheNetworkAndTakesAllActionsAlike) {
  constexpr int kSteps = 3000;
  Rig rig(WithEpsilon(1), {{kSteps + 1}});
  rig.Step(kSteps);
  EXPECT_THAT(rig.network().batches(), IsEmpty());
  std::vector<int> taken(kActions);
  for (const InsertedRow& row : rig.replay.rows[0]) ++taken[static_cast<std::size_t>(row.action)];
  // Five standard deviations of a binomial.
  for (const int count : taken) EXPECT_NEAR(count, 1000, 5 * 26);
}

TEST(ActorTest, ExploresWithProbabilityEpsilonInEachEnvironmentByItself) {
  constexpr int kSteps = 3000;
  Rig rig(WithEpsilon(0.3), {{200}, {200}});
  rig.Step(kSteps);
  std::vector<int> both(4);  // [first not greedy][second not greedy]
  for (std::size_t i = 0; i < rig.replay.rows[0].size(); ++i) {
    const InsertedRow& a = rig.replay.rows[0][i];
    const InsertedRow& b = rig.replay.rows[1][i];
    if (a.step_type == StepType::kLast) continue;
    const bool a_differs = a.action != BestAction(a.episode, a.step);
    const bool b_differs = b.action != BestAction(b.episode, b.step);
    ++both[static_cast<std::size_t>(2 * a_differs + b_differs)];
  }
  // Two thirds of the random actions are not the best one: 0.2 each. Five standard deviations.
  EXPECT_NEAR(both[0], kSteps * 0.64, 5 * 27);
  EXPECT_NEAR(both[1], kSteps * 0.16, 5 * 21);
  EXPECT_NEAR(both[2], kSteps * 0.16, 5 * 21);
  EXPECT_NEAR(both[3], kSteps * 0.04, 5 * 11);
}

TEST(ActorTest, EpsilonFollowsTheClockAndTheActorsPlace) {
  const ActorOptions options{
      .exploration = {.epsilon_start = 1, .epsilon_end = 0, .epsilon_ticks = 100, .spread = 1}};
  Rig first(options, {{5}}, 1, {.index = 0, .actors = 2});
  Rig last(options, {{5}}, 1, {.index = 1, .actors = 2});
  first.Step(1, 50);
  last.Step(1, 50);
  EXPECT_DOUBLE_EQ(first.actor.epsilon(), 0.5);
  EXPECT_DOUBLE_EQ(last.actor.epsilon(), 0.25);
  first.Step(1, 75);
  EXPECT_DOUBLE_EQ(first.actor.epsilon(), 0.25);
}

TEST(ActorTest, TheLadderOfEpsilonsRunsOverTheEnvironmentsOfAllActors) {
  const ActorOptions options{
      .exploration = {.epsilon_start = 0.5, .epsilon_end = 0.5, .epsilon_ticks = 0, .spread = 3}};
  Rig first(options, {{5}, {5}}, 1, {.index = 0, .actors = 2});
  Rig last(options, {{5}, {5}}, 1, {.index = 1, .actors = 2});
  first.Step(1, 0);
  last.Step(1, 0);
  EXPECT_DOUBLE_EQ(first.actor.epsilon(), (0.5 + 0.25) / 2) << "the mean of its environments";
  EXPECT_DOUBLE_EQ(last.actor.epsilon(), (0.125 + 0.0625) / 2);
}

TEST(ActorTest, EachGameHasItsOwnLadderOfEpsilons) {
  const ActorOptions options{
      .exploration = {.epsilon_start = 0.5, .epsilon_end = 0.5, .epsilon_ticks = 0, .spread = 1}};
  // Two games in turn: 0, 1, 0, 1.
  Rig first(options, {{5}, {5}}, 1, {.index = 0, .actors = 2}, &EpsilonGreedy, 2);
  Rig last(options, {{5}, {5}}, 1, {.index = 1, .actors = 2}, &EpsilonGreedy, 2);
  first.Step(1);
  last.Step(1);
  EXPECT_DOUBLE_EQ(first.actor.epsilon(), 0.5) << "the first of both games";
  EXPECT_DOUBLE_EQ(last.actor.epsilon(), 0.25) << "the last of both games";
}

TEST(ActorTest, RowsEpisodesAndFramesSayTheirGame) {
  Rig rig(WithEpsilon(0), {{2}, {3}, {4}}, 1, {}, &EpsilonGreedy, 2);
  rig.Step(12);
  for (std::size_t i = 0; i < rig.replay.games.size(); ++i) {
    EXPECT_EQ(rig.replay.games[i], rig.replay.order[i] % 2);
  }
  std::array<int, 2> episodes{};
  for (const EpisodeResult& episode : rig.finished) {
    ++episodes[static_cast<std::size_t>(episode.game)];
  }
  EXPECT_THAT(episodes, ElementsAre(6 + 3, 4));
  EXPECT_THAT(rig.actor.game_frames(), ElementsAre(24, 12));
}

TEST(ActorTest, ReplayGetsNormalisedRewardsAndPeopleTheGamesOwn) {
  ActorOptions options = WithEpsilon(0);
  Rig raw(options, {{3, 5}, {4}});
  raw.Step(40);
  options.normalise_rewards = true;
  options.discount = 0.5;
  Rig rig(options, {{3, 5}, {4}});
  rig.Step(40);
  ASSERT_EQ(rig.finished.size(), raw.finished.size());
  for (std::size_t i = 0; i < raw.finished.size(); ++i) {
    EXPECT_EQ(rig.finished[i].episode_return, raw.finished[i].episode_return);
  }
  int smaller = 0;
  for (std::size_t i = 0; i < raw.replay.rows[1].size(); ++i) {
    const InsertedRow& row = raw.replay.rows[1][i];
    const InsertedRow& normalised = rig.replay.rows[1][i];
    EXPECT_EQ(normalised.step_type, row.step_type);
    EXPECT_EQ(normalised.reward == 0, row.reward == 0) << "the first step of an episode has none";
    if (normalised.reward < row.reward / 4) ++smaller;
  }
  EXPECT_GT(smaller, 20);
}

TEST(ActorTest, SendsItsValuesOfEachDecisionWhereTheReplayWantsThem) {
  for (const bool wanted : {false, true}) {
    ActorOptions options = WithEpsilon(0.5);
    options.send_values = wanted;
    Rig rig(options, {{5}, {3}});
    rig.Step(200);
    int greedy = 0;
    std::vector<std::size_t> seen(2);
    for (std::size_t i = 0; i < rig.replay.order.size(); ++i) {
      const auto stream = static_cast<std::size_t>(rig.replay.order[i]);
      const InsertedRow& row = rig.replay.rows[stream][seen[stream]++];
      const RowValues& values = rig.replay.values[i];
      if (!wanted || row.step_type == StepType::kLast) {
        EXPECT_TRUE(std::isnan(values.taken) && std::isnan(values.best));
        continue;
      }
      EXPECT_LE(values.taken, values.best);
      const bool best = row.action == BestAction(row.episode, row.step);
      EXPECT_EQ(values.taken == values.best, best);
      greedy += best ? 1 : 0;
    }
    EXPECT_EQ(greedy > 100, wanted);
  }
}

// The network gives -1 to the best action and -5 to the two others.
TEST(ActorTest, EachRowHasTheProbabilityWithWhichItsActionWasTaken) {
  const double best = 1 / (1 + 2 * std::exp(-4.0));
  for (const double epsilon : {0.0, 0.4}) {
    Rig rig(WithEpsilon(epsilon), {{5}, {3}}, 1, {}, &Sampling);
    rig.Step(1000);
    std::vector<std::size_t> seen(2);
    std::vector<int> taken(2);  // others, best
    for (std::size_t i = 0; i < rig.replay.order.size(); ++i) {
      const auto stream = static_cast<std::size_t>(rig.replay.order[i]);
      const InsertedRow& row = rig.replay.rows[stream][seen[stream]++];
      if (row.step_type == StepType::kLast) continue;
      const bool is_best = row.action == BestAction(row.episode, row.step);
      ++taken[is_best ? 1 : 0];
      const double p = is_best ? best : (1 - best) / 2;
      EXPECT_NEAR(rig.replay.log_probabilities[i], std::log((1 - epsilon) * p + epsilon / kActions),
                  1e-6);
    }
    // Five standard deviations of a binomial.
    const double others = (1 - epsilon) * (1 - best) + epsilon * 2 / 3;
    EXPECT_NEAR(taken[0], 2000 * others, 5 * std::sqrt(2000 * others * (1 - others)));
  }
}

TEST(ActorTest, RowsOfAPolicyThatIsNoDistributionHaveNoProbability) {
  Rig rig(WithEpsilon(0.5), {{5}, {3}});
  rig.Step(50);
  EXPECT_THAT(rig.replay.log_probabilities, SizeIs(rig.replay.order.size()));
  EXPECT_THAT(rig.replay.log_probabilities, Each(testing::IsNan()));
}

TEST(ActorTest, PullsParametersBeforeEveryStepAsThePaper) {
  Rig rig(WithEpsilon(1), {{5}});
  rig.Step(7);
  EXPECT_EQ(rig.store.pulls, 7);
}

TEST(ActorTest, PullsParametersOnlySoOften) {
  ActorOptions options = WithEpsilon(1);
  options.refresh_every = 3;
  Rig rig(options, {{5}});
  std::vector<int> pulls;
  for (int i = 0; i < 8; ++i) {
    rig.Step(1);
    pulls.push_back(rig.store.pulls);
  }
  EXPECT_THAT(pulls, ElementsAre(1, 1, 1, 2, 2, 2, 3, 3));
}

TEST(ActorTest, ErrorsOfStoreAndReplayReachTheCaller) {
  Rig rig(WithEpsilon(1), {{5}});
  rig.store.failure = absl::UnavailableError("no store");
  EXPECT_EQ(rig.actor.Step(0, rig.finished), rig.store.failure);
  rig.store.failure = OkStatus();
  rig.replay.failure = absl::UnavailableError("no replay");
  EXPECT_EQ(rig.actor.Step(0, rig.finished), rig.replay.failure);
}

// Whether rewards are normalised.
class ActorStateTest : public testing::TestWithParam<bool> {
 protected:
  static ActorOptions Options() {
    ActorOptions options = WithEpsilon(0.5);
    options.normalise_rewards = GetParam();
    options.refresh_every = 4;
    return options;
  }
  static std::string Saved(const Actor& actor) {
    StateWriter writer;
    actor.SaveState(writer);
    return writer.Take();
  }
  static Status Restore(Actor& actor, const std::string& state) {
    StateReader reader(state);
    GORILA_RETURN_IF_ERROR(actor.RestoreState(reader));
    return reader.Finish();
  }

  const std::vector<std::vector<int>> lengths_ = {{3, 5, 1}, {8}};
};

TEST_P(ActorStateTest, ARestoredActorGoesOnBitForBit) {
  Rig original(Options(), lengths_);
  original.Step(13);  // in the middle of episodes and between two pulls
  Rig restored(Options(), lengths_, /*seed=*/99);
  restored.Step(2);
  ASSERT_TRUE(Restore(restored.actor, Saved(original.actor)).ok());
  const int pulls_apart = original.store.pulls - restored.store.pulls;
  for (Rig* rig : {&original, &restored}) {
    rig->replay.rows.assign(2, {});
    rig->replay.order.clear();
    rig->finished.clear();
    rig->Step(40);
  }
  EXPECT_EQ(restored.replay.rows, original.replay.rows);
  EXPECT_EQ(restored.replay.order, original.replay.order);
  EXPECT_EQ(original.store.pulls - restored.store.pulls, pulls_apart);
  ASSERT_EQ(restored.finished.size(), original.finished.size());
  for (std::size_t i = 0; i < original.finished.size(); ++i) {
    EXPECT_EQ(restored.finished[i].episode_return, original.finished[i].episode_return);
    EXPECT_EQ(restored.finished[i].length, original.finished[i].length);
  }
  EXPECT_EQ(Saved(restored.actor), Saved(original.actor));
}

INSTANTIATE_TEST_SUITE_P(Rewards, ActorStateTest, testing::Bool(), [](const auto& normalised) {
  return normalised.param ? "Normalised" : "AsTheyAre";
});

TEST_P(ActorStateTest, TruncatedStateIsDataLoss) {
  Rig rig(Options(), lengths_);
  rig.Step(5);
  const std::string state = Saved(rig.actor);
  for (std::size_t size = 0; size < state.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(Restore(rig.actor, state.substr(0, size)))) << size;
  }
}

TEST_P(ActorStateTest, StateOfAnotherNumberOfEnvironmentsIsDataLoss) {
  Rig two(Options(), lengths_);
  Rig three(Options(), {{3}, {3}, {3}});
  const Status status = Restore(three.actor, Saved(two.actor));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("2 environments with 8 bytes of observations, expected 3 with 12"));
}

}  // namespace
// Loses what it was asked to do at some steps, counted over its life.
class LosingEnvironment final : public Environment {
 public:
  explicit LosingEnvironment(std::vector<int> lost) : inner_({100}), lost_(std::move(lost)) {}

  const EnvironmentSpec& spec() const override { return inner_.spec(); }
  StatusOr<TimeStep> Reset(std::span<std::byte> observation) override {
    return inner_.Reset(observation);
  }
  StatusOr<TimeStep> Step(int action, std::span<std::byte> observation) override {
    EXPECT_EQ(action, submitted_);
    return inner_.Step(action, observation);
  }
  void Submit(int action) override { submitted_ = action; }
  Status Await() override {
    const bool lost = std::find(lost_.begin(), lost_.end(), steps_) != lost_.end();
    ++steps_;
    return lost ? EpisodeLost("its process died") : OkStatus();
  }
  Status Render(RgbImage&) override { return OkStatus(); }
  void SaveState(StateWriter&) const override {}
  Status RestoreState(StateReader&) override { return OkStatus(); }

 private:
  ScriptedEnvironment inner_;
  const std::vector<int> lost_;
  int steps_ = 0;
  int submitted_ = -1;
};

TEST(ActorTest, AnEpisodeThatWasLostEndsAtTheLastStateThatWasSeen) {
  constexpr StepType kFirst = StepType::kFirst;
  constexpr StepType kMid = StepType::kMid;
  constexpr StepType kLast = StepType::kLast;
  CountingStore store;
  RecordingReplay replay(1);
  NetworkReplica replica(std::make_unique<ScriptedNetwork>(), store,
                         NetworkReplica::Follows::kOnline);
  std::vector<std::unique_ptr<Environment>> environments;
  environments.push_back(std::make_unique<LosingEnvironment>(std::vector<int>{2, 3}));
  const auto actor =
      Actor::Make(WithEpsilon(0), {}, std::move(environments), replica,
                  std::make_unique<EpsilonGreedyPolicy>(replica.network()), replay, RandomStream(1))
          .value();
  std::vector<EpisodeResult> finished;
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(actor->Step(0, finished).ok());
  // The second loss comes before anything is known of its episode, the second one.
  EXPECT_THAT(replay.rows[0],
              ElementsAre(InsertedRow{1, 0, kFirst, 0, 1, 1}, InsertedRow{1, 1, kMid, 11, 1, 0},
                          InsertedRow{1, 2, kLast, 20, 1, 0}, InsertedRow{3, 0, kFirst, 0, 1, 0},
                          InsertedRow{3, 1, kMid, 10, 1, 2}));
  EXPECT_TRUE(finished.empty());
}

// Rewards of the rows of an environment whose third step is lost.
std::vector<float> RewardsOfALoss(bool normalise) {
  CountingStore store;
  RecordingReplay replay(1);
  NetworkReplica replica(std::make_unique<ScriptedNetwork>(), store,
                         NetworkReplica::Follows::kOnline);
  std::vector<std::unique_ptr<Environment>> environments;
  environments.push_back(std::make_unique<LosingEnvironment>(std::vector<int>{2}));
  ActorOptions options = WithEpsilon(0);
  options.normalise_rewards = normalise;
  options.discount = 0.5;
  const auto actor =
      Actor::Make(options, {}, std::move(environments), replica,
                  std::make_unique<EpsilonGreedyPolicy>(replica.network()), replay, RandomStream(1))
          .value();
  std::vector<EpisodeResult> finished;
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(actor->Step(0, finished).ok());
  std::vector<float> rewards;
  for (const InsertedRow& row : replay.rows[0]) rewards.push_back(row.reward);
  return rewards;
}

TEST(ActorTest, TheReturnOfAnEpisodeThatWasLostDoesNotEnterTheNext) {
  const std::vector<float> raw = RewardsOfALoss(false);
  ASSERT_THAT(raw, SizeIs(6));  // a first row, 2 steps, a first row, 2 steps
  RewardNormaliser normaliser(0.5, {0});
  std::vector<float> expected(6, 0);
  for (const std::size_t i : {1, 2, 4, 5}) {
    const StepType type = i == 2 ? StepType::kLast : StepType::kMid;
    expected[i] = normaliser.Normalise(0, {.step_type = type, .reward = raw[i]});
  }
  EXPECT_EQ(RewardsOfALoss(true), expected);
}

}  // namespace gorila
