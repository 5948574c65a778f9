// Networks through the functions of gorila.h, as a program that is not ours uses them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gorila/base/file.h"
#include "gorila/config/config_load.h"
#include "gorila/config/resolve.h"
#include "gorila/config/testing.h"
#include "gorila/evaluation/evaluator.h"
#include "gorila/library/gorila.h"
#include "gorila/network/q_network.h"
#include "gorila/run/parameter_file.h"
#include "gorila/run/run_results.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct Free {
  void operator()(gorila_network* network) const { gorila_network_free(network); }
};
using Handle = std::unique_ptr<gorila_network, Free>;

class LibraryNetworkTest : public testing::Test {
 protected:
  void SetUp() override {
    run_ = fs::path(testing::TempDir()) / fmt::format("library_network_test-{}", ::getpid());
    fs::remove_all(run_);
    fs::create_directories(run_);
    config_ = testing_config::SmallConfig();
  }
  void TearDown() override { fs::remove_all(run_); }

  // A finished run with the parameters that one begins with.
  void WriteRun() {
    spec_ = ResolveNetwork(config_).value();
    const ParameterLayout layout = MakeParameterLayout(spec_);
    parameters_ = RunInitialParameters(config_, layout);
    ASSERT_TRUE(WriteFileAtomically(FinalNetworkFile(run_),
                                    EncodeParameters(layout, parameters_, {}).value())
                    .ok());
    ASSERT_TRUE(WriteFileAtomically(run_ / "config.toml", RunConfigText(config_)).ok());
  }

  std::int32_t Load(Handle& handle, const fs::path& path,
                    const std::vector<const char*>& settings = {}) {
    gorila_network* loaded = nullptr;
    const std::int32_t code =
        gorila_network_load(path.c_str(), nullptr, settings.data(), settings.size(), &loaded);
    handle.reset(loaded);
    return code;
  }
  Handle LoadRun() {
    Handle handle;
    EXPECT_EQ(Load(handle, run_), GORILA_OK) << gorila_last_error();
    return handle;
  }

  // Of Catch: a board of bytes.
  std::vector<std::uint8_t> Boards(std::size_t count) const {
    std::vector<std::uint8_t> boards(count * spec_.input.stacked_bytes());
    RandomStream random(1);
    for (std::uint8_t& cell : boards) cell = static_cast<std::uint8_t>(random.Integer(0, 2));
    return boards;
  }
  std::vector<float> QValues(gorila_network* network, const std::vector<std::uint8_t>& boards) {
    const auto batch = static_cast<std::int32_t>(boards.size() / spec_.input.stacked_bytes());
    std::vector<float> q(static_cast<std::size_t>(batch * 3));
    EXPECT_EQ(gorila_network_q_values(network, boards.data(), boards.size(), batch, q.data()),
              GORILA_OK)
        << gorila_last_error();
    return q;
  }

  fs::path run_;
  Config config_;
  NetworkSpec spec_;
  std::vector<float> parameters_;
};

TEST_F(LibraryNetworkTest, QValuesAreTheNetworksOwn) {
  WriteRun();
  const Handle handle = LoadRun();
  constexpr std::size_t kBatch = 300;  // more than are computed at once
  const std::vector<std::uint8_t> boards = Boards(kBatch);
  const auto reference = MakeQNetwork("reference", spec_, int{kBatch}).value();
  reference->SetParameters(parameters_);
  std::vector<float> expected(kBatch * 3);
  reference->Predict(std::as_bytes(std::span(boards)), int{kBatch}, expected);
  const std::vector<float> q = QValues(handle.get(), boards);
  for (std::size_t i = 0; i < q.size(); ++i) ASSERT_NEAR(q[i], expected[i], 1e-5) << i;
}

