// Clients that push at once and again while snapshots are taken.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "gorila/parameter_server/remote/testing.h"

namespace gorila {
namespace {

using testing_remote::Ask;
using testing_remote::MakePlace;
using testing_remote::MakeService;
using testing_remote::PushFrom;

constexpr int kClients = 4;
constexpr int kPushes = 200;

TEST(ShardServiceThreadTest, EverySnapshotIsOfOnePieceAndEveryGradientAppliedOnce) {
  const auto service = MakeService(MakePlace(0, 1, 64), 1);
  std::atomic<int> running{kClients};
  std::vector<std::thread> threads;
  for (int c = 0; c < kClients; ++c) {
    threads.emplace_back([&, c] {
      const std::vector<float> gradient(64, 1);
      for (int i = 1; i <= kPushes; ++i) {
        const auto push = PushFrom(static_cast<std::uint64_t>(c), i, service->shard().version());
        for (int copies = 0; copies < 2; ++copies) {
          EXPECT_TRUE(Ask<v1::PushResponse>(*service, kPushMethod, push, gradient).ok());
        }
      }
      --running;
    });
  }
  do {
    const ShardState state = service->Save();
    const auto copy = MakeService(MakePlace(0, 1, 64), 2);
    ASSERT_TRUE(copy->Restore(state).ok());
    EXPECT_EQ(copy->counters().pushed, state.shard.version);
    EXPECT_EQ(state.shard.values.front(), -static_cast<float>(state.shard.version));
  } while (running > 0);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(service->shard().version(), kClients * kPushes);
  EXPECT_EQ(service->counters().pushed, kClients * kPushes);
  EXPECT_EQ(service->counters().repeated, kClients * kPushes);
}

TEST(ShardServiceThreadTest, PullsAndReportsGoOnMeanwhile) {
  const auto service = MakeService(MakePlace(0, 1, 64), 1);
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int i = 1; i <= 300; ++i) {
      const auto push = PushFrom(1, i, i - 1);
      EXPECT_TRUE(
          Ask<v1::PushResponse>(*service, kPushMethod, push, std::vector<float>(64, 1)).ok());
    }
  });
  threads.emplace_back([&] {
    for (int i = 1; i <= 300; ++i) {
      v1::ReportRequest report;
      report.set_client(1);
      report.set_frames(i);
      EXPECT_TRUE(Ask<v1::ReportResponse>(*service, kReportMethod, report).ok());
    }
  });
  std::int64_t last = 0;
  for (int i = 0; i < 300; ++i) {
    const auto pulled = Ask<v1::PullResponse>(*service, kPullMethod, v1::PullRequest());
    EXPECT_GE(pulled->version(), last);
    last = pulled->version();
    // Not kStatusMethod: a protobuf map is laid out otherwise under ThreadSanitizer than in the
    // library, which is compiled without it.
    EXPECT_LE(service->counters().pushed, 300);
    EXPECT_LE(service->run_frames(), 300);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(service->run_frames(), 300);
}

}  // namespace
}  // namespace gorila
