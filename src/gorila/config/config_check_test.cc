#include <gtest/gtest.h>

#include "gorila/config/config_keys.h"

namespace gorila {
namespace {

// CheckConfig's message for the defaults with some keys changed; "" when they go together.
std::string Check(const std::vector<std::pair<std::string_view, std::string_view>>& changes) {
  Config config;
  for (const auto& [key, value] : changes) {
    EXPECT_EQ(SetConfigValue(config, key, value), OkStatus());
  }
  return std::string(CheckConfig(config).message());
}

TEST(CheckConfigTest, TheDefaultsGoTogether) { EXPECT_EQ(Check({}), ""); }

TEST(CheckConfigTest, DeterministicRunsAreNotEndedByTime) {
  EXPECT_EQ(Check({{"run.deterministic", "true"}, {"run.seconds", "60"}}),
            "run.seconds is 60 in a deterministic run; expected 0, because wall time differs from "
            "run to run (run.frames ends it)");
  EXPECT_EQ(Check({{"run.seconds", "60"}}), "");
  EXPECT_EQ(Check({{"run.deterministic", "true"}}), "");
}

TEST(CheckConfigTest, ActorsLearnersAndReplayShardsComeTogether) {
  EXPECT_EQ(Check({{"cluster.actors", "2"}, {"cluster.replays", "1"}}),
            "cluster.actors, learners and replays are 2, 0 and 1; expected all of them to be 0, or "
            "none");
  EXPECT_EQ(Check({{"run.bundles", "0"}}),
            "run.bundles is 0; expected 1 or more without cluster.actors");
  EXPECT_EQ(Check({{"run.bundles", "0"},
                   {"cluster.actors", "4"},
                   {"cluster.learners", "1"},
                   {"cluster.replays", "2"}}),
            "");
}

TEST(CheckConfigTest, OnPolicyAlgorithmsLearnFromAQueueByAKnownPolicy) {
  EXPECT_EQ(Check({{"learner.algorithm", "sarsa"}}),
            "replay.selector is uniform with learner.algorithm sarsa, which learns on-policy; "
            "expected queue");
  EXPECT_EQ(Check({{"learner.algorithm", "expected_sarsa"}, {"replay.selector", "queue"}}), "");
  EXPECT_EQ(Check({{"learner.algorithm", "sarsa"},
                   {"replay.selector", "queue"},
                   {"actor.epsilon_spread", "7"}}),
            "actor.epsilon_spread is 7 with learner.algorithm sarsa; expected 0: the value of a "
            "policy needs the epsilon that all actors have");
  // In one process nothing is sampled ahead.
  EXPECT_EQ(Check({{"replay.selector", "queue"}, {"replay.prefetch", "true"}}), "");
  EXPECT_EQ(Check({{"replay.selector", "queue"},
                   {"replay.prefetch", "true"},
                   {"cluster.actors", "1"},
                   {"cluster.learners", "1"},
                   {"cluster.replays", "1"}}),
            "replay.prefetch is true with replay.selector queue; expected false: minibatches "
            "drawn ahead would be of an older policy");
}

TEST(CheckConfigTest, InitialPrioritiesAreTdErrorsOfValues) {
  const auto check = [](std::string_view key, std::string_view value) {
    return Check({{"replay.initial_priorities", "true"}, {key, value}});
  };
  EXPECT_EQ(check("replay.selector", "uniform"),
            "replay.initial_priorities is true with replay.selector uniform; expected prioritized");
  EXPECT_EQ(check("replay.selector", "prioritized"), "");
  EXPECT_EQ(Check({{"replay.initial_priorities", "true"},
                   {"replay.selector", "prioritized"},
                   {"learner.algorithm", "c51"}}),
            "replay.initial_priorities is true with learner.algorithm c51, whose priorities are "
            "not TD errors of values; expected false");
}

TEST(CheckConfigTest, TheImportanceExponentRises) {
  EXPECT_EQ(Check({{"replay.importance_exponent_end", "0.2"}}),
            "replay.importance_exponent_end is 0.2; expected at least replay.importance_exponent, "
            "0.4, or -1 (it stays)");
  EXPECT_EQ(Check({{"replay.importance_exponent_end", "1"}}), "");
}

TEST(CheckConfigTest, LayersBelongToTheCustomNetwork) {
  EXPECT_EQ(Check({{"network.preset", "custom"}}),
            "network.preset is custom without layers; expected network.convolutions, "
            "network.hidden or both");
  EXPECT_EQ(Check({{"network.preset", "mlp"}, {"network.hidden", "[8]"}}),
            "network.preset is mlp, which has its own layers; expected custom, or no "
            "network.convolutions and network.hidden");
  EXPECT_EQ(Check({{"network.preset", "custom"}, {"network.hidden", "[8]"}}), "");
  EXPECT_EQ(Check({{"network.preset", "custom"}, {"network.convolutions", "[[8, 3, 1]]"}}), "");
}

TEST(CheckConfigTest, TheDeviceIsOneThatTheBackendComputesOn) {
  EXPECT_EQ(Check({{"network.device", "cuda"}}),
            "network.device is cuda with network.backend auto; expected cpu, or network.backend "
            "torch");
  EXPECT_EQ(Check({{"network.backend", "torch"}, {"network.device", "cuda:1"}}), "");
  EXPECT_EQ(Check({{"network.backend", "torch"}, {"network.device", "gpu"}}),
            "network.device is 'gpu'; expected cpu, cuda or cuda:N with N from 0 to 99");
}

TEST(CheckConfigTest, EpsilonDoesNotRise) {
  EXPECT_EQ(Check({{"actor.epsilon_start", "0.1"}, {"actor.epsilon_end", "0.5"}}),
            "actor.epsilon_end is 0.5; expected at most actor.epsilon_start, 0.1");
  EXPECT_EQ(Check({{"actor.epsilon_start", "0.1"}, {"actor.epsilon_end", "0.1"}}), "");
}

TEST(CheckConfigTest, ReplayHoldsWhatLearningStartsWith) {
  EXPECT_EQ(Check({{"replay.capacity", "1000"}, {"replay.min_size", "1001"}}),
            "replay.min_size is 1001; expected at most replay.capacity, 1000");
  EXPECT_EQ(Check({{"replay.capacity", "1000"}, {"replay.min_size", "1000"}}), "");
}

TEST(CheckConfigTest, BytesAreSetAsideForCompressedFramesOnly) {
  EXPECT_EQ(Check({{"replay.compressed_frame_bytes", "500"}}),
            "replay.compressed_frame_bytes is 500 with replay.compression none; expected 0, or "
            "zstd");
  EXPECT_EQ(Check({{"replay.compressed_frame_bytes", "500"}, {"replay.compression", "zstd"}}), "");
}

TEST(CheckConfigTest, ReplayHoldsATransitionOfEachEnvironment) {
  EXPECT_EQ(Check({{"replay.capacity", "31"},
                   {"replay.min_size", "1"},
                   {"learner.n_step", "3"},
                   {"actor.environments", "8"}}),
            "replay.capacity is 31; expected at least 32 (learner.n_step + 1 for each of 8 "
            "actor.environments)");
  EXPECT_EQ(Check({{"replay.capacity", "32"},
                   {"replay.min_size", "1"},
                   {"learner.n_step", "3"},
                   {"actor.environments", "8"}}),
            "");
}

// What makes a run of V-trace; `changes` last.
std::string CheckVTrace(const std::vector<std::pair<std::string_view, std::string_view>>& changes) {
  std::vector<std::pair<std::string_view, std::string_view>> all = {
      {"learner.algorithm", "vtrace"}, {"replay.selector", "queue"},  {"learner.n_step", "1"},
      {"replay.prefetch", "false"},    {"learner.batch_size", "8"},   {"learner.unroll", "10"},
      {"replay.capacity", "4000"},     {"replay.insert_lead", "400"}, {"replay.min_size", "1"}};
  all.insert(all.end(), changes.begin(), changes.end());
  return Check(all);
}

TEST(CheckConfigTest, ReplayHoldsAnUnrollOfEachEnvironment) {
  EXPECT_EQ(CheckVTrace({{"replay.capacity", "87"}, {"actor.environments", "8"}}),
            "replay.capacity is 87; expected at least 88 (learner.unroll + 1 for each of 8 "
            "actor.environments)");
  EXPECT_EQ(CheckVTrace({{"replay.capacity", "88"}, {"actor.environments", "8"}}), "");
}

// Before a process is started.
TEST(CheckConfigTest, AShardHoldsTheUnrollsOfItsStreamsAndItsQueue) {
  const auto check = [](std::vector<std::pair<std::string_view, std::string_view>> changes) {
    changes.insert(changes.begin(), {{"cluster.actors", "4"},
                                     {"cluster.learners", "1"},
                                     {"cluster.replays", "2"},
                                     {"actor.environments", "2"}});
    return CheckVTrace(changes);
  };
  EXPECT_EQ(check({}), "");
  EXPECT_EQ(check({{"replay.insert_lead", "79"}}),
            "replay.insert_lead is 79 with replay.selector queue; expected at least "
            "learner.batch_size x learner.unroll, 80, and at most half of replay.capacity, 2000");
  EXPECT_EQ(check({{"replay.insert_lead", "2001"}}).substr(0, 26), "replay.insert_lead is 2001");
  EXPECT_EQ(check({{"replay.capacity", "951"}}),
            "replay.capacity is 951; expected at least 952 (learner.unroll 10 + 128 for each of a "
            "shard's 4 environments + replay.insert_lead 400)");
  EXPECT_EQ(check({{"replay.capacity", "952"}}), "");
}

TEST(CheckConfigTest, OnlyUnrollsOfAQueueAreDrawnAgain) {
  EXPECT_EQ(CheckVTrace({{"replay.replayed_share", "0.5"}}), "");
  EXPECT_EQ(CheckVTrace({{"replay.replayed_share", "0.12"}}),
            "replay.replayed_share is 0.12, less than one unroll of learner.batch_size 8; expected "
            "0, or at least 1 / 8");
  EXPECT_EQ(Check({{"learner.algorithm", "sarsa"},
                   {"replay.selector", "queue"},
                   {"replay.replayed_share", "0.5"}}),
            "replay.replayed_share is 0.5 with learner.algorithm sarsa, which learns from each "
            "transition once; expected 0, or vtrace");
  EXPECT_EQ(Check({{"replay.replayed_share", "0.5"}}),
            "replay.replayed_share is 0.5 with replay.selector uniform; expected 0, or the "
            "selector queue");
}

TEST(CheckConfigTest, ADecayOfTheLearningRateHasAnEnd) {
  EXPECT_EQ(Check({{"optimizer.learning_rate_end", "0.001"}}), "");
  EXPECT_EQ(Check({{"optimizer.learning_rate_end", "-1"}, {"optimizer.decay_updates", "10"}}),
            "optimizer.decay_updates is 10 without optimizer.learning_rate_end; expected 0, or a "
            "learning rate to end at");
  EXPECT_EQ(Check({{"optimizer.learning_rate_end", "-0.5"}}),
            "optimizer.learning_rate_end is -0.5; expected 0 or more, or -1 (constant)");
  EXPECT_EQ(Check({{"optimizer.learning_rate_end", "0"}, {"optimizer.decay_updates", "10"}}), "");
}

// CheckLearning's message for 8 environments with some keys changed.
std::string CheckLearns(const std::vector<std::pair<std::string_view, std::string_view>>& changes) {
  Config config;
  for (const auto& [key, value] : changes) {
    EXPECT_EQ(SetConfigValue(config, key, value), OkStatus());
  }
  return std::string(CheckLearning(config).message());
}

TEST(CheckLearningTest, ARunIsLongerThanWhatItsBundlesCollectFirst) {
  EXPECT_EQ(
      CheckLearns({{"run.frames", "3000"}, {"run.bundles", "4"}, {"replay.min_size", "800"}}),
      "run.frames is 3000, and the first update would come after 3200: run.bundles 4 + "
      "cluster.actors 0 collect 800 frames (replay.min_size) for a memory first; expected more "
      "frames, or a smaller replay.min_size");
  EXPECT_EQ(CheckLearns({{"run.frames", "3200"}, {"run.bundles", "4"}, {"replay.min_size", "800"}}),
            "");
  EXPECT_EQ(CheckLearns({}), "");
}

// 8 environments take their step together: 800 frames of a bundle are there after 100 steps.
TEST(CheckLearningTest, TheLastStepOfARunCounts) {
  EXPECT_NE(CheckLearns({{"run.frames", "792"}, {"run.bundles", "1"}, {"replay.min_size", "800"}}),
            "");
  EXPECT_EQ(CheckLearns({{"run.frames", "793"}, {"run.bundles", "1"}, {"replay.min_size", "800"}}),
            "");
}

TEST(CheckLearningTest, AShardOfTheGlobalReplayFillsFromItsPartOfTheStreams) {
  const auto check = [](std::string_view frames, std::string_view actors) {
    return CheckLearns({{"run.frames", frames},
                        {"run.bundles", "0"},
                        {"cluster.actors", actors},
                        {"cluster.learners", "1"},
                        {"cluster.replays", "2"},
                        {"replay.min_size", "800"}});
  };
  EXPECT_NE(check("1500", "2"), "");
  EXPECT_EQ(check("1600", "2"), "");
}

// 8 unrolls of 10 time steps, or with half of them drawn again 4.
TEST(CheckLearningTest, OnlyNewUnrollsAreCollectedForAMinibatch) {
  const auto check = [](std::string_view frames, std::string_view share) {
    return CheckLearns({{"run.frames", frames},
                        {"run.bundles", "1"},
                        {"actor.environments", "1"},
                        {"learner.algorithm", "vtrace"},
                        {"replay.selector", "queue"},
                        {"learner.batch_size", "8"},
                        {"learner.unroll", "10"},
                        {"replay.replayed_share", share}});
  };
  EXPECT_EQ(check("79", "0"),
            "run.frames is 79, and the first update would come after 80: run.bundles 1 + "
            "cluster.actors 0 collect 80 frames (learner.unroll for each new unroll of a "
            "minibatch) for a memory first; expected more frames, or a smaller learner.unroll or "
            "learner.batch_size");
  EXPECT_EQ(check("80", "0"), "");
  EXPECT_NE(check("39", "0.5"), "");
  EXPECT_EQ(check("40", "0.5"), "");
}

TEST(CheckConfigTest, TheBestNetworkNeedsEvaluationsWhileTraining) {
  EXPECT_EQ(Check({{"evaluation.best", "true"}}),
            "evaluation.best is true without evaluations while training; expected "
            "evaluation.every_frames above 0");
  EXPECT_EQ(Check({{"evaluation.best", "true"}, {"evaluation.every_frames", "1000"}}), "");
}

}  // namespace
}  // namespace gorila
