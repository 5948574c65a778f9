#include "gorila/evaluation/evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "gorila/agent/frame_stacker.h"
#include "gorila/base/file.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/start_points.h"
#include "gorila/network/q_network.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

// Cart-pole: episodes of very different lengths, whose return is their length.
Config CartPole(std::string_view backend) {
  Config config = testing_config::SmallConfig();
  config.environment.name = "classic/cart_pole";
  config.network.backend = backend;
  return config;
}

std::vector<float> RandomParameters(const Config& config, std::uint64_t seed = 8) {
  RandomStream random(seed);
  return InitialParameters(MakeParameterLayout(ResolveNetwork(config).value()), random);
}

struct Played {
  double episode_return = 0;
  std::int64_t steps = 0;
};

// Plays one episode by the protocol, one observation at a time.
Played PlayAlone(const Config& config, const std::vector<float>& parameters, double epsilon,
                 std::uint64_t seed, std::uint64_t episode) {
  const NetworkSpec spec = ResolveNetwork(config).value();
  const auto network = MakeQNetwork(config.network.backend, spec, 1).value();
  network->SetParameters(parameters);
  const auto environment =
      MakeEnvironment(
          config.environment.name, config.environment.options,
          MakeRandomDraws(RandomStream::Derive(seed, "evaluation environment", episode)))
          .value();
  RandomStream random = RandomStream::Derive(seed, "evaluation actions", episode);
  std::vector<std::byte> stacked(spec.input.stacked_bytes());
  FrameStacker stacker(spec.input, stacked);
  std::vector<float> q(static_cast<std::size_t>(spec.num_actions));
  Played played;
  TimeStep step = environment->Reset(stacker.BeginEpisode()).value();
  while (!step.last()) {
    network->Predict(stacked, 1, q);
    const auto best = static_cast<int>(std::max_element(q.begin(), q.end()) - q.begin());
    const bool explores = random.Uniform() < epsilon;
    const int action = explores ? random.Integer(0, spec.num_actions) : best;
    step = environment->Step(action, stacker.Advance()).value();
    played.episode_return += static_cast<double>(step.reward);
    ++played.steps;
  }
  return played;
}

class EvaluateTest : public testing::TestWithParam<const char*> {};

// More episodes than are played at once, so that seats are taken again as short ones end.
TEST_P(EvaluateTest, EveryStartedEpisodeCountsAsIfItHadBeenPlayedAlone) {
  const Config config = CartPole("reference");
  const std::vector<float> parameters = RandomParameters(config);
  const EvaluationRequest request{.protocol = GetParam(), .episodes = 100, .seed = 5};
  const EvaluationResult result = Evaluate(config, parameters, request).value();
  const double epsilon = (*FindEvaluationProtocol(GetParam()))->epsilon;
  EXPECT_EQ(result.protocol, GetParam());
  EXPECT_EQ(result.epsilon, epsilon);
  ASSERT_THAT(result.returns, SizeIs(100));
  std::int64_t steps = 0;
  for (std::uint64_t episode = 0; episode < 100; ++episode) {
    const Played alone = PlayAlone(config, parameters, epsilon, request.seed, episode);
    EXPECT_EQ(result.returns[episode], alone.episode_return) << episode;
    steps += alone.steps;
  }
  EXPECT_EQ(result.steps, steps);
  const auto [shortest, longest] =
      std::minmax_element(result.returns.begin(), result.returns.end());
  EXPECT_GT(*longest, *shortest) << "the test needs episodes of different lengths";
  EXPECT_DOUBLE_EQ(result.summary.mean,
                   std::accumulate(result.returns.begin(), result.returns.end(), 0.0) / 100);
}

TEST_P(EvaluateTest, AnEpisodesReturnDoesNotDependOnHowManyRunBesideIt) {
  const Config config = CartPole("auto");
  const std::vector<float> parameters = RandomParameters(config);
  EvaluationRequest request{.protocol = GetParam(), .episodes = 50, .seed = 6};
  const std::vector<double> many = Evaluate(config, parameters, request)->returns;
  for (const std::size_t episodes : {1u, 3u, 31u, 33u}) {
    request.episodes = static_cast<int>(episodes);
    const std::vector<double> few = Evaluate(config, parameters, request)->returns;
    ASSERT_THAT(few, SizeIs(episodes));
    EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin())) << episodes;
  }
}

INSTANTIATE_TEST_SUITE_P(Protocols, EvaluateTest, testing::Values("greedy", "epsilon-0.05"),
                         [](const auto& info) { return info.index == 0 ? "Greedy" : "Epsilon"; });

TEST(EvaluateSeedTest, TheSeedDecidesTheEpisodes) {
  const Config config = CartPole("auto");
  const std::vector<float> parameters = RandomParameters(config);
  EvaluationRequest request{.episodes = 20, .seed = 1};
  const std::vector<double> returns = Evaluate(config, parameters, request)->returns;
  EXPECT_EQ(Evaluate(config, parameters, request)->returns, returns);
  request.seed = 2;
  EXPECT_NE(Evaluate(config, parameters, request)->returns, returns);
}

