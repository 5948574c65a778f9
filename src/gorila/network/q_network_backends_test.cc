// The table of backends: what it chooses, and what it and they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "gorila/network/network_samples.h"
#include "gorila/network/torch/torch_module.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;

TEST(QNetworkDeathTest, ArgumentsOfTheWrongSizeAbortInEveryBackend) {
  const NetworkSpec spec = *MakeNetworkSpec("mlp", CartPole());
  for (const std::string& backend : BackendNames()) {
    const std::unique_ptr<QNetwork> network = *MakeQNetwork(backend, spec, 2);
    Sample sample(spec, 2, 1);
    EXPECT_DEATH(network->Predict(sample.observations, 2, sample.q), "parameters were not set");
    EXPECT_DEATH(network->SetParameters(std::span(sample.parameters).first(5)), "5 values for");
    network->SetParameters(sample.parameters);
    EXPECT_DEATH(network->Predict(sample.observations, 3, sample.q), "batch 3 is not in 1..2");
    EXPECT_DEATH(network->Predict(sample.observations, 1, sample.q), "32 bytes for 1 obs");
    EXPECT_DEATH(network->Forward(sample.observations, 2, std::span(sample.q).first(3)),
                 "room for 3 outputs");
    EXPECT_DEATH(network->Backward(sample.dq, sample.gradient), "Backward without Forward");
    network->Forward(sample.observations, 2, sample.q);
    EXPECT_DEATH(network->Backward(std::span(sample.dq).first(2), sample.gradient),
                 "2 derivatives");
  }
}

TEST(QNetworkDeathTest, TausThatDoNotFitAbortInEveryBackend) {
  const NetworkSpec plain = *MakeNetworkSpec("mlp", CartPole());
  NetworkSpec sampled = plain;
  sampled.taus = 3;
  Sample sample(plain, 2, 1);
  Sample further(sampled, 2, 1);
  for (const std::string& backend : BackendNames()) {
    const auto network = MakeQNetwork(backend, plain, 2).value();
    network->SetParameters(sample.parameters);
    const auto use = [&] {
      network->UseTaus(further.taus);
      network->Predict(sample.observations, 2, sample.q);
    };
    EXPECT_DEATH(use(), "6 taus for a") << backend;
    const auto head = MakeQNetwork(backend, sampled, 2).value();
    head->SetParameters(further.parameters);
    head->UseTaus(std::span(further.taus).first(5));
    EXPECT_DEATH(head->Predict(further.observations, 2, further.q), "5 taus for a") << backend;
  }
}

TEST(PredictSameTest, NetworksThatComputeDifferentlyReadTheirOwnInputs) {
  const NetworkSpec spec = *MakeNetworkSpec("minatar_dqn", Breakout());
  Sample sample(spec, 2, 1);
  for (const std::string& backend : BackendNames()) {
    const auto network = MakeQNetwork(backend, spec, 2).value();
    network->SetParameters(sample.parameters);
    network->Predict(sample.observations, 2, sample.q);
    for (const std::string& other : BackendNames()) {
      const auto twin = MakeQNetwork(other, spec, 2).value();
      twin->SetParameters(sample.parameters);
      twin->Predict(sample.observations, 2, sample.dq);
      std::vector<float> q(sample.q.size());
      network->PredictSame(*twin, sample.observations, 2, q);
      EXPECT_EQ(q, sample.q) << backend << " " << other;
    }
  }
}

// Backends round differently, so equal bits tell which one computed.
TEST(MakeQNetworkTest, AutoTakesGemmForSmallNetworksAndOneDnnForLargeOnes) {
  const std::vector<std::tuple<NetworkSpec, std::string, std::string>> expectations = {
      {*MakeNetworkSpec("minatar_dqn", Breakout()), "gemm", "onednn"},
      {*MakeNetworkSpec("nature_dqn", Atari()), "onednn", "gemm"},
  };
  for (const auto& [spec, chosen, other] : expectations) {
    Sample by_auto(spec, 2, 1);
    Sample by_chosen = by_auto;
    Sample by_other = by_auto;
    by_auto.Compute(**MakeQNetwork("auto", spec, 2));
    by_chosen.Compute(**MakeQNetwork(chosen, spec, 2));
    by_other.Compute(**MakeQNetwork(other, spec, 2));
    EXPECT_EQ(by_auto.gradient, by_chosen.gradient);
    EXPECT_NE(by_auto.gradient, by_other.gradient);
  }
}

TEST(MakeQNetworkTest, RefusesBadSpecsByLayerWithEveryBackend) {
  NetworkSpec spec = *MakeNetworkSpec("minatar_dqn", Breakout());
  spec.convolutions[0].kernel = 11;
  for (const std::string& backend : BackendNames()) {
    const Status status = MakeQNetwork(backend, spec, 4).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("conv1: kernel 11x11"));
  }
}

TEST(CheckDeviceTest, OnlyTorchComputesElsewhereThanOnTheCpu) {
  for (const std::string& backend : AllBackendNames()) {
    EXPECT_EQ(CheckDevice(backend, "cpu"), OkStatus()) << backend;
    EXPECT_EQ(CheckDevice(backend, "cuda").ok(), backend == "torch") << backend;
    EXPECT_EQ(CheckDevice(backend, "cuda:12").ok(), backend == "torch") << backend;
    for (const char* device :
         {"", "gpu", "cuda:", "cuda:x", "cuda:1x", "cuda:01", "cuda1", "cuda:100", "CPU"}) {
      const Status status = CheckDevice(backend, device);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << device;
      EXPECT_THAT(std::string(status.message()), HasSubstr(fmt::format("'{}'", device)));
    }
  }
  EXPECT_THAT(std::string(CheckDevice("gemm", "cuda").message()), HasSubstr("backend gemm"));
}

TEST(CheckBackendTest, WhatIsNotHereIsRefusedByName) {
  // More than any machine has.
  const Status status = CheckBackend("torch", "cuda:99");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(TorchIsBuiltIn() ? "network.device is cuda:99" : "built without libtorch"));
  EXPECT_EQ(CheckBackend("torch", "cpu").ok(), TorchIsBuiltIn());
  EXPECT_EQ(CheckBackend("auto", "cpu"), OkStatus());
}

TEST(MakeQNetworkTest, RefusesUnknownBackendsAndEmptyBatches) {
  const NetworkSpec spec = *MakeNetworkSpec("mlp", CartPole());
  const Status unknown = MakeQNetwork("gem", spec, 4).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("'gem'"));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("did you mean 'gemm'"));
  const Status empty = MakeQNetwork("auto", spec, 0).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(empty.message()), HasSubstr("max_batch is 0"));
}

}  // namespace
}  // namespace gorila