TEST_F(LibraryNetworkTest, ActionsAreTheBestOrDrawn) {
  WriteRun();
  const Handle handle = LoadRun();
  constexpr std::int32_t kBatch = 300;
  const std::vector<std::uint8_t> boards = Boards(kBatch);
  const std::vector<float> q = QValues(handle.get(), boards);
  const auto act = [&](double epsilon, std::uint64_t seed) {
    std::vector<std::int64_t> actions(kBatch);
    EXPECT_EQ(gorila_network_act(handle.get(), boards.data(), boards.size(), kBatch, epsilon, seed,
                                 actions.data()),
              GORILA_OK);
    return actions;
  };
  const std::vector<std::int64_t> greedy = act(0, 1);
  for (std::size_t i = 0; i < greedy.size(); ++i) {
    EXPECT_EQ(greedy[i], std::max_element(&q[3 * i], &q[3 * i] + 3) - &q[3 * i]);
  }
  EXPECT_EQ(act(0.5, 1), act(0.5, 1));
  EXPECT_NE(act(0.5, 1), act(0.5, 2));
  const std::vector<std::int64_t> drawn = act(1, 1);
  for (const std::int64_t action : {0, 1, 2}) {
    const auto count = std::count(drawn.begin(), drawn.end(), action);
    EXPECT_GT(count, kBatch / 5) << action;
  }
}

TEST_F(LibraryNetworkTest, DistributionsGiveTheirMeans) {
  config_.learner.agent.algorithm = "c51";
  WriteRun();
  const Handle handle = LoadRun();
  for (const float q : QValues(handle.get(), Boards(2))) {
    EXPECT_LT(std::abs(q), 10);  // within the atoms' range, and not a logit of each
  }
}

class LibraryPolicyTest : public LibraryNetworkTest {
 protected:
  static constexpr std::int32_t kBatch = 300;  // more than are computed at once

  void SetUp() override {
    LibraryNetworkTest::SetUp();
    config_.learner.agent.algorithm = "vtrace";
    config_.replay.options.selector.name = "queue";
    config_.replay.options.transition.n_step = 1;
  }

  std::vector<std::int64_t> Act(gorila_network* network, std::int32_t how, std::uint64_t seed,
                                const std::vector<std::uint8_t>& boards) {
    const auto batch = static_cast<std::int32_t>(boards.size() / spec_.input.stacked_bytes());
    std::vector<std::int64_t> actions(static_cast<std::size_t>(batch));
    EXPECT_EQ(gorila_network_act_by(network, how, boards.data(), boards.size(), batch, 0, seed,
                                    actions.data()),
              GORILA_OK)
        << gorila_last_error();
    return actions;
  }
};

TEST_F(LibraryPolicyTest, ProbabilitiesAndValuesAreTheNetworksOwnAndNoQValues) {
  WriteRun();
  const Handle handle = LoadRun();
  EXPECT_EQ(gorila_network_is_policy(handle.get()), 1);
  const std::vector<std::uint8_t> boards = Boards(kBatch);
  std::vector<float> probabilities(kBatch * 3), values(kBatch);
  ASSERT_EQ(gorila_network_probabilities(handle.get(), boards.data(), boards.size(), kBatch,
                                         probabilities.data(), values.data()),
            GORILA_OK)
      << gorila_last_error();
  const auto reference = MakeQNetwork("reference", spec_, int{kBatch}).value();
  reference->SetParameters(parameters_);
  std::vector<float> expected(kBatch * 4);
  reference->Predict(std::as_bytes(std::span(boards)), int{kBatch}, expected);
  for (std::size_t i = 0; i < kBatch; ++i) {
    double sum = 0;
    for (std::size_t a = 0; a < 3; ++a) sum += std::exp(static_cast<double>(expected[4 * i + a]));
    for (std::size_t a = 0; a < 3; ++a) {
      const double logit = expected[4 * i + a];
      ASSERT_NEAR(probabilities[3 * i + a], std::exp(logit) / sum, 1e-5) << i;
    }
    ASSERT_NEAR(values[i], expected[4 * i + 3], 1e-5) << i;
  }
  std::vector<float> values_alone(kBatch);
  ASSERT_EQ(gorila_network_probabilities(handle.get(), boards.data(), boards.size(), kBatch,
                                         nullptr, values_alone.data()),
            GORILA_OK);
  EXPECT_EQ(values_alone, values);
  EXPECT_EQ(gorila_network_q_values(handle.get(), boards.data(), boards.size(), kBatch,
                                    probabilities.data()),
            GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(),
              AllOf(HasSubstr("vtrace"), HasSubstr("gorila_network_probabilities")));
}