// Returns of 50 episodes of an untrained policy.
class PolicyEvaluationTest : public testing::Test {
 protected:
  PolicyEvaluationTest() { config_.learner.agent.algorithm = "vtrace"; }

  EvaluationResult Score(std::string_view protocol) {
    return Evaluate(config_, RandomParameters(config_),
                    {.protocol = std::string(protocol), .episodes = 50, .seed = 4})
        .value();
  }

  Config config_ = CartPole("auto");
};

TEST_F(PolicyEvaluationTest, SampledActionsTakeThePlaceOfTheProtocolsEpsilonUnlessOneIsSet) {
  const EvaluationResult sampled = Score("greedy");
  EXPECT_EQ(sampled.act, ActBy::kSample);
  EXPECT_EQ(sampled.epsilon, 0);
  const EvaluationResult by_another_protocol = Score("epsilon-0.05");
  EXPECT_EQ(by_another_protocol.epsilon, 0);
  EXPECT_EQ(by_another_protocol.returns, sampled.returns);
  config_.evaluation.act = EvaluationAct::kSample;
  EXPECT_EQ(Score("greedy").returns, sampled.returns) << "auto is something else";
  config_.evaluation.epsilon = 0.5;
  const EvaluationResult both = Score("epsilon-0.05");
  EXPECT_EQ(both.epsilon, 0.5);
  EXPECT_NE(both.returns, sampled.returns);
}

TEST_F(PolicyEvaluationTest, TheMostLikelyActionIsPlayedByTheProtocolAsABestOne) {
  const std::vector<double> sampled = Score("greedy").returns;
  config_.evaluation.act = EvaluationAct::kArgmax;
  const EvaluationResult greedy = Score("greedy");
  EXPECT_EQ(greedy.act, ActBy::kArgmax);
  EXPECT_EQ(greedy.protocol, "greedy");
  EXPECT_NE(greedy.returns, sampled);
  const EvaluationResult epsilon = Score("epsilon-0.05");
  EXPECT_EQ(epsilon.epsilon, 0.05);
  EXPECT_NE(epsilon.returns, greedy.returns);
}

TEST_F(PolicyEvaluationTest, ValuesAreNeverSampledFrom) {
  config_.learner.agent.algorithm = "double_dqn";
  EXPECT_EQ(Score("greedy").act, ActBy::kArgmax);
  EXPECT_EQ(Score("epsilon-0.05").epsilon, 0.05);
}

// Such a network is scored on any machine.
TEST(EvaluateDeviceTest, ARunThatComputesOnAGpuIsEvaluatedOnTheCpuByItsFastestBackend) {
  Config config = CartPole("auto");
  const std::vector<float> parameters = RandomParameters(config);
  const EvaluationRequest request{.episodes = 20, .seed = 1};
  const std::vector<double> returns = Evaluate(config, parameters, request)->returns;
  config.network.backend = "torch";
  config.network.device = "cuda:99";
  const auto elsewhere = Evaluate(config, parameters, request);
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.status();
  EXPECT_EQ(elsewhere->returns, returns);
}

TEST(EvaluateEndTest, EndsWhenCancelled) {
  const Config config = CartPole("auto");
  int asked = 0;
  const EvaluationRequest request{.episodes = 10000, .cancelled = [&] { return ++asked == 4; }};
  EXPECT_TRUE(absl::IsCancelled(Evaluate(config, RandomParameters(config), request).status()));
  EXPECT_EQ(asked, 4);
}

