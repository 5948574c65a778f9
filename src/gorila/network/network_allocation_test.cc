// What the fast backends allocate once they have seen a batch size.
#include <gtest/gtest.h>

#include "gorila/base/allocation_counter.h"
#include "gorila/base/random.h"
#include "gorila/network/q_network.h"

namespace gorila {
namespace {

// Of a learner's step and an actor's prediction, the second time round.
AllocationCounts CountSecondRound(std::string_view backend, int filters = 16, int taus = 0) {
  constexpr int kBatch = 4;
  const NetworkSpec spec = {.input = {.channels = 2, .height = 12, .width = 12},
                            .convolutions = {{.filters = filters, .kernel = 4, .stride = 2},
                                             {.filters = filters, .kernel = 3, .stride = 1}},
                            .hidden = {32},
                            .num_actions = 3,
                            .taus = taus};
  const auto network = MakeQNetwork(backend, spec, kBatch).value();
  RandomStream random(1);
  const std::vector<float> parameters = InitialParameters(network->layout(), random);
  const std::vector<std::byte> observations(kBatch * spec.input.stacked_bytes(), std::byte{1});
  const std::span<const std::byte> first =
      std::span(observations).first(spec.input.stacked_bytes());
  const std::vector<float> at(static_cast<std::size_t>(kBatch * taus), 0.25F);
  const auto outputs = static_cast<std::size_t>(spec.outputs());
  std::vector<float> q(kBatch * outputs);
  std::vector<float> gradient(parameters.size());
  for (int round = 0; round < 2; ++round) {
    ResetAllocationCounts();
    network->SetParameters(parameters);
    network->Predict(first, 1, std::span(q).first(outputs));
    network->PredictSame(*network, first, 1, std::span(q).first(outputs));
    network->UseTaus(at);
    network->Forward(observations, kBatch, q);
    network->Backward(q, gradient);
  }
  return CountAllocations();
}

TEST(NetworkAllocationTest, ASampledHeadAllocatesNothing) {
  EXPECT_EQ(CountSecondRound("gemm", 16, 5).allocations, 0U);
  EXPECT_LT(CountSecondRound("onednn", 16, 5).largest, 1024U);
}

TEST(NetworkAllocationTest, GemmAllocatesNothing) {
  EXPECT_EQ(CountSecondRound("gemm").allocations, 0U);
}

// oneDNN itself makes a small table of arguments in every execution.
TEST(NetworkAllocationTest, OneDnnAllocatesNoBuffers) {
  EXPECT_LT(CountSecondRound("onednn").largest, 1024U);
}

// Of both kinds of network: convolutions by SGEMM and by oneDNN.
TEST(NetworkAllocationTest, Bfloat16AllocatesNoBuffers) {
  const Status here = CheckBackend("bfloat16", "cpu");
  if (!here.ok()) GTEST_SKIP() << here;
  EXPECT_LT(CountSecondRound("bfloat16").largest, 1024U);
  EXPECT_LT(CountSecondRound("bfloat16", 96).largest, 1024U);
}

TEST(NetworkAllocationTest, CountsWhatTheReferenceAllocates) {
  const AllocationCounts counts = CountSecondRound("reference");
  EXPECT_GT(counts.allocations, 0U);
  EXPECT_GT(counts.largest, 1024U);
}

}  // namespace
}  // namespace gorila
