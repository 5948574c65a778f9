// Inserting and sampling allocate nothing once the first minibatch was drawn. (zstd has its own
// memory, which its contexts keep.)
#include <gtest/gtest.h>

#include "gorila/base/allocation_counter.h"
#include "gorila/replay/local_replay.h"

namespace gorila {
namespace {

struct Kind {
  FrameCompression compression = FrameCompression::kNone;
  int unroll = 0;
  double share = 0;
};

class ReplayAllocationTest : public testing::TestWithParam<Kind> {};

TEST_P(ReplayAllocationTest, InsertingAndSamplingAllocateNothing) {
  const ObservationSpec observation{.height = 84, .width = 84, .stack = 4};
  constexpr int kMinibatch = 32;
  const bool unrolls = GetParam().unroll > 0;
  LocalReplayOptions options = {.capacity = unrolls ? 2400 : 600,
                                .transition = {.unroll = GetParam().unroll},
                                .rate = {.updates_per_step = 1e9, .min_size = 1},
                                .frames = {.compression = GetParam().compression}};
  if (unrolls) {
    options.selector = {
        .name = "queue", .minibatch = kMinibatch, .replayed_share = GetParam().share};
  }
  const auto replay = LocalReplay::Make(options, observation, 2, RandomStream(1)).value();
  std::vector<std::byte> frame(observation.frame_bytes());
  TransitionBatch batch;
  const auto insert = [&](int row) {
    frame[static_cast<std::size_t>(row) % frame.size()] = static_cast<std::byte>(row);
    const StepType type = row < 2 ? StepType::kFirst : StepType::kMid;
    return replay->Insert(row % 2, {.frame = frame, .time_step = {.step_type = type}}).ok();
  };
  for (int row = 0; row < 1000; ++row) ASSERT_TRUE(insert(row));
  ASSERT_TRUE(replay->Sample(kMinibatch, batch).ok());
  ResetAllocationCounts();
  bool ok = true;
  for (int row = 1000; row < 2000; ++row) {
    ok = insert(row) && ok;
    if (replay->CanSample()) ok = replay->Sample(kMinibatch, batch).ok() && ok;
  }
  EXPECT_EQ(CountAllocations().allocations, 0U);
  EXPECT_TRUE(ok);
}

INSTANTIATE_TEST_SUITE_P(Compressions, ReplayAllocationTest,
                         testing::Values(Kind{}, Kind{FrameCompression::kZstd},
                                         Kind{FrameCompression::kNone, 5},
                                         Kind{FrameCompression::kZstd, 5, 0.5}),
                         [](const auto& info) {
                           const bool zstd = info.param.compression == FrameCompression::kZstd;
                           return std::string(zstd ? "Zstd" : "None") +
                                  (info.param.unroll > 0 ? "Unrolls" : "") +
                                  (info.param.share > 0 ? "Replayed" : "");
                         });

}  // namespace
}  // namespace gorila