TEST(EvaluateEndTest, RefusesWhatItCannotPlay) {
  const Config config = CartPole("auto");
  std::vector<float> parameters = RandomParameters(config);
  const auto message = [&](const EvaluationRequest& request) {
    const Status status = Evaluate(config, parameters, request).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(message({.protocol = "greed"}), HasSubstr("did you mean 'greedy'"));
  EXPECT_THAT(message({.episodes = 0}), HasSubstr("evaluation.episodes is 0"));
  parameters.pop_back();
  EXPECT_THAT(message({}), HasSubstr("the network of 'classic/cart_pole' has"));
}

// A console game small enough for a test.
Config Console() {
  Config config = testing_config::SmallConfig();
  config.environment.name = "pixel/breakout";
  config.environment.options.atari.screen_size = 14;
  config.environment.options.atari.stack = 1;
  config.network.backend = "reference";
  return config;
}

TEST(EvaluateConsoleTest, ALostLifeDoesNotEndAnEpisode) {
  Config config = Console();
  ASSERT_TRUE(config.environment.options.atari.life_loss_ends_episode);
  const std::vector<float> parameters = RandomParameters(config);
  const EvaluationRequest request{.protocol = "noop30", .episodes = 3, .seed = 5};
  const EvaluationResult result = Evaluate(config, parameters, request).value();
  EXPECT_EQ(result.epsilon, 0.05);
  EXPECT_EQ(result.version, 1);
  // Five lives of at least six steps each.
  EXPECT_GE(result.steps, 3 * 5 * 6 - 3 * 8);
  config.evaluation.epsilon = 0.5;
  EXPECT_EQ(Evaluate(config, parameters, request)->epsilon, 0.5);
  EXPECT_EQ(Evaluate(config, parameters, request)->protocol,
            request.protocol + " with epsilon 0.5 instead of 0.05");
}

TEST(EvaluateConsoleTest, ProtocolsSetTheEnvironmentsOptions) {
  const EnvironmentOptions configured{
      .atari = {.noop_max = 7, .max_frames = 99, .repeat_action_probability = 0.5}};
  const auto options = [&](std::string_view name) {
    return EvaluationOptions(configured, **FindEvaluationProtocol(name)).atari;
  };
  EXPECT_EQ(options("noop30").noop_max, 30);
  EXPECT_EQ(options("noop30").max_frames, 18000);
  EXPECT_EQ(options("noop30").repeat_action_probability, 0);
  EXPECT_EQ(options("human-starts").noop_max, 0);
  EXPECT_EQ(options("human-starts").max_frames, 108000);
  EXPECT_EQ(options("sticky").noop_max, 0);
  EXPECT_EQ(options("sticky").max_frames, 18000);
  EXPECT_EQ(options("sticky").repeat_action_probability, 0.25);
  EXPECT_EQ(options("greedy").noop_max, 7);
  EXPECT_EQ(options("greedy").max_frames, 99);
  for (const EvaluationProtocol& protocol : EvaluationProtocols()) {
    EXPECT_FALSE(options(protocol.name).life_loss_ends_episode);
  }
}

class HumanStartsTest : public testing::Test {
 protected:
  HumanStartsTest()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("gorila-human-starts-{}", ::getpid())) {}
  ~HumanStartsTest() override { std::filesystem::remove(path_); }

  // Starts after so many steps of doing nothing.
  void WriteStarts(const std::vector<int>& lengths) const {
    StartPoints points{.environment = "pixel/breakout",
                       .action_repeat = 4,
                       .action_names = {"no-op"},
                       .starts = {}};
    for (const int length : lengths) {
      points.starts.push_back({.seed = 4,
                               .episode = 1,
                               .actions = std::vector<int>(static_cast<std::size_t>(length), 0)});
    }
    ASSERT_TRUE(WriteFileAtomically(path_, EncodeStartPoints(points)).ok());
  }

  const std::filesystem::path path_;
};

TEST_F(HumanStartsTest, AnEpisodeBeginsWhereItsStartPointEnds) {
  WriteStarts({1, 9});
  Config config = Console();
  config.evaluation.starts = path_.string();
  config.evaluation.epsilon = 0;
  const std::vector<float> parameters = RandomParameters(config);
  const EvaluationRequest request{.protocol = "human-starts", .episodes = 4, .seed = 5};
  const EvaluationResult result = Evaluate(config, parameters, request).value();
  ASSERT_THAT(result.returns, SizeIs(4));
  // Without chance, episodes from the same start are the same.
  EXPECT_EQ(result.returns[0], result.returns[2]);
  EXPECT_EQ(result.returns[1], result.returns[3]);
  EXPECT_EQ(result.protocol, "human-starts with epsilon 0 instead of 0.05");
}

TEST_F(HumanStartsTest, TheStartsFramesCountTowardsTheLimit) {
  // A person who plays on to the limit leaves no step for the agent: such a start is refused.
  WriteStarts({27000});
  Config config = Console();
  config.evaluation.starts = path_.string();
  const Status status =
      Evaluate(config, RandomParameters(config), {.protocol = "human-starts", .episodes = 1})
          .status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("ends its game"));
}

TEST_F(HumanStartsTest, NeedAFile) {
  const Config config = Console();
  const Status status =
      Evaluate(config, RandomParameters(config), {.protocol = "human-starts", .episodes = 1})
          .status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("--record-starts"));
}

TEST(EvaluationProtocolTest, ProtocolsAreWhatTheirNamesSay) {
  EXPECT_EQ((*FindEvaluationProtocol("greedy"))->epsilon, 0);
  EXPECT_EQ((*FindEvaluationProtocol("epsilon-0.05"))->epsilon, 0.05);
  for (const EvaluationProtocol& protocol : EvaluationProtocols()) {
    EXPECT_EQ(*FindEvaluationProtocol(protocol.name), &protocol);
    EXPECT_GT(protocol.max_steps, 0);
  }
}

}  // namespace
}  // namespace gorila