TEST_F(LibraryPolicyTest, ActionsAreDrawnAsConfiguredOrAsTheCallerSays) {
  WriteRun();
  const Handle handle = LoadRun();
  EXPECT_EQ(gorila_network_configured_act(handle.get()), GORILA_ACT_SAMPLE);
  const std::vector<std::uint8_t> boards = Boards(kBatch);
  std::vector<float> probabilities(kBatch * 3);
  ASSERT_EQ(gorila_network_probabilities(handle.get(), boards.data(), boards.size(), kBatch,
                                         probabilities.data(), nullptr),
            GORILA_OK);
  std::vector<std::int64_t> likeliest;
  for (auto p = probabilities.begin(); p != probabilities.end(); p += 3) {
    likeliest.push_back(std::max_element(p, p + 3) - p);
  }
  const std::vector<std::int64_t> sampled = Act(handle.get(), GORILA_ACT_SAMPLE, 1, boards);
  EXPECT_NE(sampled, likeliest);
  EXPECT_EQ(Act(handle.get(), GORILA_ACT_CONFIGURED, 1, boards), sampled);
  EXPECT_NE(Act(handle.get(), GORILA_ACT_SAMPLE, 2, boards), sampled);
  EXPECT_EQ(Act(handle.get(), GORILA_ACT_ARGMAX, 1, boards), likeliest);
  std::vector<std::int64_t> by_default(kBatch);
  ASSERT_EQ(gorila_network_act(handle.get(), boards.data(), boards.size(), kBatch, 0, 1,
                               by_default.data()),
            GORILA_OK);
  EXPECT_EQ(by_default, sampled);
  // The first rows' draws do not depend on how many follow.
  const std::vector<std::uint8_t> few(boards.begin(), boards.begin() + 5 * 50);
  EXPECT_EQ(Act(handle.get(), GORILA_ACT_SAMPLE, 1, few),
            std::vector<std::int64_t>(sampled.begin(), sampled.begin() + 5));

  Handle argmax;
  ASSERT_EQ(Load(argmax, run_, {"evaluation.act=argmax"}), GORILA_OK);
  EXPECT_EQ(gorila_network_configured_act(argmax.get()), GORILA_ACT_ARGMAX);
  EXPECT_EQ(Act(argmax.get(), GORILA_ACT_CONFIGURED, 1, boards), likeliest);
  EXPECT_EQ(Act(argmax.get(), GORILA_ACT_SAMPLE, 1, boards), sampled);
  std::int64_t action = 0;
  EXPECT_EQ(gorila_network_act_by(handle.get(), 3, boards.data(), 50, 1, 0, 1, &action),
            GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(), HasSubstr("how is 3"));
}

// How often each action is drawn in one state, over many seeds of a batch.
TEST_F(LibraryPolicyTest, DrawsFollowTheProbabilities) {
  WriteRun();
  const Handle handle = LoadRun();
  const std::vector<std::uint8_t> one = Boards(1);
  std::vector<std::uint8_t> boards;
  for (int i = 0; i < 4000; ++i) boards.insert(boards.end(), one.begin(), one.end());
  float probabilities[3];
  ASSERT_EQ(
      gorila_network_probabilities(handle.get(), one.data(), one.size(), 1, probabilities, nullptr),
      GORILA_OK);
  const std::vector<std::int64_t> actions = Act(handle.get(), GORILA_ACT_SAMPLE, 7, boards);
  for (std::int64_t a = 0; a < 3; ++a) {
    const auto count = static_cast<double>(std::count(actions.begin(), actions.end(), a));
    EXPECT_NEAR(count / 4000, probabilities[a], 0.03) << a;
  }
}

