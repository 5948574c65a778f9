// Inserting and sampling allocate nothing once the first minibatch was drawn. (zstd has its own
// memory, which its contexts keep.)
#include <gtest/gtest.h>

#include "gorila/base/allocation_counter.h"
#include "gorila/replay/local_replay.h"

namespace gorila {
namespace {

class ReplayAllocationTest : public testing::TestWithParam<FrameCompression> {};

TEST_P(ReplayAllocationTest, InsertingAndSamplingAllocateNothing) {
  const ObservationSpec observation{.height = 84, .width = 84, .stack = 4};
  const auto replay = LocalReplay::Make({.capacity = 600,
                                         .rate = {.updates_per_step = 1e9, .min_size = 1},
                                         .frames = {.compression = GetParam()}},
                                        observation, 2, RandomStream(1))
                          .value();
  std::vector<std::byte> frame(observation.frame_bytes());
  TransitionBatch batch;
  const auto insert = [&](int row) {
    frame[static_cast<std::size_t>(row) % frame.size()] = static_cast<std::byte>(row);
    const StepType type = row < 2 ? StepType::kFirst : StepType::kMid;
    return replay->Insert(row % 2, {.frame = frame, .time_step = {.step_type = type}}).ok();
  };
  for (int row = 0; row < 1000; ++row) ASSERT_TRUE(insert(row));
  ASSERT_TRUE(replay->Sample(32, batch).ok());
  ResetAllocationCounts();
  bool ok = true;
  for (int row = 1000; row < 2000; ++row) {
    ok = insert(row) && replay->Sample(32, batch).ok() && ok;
  }
  EXPECT_EQ(CountAllocations().allocations, 0U);
  EXPECT_TRUE(ok);
}

INSTANTIATE_TEST_SUITE_P(Compressions, ReplayAllocationTest,
                         testing::Values(FrameCompression::kNone, FrameCompression::kZstd),
                         [](const auto& info) {
                           return info.param == FrameCompression::kZstd ? "Zstd" : "None";
                         });

}  // namespace
}  // namespace gorila
