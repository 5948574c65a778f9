// What the fast backends allocate once they have seen a batch size. In a program of its own,
// because it replaces the global operator new.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

#include "gorila/base/random.h"
#include "gorila/network/q_network.h"

namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> largest{0};

void Count(std::size_t size) {
  ++allocations;
  largest = std::max(largest.load(), size);
}

}  // namespace

void* operator new(std::size_t size) {
  Count(size);
  void* memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  Count(size);
  const auto boundary = static_cast<std::size_t>(alignment);
  void* memory = std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary);
  if (memory == nullptr) std::abort();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace gorila {
namespace {

struct Counts {
  std::size_t allocations;
  std::size_t largest;
};

// Of a learner's step and an actor's prediction, the second time round.
Counts CountSecondRound(std::string_view backend) {
  constexpr int kBatch = 4;
  const NetworkSpec spec = {.input = {.channels = 2, .height = 12, .width = 12},
                            .convolutions = {{.filters = 16, .kernel = 4, .stride = 2},
                                             {.filters = 16, .kernel = 3, .stride = 1}},
                            .hidden = {32},
                            .num_actions = 3};
  const auto network = MakeQNetwork(backend, spec, kBatch).value();
  RandomStream random(1);
  const std::vector<float> parameters = InitialParameters(network->layout(), random);
  const std::vector<std::byte> observations(kBatch * spec.input.stacked_bytes(), std::byte{1});
  const std::span<const std::byte> first =
      std::span(observations).first(spec.input.stacked_bytes());
  std::vector<float> q(kBatch * 3);
  std::vector<float> gradient(parameters.size());
  for (int round = 0; round < 2; ++round) {
    allocations = 0;
    largest = 0;
    network->SetParameters(parameters);
    network->Predict(first, 1, std::span(q).first(3));
    network->Forward(observations, kBatch, q);
    network->Backward(q, gradient);
  }
  return {.allocations = allocations, .largest = largest};
}

TEST(NetworkAllocationTest, GemmAllocatesNothing) {
  EXPECT_EQ(CountSecondRound("gemm").allocations, 0U);
}

// oneDNN itself makes a small table of arguments in every execution.
TEST(NetworkAllocationTest, OneDnnAllocatesNoBuffers) {
  EXPECT_LT(CountSecondRound("onednn").largest, 1024U);
}

TEST(NetworkAllocationTest, CountsWhatTheReferenceAllocates) {
  const Counts counts = CountSecondRound("reference");
  EXPECT_GT(counts.allocations, 0U);
  EXPECT_GT(counts.largest, 1024U);
}

}  // namespace
}  // namespace gorila