TEST_F(LibraryPolicyTest, AnEvaluationSamplesAsThatOfTheProgram) {
  WriteRun();
  const Handle handle = LoadRun();
  std::vector<double> returns(40);
  ASSERT_EQ(gorila_network_evaluate(handle.get(), "epsilon-0.05", 40, 5, -1, nullptr, nullptr,
                                    returns.data(), nullptr),
            GORILA_OK);
  const auto expected =
      Evaluate(config_, parameters_, {.protocol = "epsilon-0.05", .episodes = 40, .seed = 5});
  EXPECT_EQ(expected->act, ActBy::kSample);
  EXPECT_EQ(returns, expected->returns);
}

TEST_F(LibraryNetworkTest, ValuesAreNoProbabilities) {
  WriteRun();
  const Handle handle = LoadRun();
  EXPECT_EQ(gorila_network_is_policy(handle.get()), 0);
  EXPECT_EQ(gorila_network_configured_act(handle.get()), GORILA_ACT_ARGMAX);
  const std::vector<std::uint8_t> boards = Boards(1);
  float probabilities[3];
  EXPECT_EQ(gorila_network_probabilities(handle.get(), boards.data(), boards.size(), 1,
                                         probabilities, nullptr),
            GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(),
              AllOf(HasSubstr("double_dqn"), HasSubstr("gorila_network_q_values")));
}

TEST_F(LibraryNetworkTest, TensorsAreTheParameters) {
  WriteRun();
  const Handle handle = LoadRun();
  std::vector<float> all;
  for (std::int32_t i = 0; i < gorila_network_num_tensors(handle.get()); ++i) {
    gorila_tensor tensor = {};
    tensor.struct_size = sizeof tensor;
    ASSERT_EQ(gorila_network_tensor(handle.get(), i, &tensor), GORILA_OK);
    if (i == 0) {
      EXPECT_STREQ(tensor.name, "fc1.weight");
      EXPECT_EQ(tensor.rank, 2);
      EXPECT_EQ(tensor.shape[0], 16);
      EXPECT_EQ(tensor.shape[1], 50);
    }
    all.insert(all.end(), tensor.values, tensor.values + tensor.size);
  }
  EXPECT_EQ(all, parameters_);
  gorila_tensor tensor = {};
  tensor.struct_size = sizeof tensor;
  EXPECT_EQ(gorila_network_tensor(handle.get(), 99, &tensor), GORILA_INVALID_ARGUMENT);
}

TEST_F(LibraryNetworkTest, AnEvaluationIsThatOfTheProgram) {
  WriteRun();
  const Handle handle = LoadRun();
  const std::uint64_t seed = gorila_network_evaluation_seed(handle.get());
  EXPECT_EQ(seed, FinalEvaluationSeed(config_));
  std::vector<double> returns(40);
  std::int64_t steps = 0;
  ASSERT_EQ(gorila_network_evaluate(handle.get(), nullptr, 40, seed, 0.3, nullptr, nullptr,
                                    returns.data(), &steps),
            GORILA_OK);
  config_.evaluation.epsilon = 0.3;
  const auto expected =
      Evaluate(config_, parameters_,
               {.protocol = config_.evaluation.protocol, .episodes = 40, .seed = seed});
  EXPECT_EQ(returns, expected->returns);
  EXPECT_EQ(steps, expected->steps);
}

// The signal that a caller sends itself arrives while it is asked, not while the network computes.
volatile sig_atomic_t arrived = 0;

TEST_F(LibraryNetworkTest, SignalsOfTheCallerArriveWhereItIsAsked) {
  WriteRun();
  const Handle handle = LoadRun();
  struct sigaction before = {};
  struct sigaction action = {};
  action.sa_handler = [](int) { arrived = 1; };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  std::vector<double> returns(1000);
  const std::int32_t code = gorila_network_evaluate(
      handle.get(), "greedy", 1000, 1, -1,
      [](void*) -> std::int32_t {
        if (arrived != 0) return 1;
        raise(SIGUSR1);
        return 0;
      },
      nullptr, returns.data(), nullptr);
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(code, GORILA_CANCELLED);
  EXPECT_EQ(arrived, 1);
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGUSR1), 0);
}

// Python's process may have a libtorch of its own.
TEST_F(LibraryNetworkTest, ANetworkOfLibtorchIsComputedWithoutIt) {
  config_.network.backend = "torch";
  config_.network.device = "cuda:1";
  WriteRun();
  const Handle handle = LoadRun();
  EXPECT_THAT(gorila_network_config(handle.get()), HasSubstr("backend = \"auto\""));
  EXPECT_EQ(QValues(handle.get(), Boards(1)).size(), 3u);
}

TEST_F(LibraryNetworkTest, ItsEnvironmentsAreTheRuns) {
  config_.environment.options.max_episode_steps = 4;
  WriteRun();
  const Handle handle = LoadRun();
  EXPECT_STREQ(gorila_network_environment(handle.get()), "classic/catch");
  EXPECT_STREQ(gorila_network_algorithm(handle.get()), "double_dqn");
  EXPECT_STREQ(gorila_network_action_name(handle.get(), 0), "left");
  EXPECT_EQ(gorila_network_file(handle.get()), FinalNetworkFile(run_).string());
  gorila_environments* made = nullptr;
  ASSERT_EQ(
      gorila_environments_of_network(handle.get(), nullptr, 0, 1, 1, GORILA_NO_AUTORESET, &made),
      GORILA_OK);
  std::vector<std::uint8_t> observation(50);
  ASSERT_EQ(gorila_environments_reset(made, nullptr, nullptr, observation.data()), GORILA_OK);
  std::uint8_t terminated = 0, truncated = 0;
  for (int i = 0; i < 4; ++i) {
    const std::int64_t action = 0;
    double reward = 0;
    ASSERT_EQ(gorila_environments_step(made, &action, observation.data(), &reward, &terminated,
                                       &truncated, nullptr),
              GORILA_OK);
  }
  EXPECT_EQ(truncated, 1);
  gorila_environments_free(made);
}

TEST_F(LibraryNetworkTest, ErrorsNameWhatIsWrong) {
  WriteRun();
  Handle handle;
  EXPECT_EQ(Load(handle, run_ / "none"), GORILA_NOT_FOUND);
  EXPECT_THAT(gorila_last_error(), HasSubstr("none"));
  fs::create_directories(run_ / "empty");
  EXPECT_EQ(Load(handle, run_ / "empty"), GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(), AllOf(HasSubstr("empty"), HasSubstr("checkpoint")));
  EXPECT_EQ(Load(handle, run_, {"network.hidden=[8]"}), GORILA_DATA_LOSS);
  EXPECT_THAT(gorila_last_error(), HasSubstr("fc1.weight"));
  EXPECT_EQ(Load(handle, run_, {"network.hiden=[8]"}), GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(), HasSubstr("network.hidden"));
  EXPECT_EQ(handle, nullptr);
  handle = LoadRun();
  const std::vector<std::uint8_t> boards = Boards(2);
  std::vector<float> q(6);
  EXPECT_EQ(gorila_network_q_values(handle.get(), boards.data(), boards.size() - 1, 2, q.data()),
            GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(), AllOf(HasSubstr("99 bytes"), HasSubstr("expected 100")));
  std::vector<std::int64_t> actions(2);
  EXPECT_EQ(gorila_network_act(handle.get(), boards.data(), boards.size(), 2, std::nan(""), 1,
                               actions.data()),
            GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(), HasSubstr("epsilon is nan"));
  EXPECT_EQ(gorila_network_q_values(handle.get(), nullptr, 0, 0, nullptr), GORILA_OK);
  double returned = 0;
  EXPECT_EQ(gorila_network_evaluate(handle.get(), "gredy", 1, 1, -1, nullptr, nullptr, &returned,
                                    nullptr),
            GORILA_INVALID_ARGUMENT);
  EXPECT_THAT(gorila_last_error(), HasSubstr("did you mean 'greedy'"));
}

}  // namespace
}  // namespace gorila
