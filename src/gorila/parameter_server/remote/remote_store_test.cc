// A store and its shards, over loopback.
#include "gorila/parameter_server/remote/remote_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <future>
#include <thread>
#include <utility>

#include "gorila/parameter_server/remote/testing.h"
#include "gorila/rpc/server.h"

namespace gorila {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing_remote::kLayout;
using testing_remote::MakePlace;
using testing_remote::MakeService;

constexpr std::size_t kSize = 400'000;  // several pieces a slice
constexpr int kShards = 2;

// A shard behind a server of its own, which can go away and come back at the same address.
class ServedShard {
 public:
  explicit ServedShard(int index) : index_(index) { Start(1); }

  void Start(std::int64_t generation) {
    service_ = MakeService(MakePlace(index_, kShards, kSize), generation, /*target_period=*/4,
                           /*max_staleness=*/2);
    auto server = rpc::Server::Start(
        {.listen = endpoint_, .identity = {.token = "", .layout = kLayout}}, service_->Methods());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    endpoint_ = server_->endpoint();
  }
  void Stop() { server_.reset(); }

  ShardService& service() { return *service_; }
  rpc::Server& server() { return *server_; }
  const rpc::Endpoint& endpoint() const { return endpoint_; }

 private:
  const int index_;
  rpc::Endpoint endpoint_{.host = "127.0.0.1", .port = 0};
  std::unique_ptr<ShardService> service_;
  std::unique_ptr<rpc::Server> server_;
};

class RemoteStoreTest : public testing::Test {
 protected:
  RemoteStoreOptions Options() {
    return {.endpoints = {shards_[0].endpoint(), shards_[1].endpoint()},
            .layout = kLayout,
            .parameters = kSize,
            .client = 5,
            .timeout = milliseconds(60'000),
            .retry = {.first_wait = milliseconds(5), .longest_wait = milliseconds(50)}};
  }
  std::unique_ptr<RemoteParameterStore> Connect() {
    auto store = RemoteParameterStore::Connect(Options());
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  // As Options(), and tells when the store first says that it waits.
  RemoteStoreOptions OptionsThatTell(std::promise<void>& waits) {
    RemoteStoreOptions options = Options();
    options.message = [&waits, said = false](std::string_view) mutable {
      if (!std::exchange(said, true)) waits.set_value();
    };
    return options;
  }
  // Makes a call that finds shard 1 gone, which is back as generation 2 once the store waits for
  // it.
  template <typename Call>
  auto WhileShard1Restarts(std::promise<void>& waits, const Call& call) {
    shards_[1].Stop();
    std::thread restarter([&] {
      waits.get_future().wait();
      shards_[1].Start(2);
    });
    auto result = call();
    restarter.join();
    return result;
  }

  ServedShard shards_[kShards] = {ServedShard(0), ServedShard(1)};
  std::vector<float> values_ = std::vector<float>(kSize);
  ShardVersions versions_ = ShardVersions(kShards, -1);
  const std::vector<float> gradient_ = std::vector<float>(kSize, 1);
};

TEST_F(RemoteStoreTest, PullsWhatIsNewAndNothingElse) {
  const auto store = Connect();
  EXPECT_TRUE(store->Pull(values_, versions_).value());
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(values_[i], static_cast<float>(i));
  EXPECT_EQ(store->traffic().bytes_pulled, static_cast<std::int64_t>(kSize * sizeof(float)));
  EXPECT_FALSE(store->Pull(values_, versions_).value());
  EXPECT_EQ(store->traffic().bytes_pulled, static_cast<std::int64_t>(kSize * sizeof(float)));
}

TEST_F(RemoteStoreTest, PushesReachEveryShard) {
  const auto store = Connect();
  ASSERT_TRUE(store->Pull(values_, versions_).ok());
  const PushOutcome outcome = store->Push(gradient_, versions_).value();
  EXPECT_EQ(outcome.accepted, kShards);
  EXPECT_EQ(store->UpdateCount(), 1);
  EXPECT_TRUE(store->Pull(values_, versions_).value());
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_EQ(values_[i], static_cast<float>(i) - 1);
}

TEST_F(RemoteStoreTest, ExchangesAGradientForParametersInOneCall) {
  for (const bool shared_memory : {true, false}) {
    RemoteStoreOptions options = Options();
    options.client = shared_memory ? 5 : 6;
    options.shared_memory = shared_memory;
    const auto store = RemoteParameterStore::Connect(options).value();
    EXPECT_EQ(store->exchange() != nullptr, shared_memory) << "the shards are on this machine";
    ShardVersions versions(kShards, -1);
    ASSERT_TRUE(store->Pull(values_, versions).ok());
    for (int i = 0; i < 3; ++i) {
      const std::vector<float> before = values_;
      const std::int64_t calls = shards_[1].server().traffic().calls;
      const ExchangeOutcome outcome =
          store->Exchange(gradient_, versions, values_, versions).value();
      if (!shared_memory) {  // which is offered by calls of its own
        EXPECT_EQ(shards_[1].server().traffic().calls, calls + 1);
      }
      EXPECT_EQ(outcome.slices.accepted, kShards);
      EXPECT_TRUE(outcome.changed);
      for (std::size_t k = 0; k < kSize; ++k) ASSERT_EQ(values_[k], before[k] - 1);
    }
    EXPECT_FALSE(store->Pull(values_, versions).value()) << "they were the newest";
  }
}

TEST_F(RemoteStoreTest, AnExchangeOutlivesARestartAndCountsOnce) {
  std::promise<void> waits;
  const auto store = RemoteParameterStore::Connect(OptionsThatTell(waits)).value();
  ASSERT_TRUE(store->Pull(values_, versions_).ok());
  const ShardVersions old = versions_;
  const ExchangeOutcome outcome = WhileShard1Restarts(
      waits, [&] { return store->Exchange(gradient_, old, values_, versions_).value(); });
  EXPECT_EQ(outcome.slices.accepted, 1);
  EXPECT_EQ(outcome.slices.stale, 1) << "computed from a generation that is gone";
  EXPECT_EQ(values_.front(), -1);
  EXPECT_EQ(values_.back(), static_cast<float>(kSize - 1)) << "version 0 of generation 2";
  EXPECT_EQ(store->Exchange(gradient_, versions_, values_, versions_).value().slices.accepted,
            kShards);
  EXPECT_EQ(values_.back(), static_cast<float>(kSize - 2));
}

TEST_F(RemoteStoreTest, EncodedGradientsAreSmallerAndNothingOfThemIsLost) {
  for (const GradientEncoding encoding : {GradientEncoding::kBf16, GradientEncoding::kTopK}) {
    SCOPED_TRACE(std::string(GradientEncodingName(encoding)));
    RemoteStoreOptions options = Options();
    options.client = 10 + static_cast<std::uint64_t>(encoding);
    options.encoding = encoding;
    options.topk_fraction = 0.25;
    const auto store = RemoteParameterStore::Connect(options).value();
    ASSERT_TRUE(store->Pull(values_, versions_).ok());
    const std::vector<float> before = values_;
    for (int i = 0; i < 4; ++i) {
      ASSERT_EQ(store->Push(gradient_, versions_).value().accepted, kShards);
      ASSERT_TRUE(store->Pull(values_, versions_).ok());
    }
    // Top-k sends a quarter of the entries at a time, those that waited longest first.
    double descended = 0;
    for (std::size_t i = 0; i < kSize; ++i)
      descended += static_cast<double>(before[i] - values_[i]);
    const double largest = encoding == GradientEncoding::kBf16 ? 4.0 : 2.5;
    EXPECT_NEAR(descended / kSize, largest, 1e-6);
    EXPECT_LE(store->traffic().bytes_pushed,
              static_cast<std::int64_t>(4 * (kSize * sizeof(float) / 2 + kShards * 4)));
  }
}

TEST_F(RemoteStoreTest, StaleAndInvalidGradientsAreToldApart) {
  const auto store = Connect();
  ASSERT_TRUE(store->Pull(values_, versions_).ok());
  const ShardVersions old = versions_;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store->Push(gradient_, old).ok());
  EXPECT_EQ(store->Push(gradient_, old).value().stale, kShards) << "three versions old";
  ASSERT_TRUE(store->Pull(values_, versions_).ok());
  std::vector<float> wrong = gradient_;
  wrong.back() = INFINITY;
  const PushOutcome outcome = store->Push(wrong, versions_).value();
  EXPECT_EQ(outcome.accepted, 1);
  EXPECT_EQ(outcome.invalid, 1);
}

// Top-k sends a quarter of each gradient of ones and keeps the rest; what it has kept shows when
// zeros are pushed after it.
class ResidualTest : public RemoteStoreTest {
 protected:
  ResidualTest() {
    RemoteStoreOptions options = Options();
    options.encoding = GradientEncoding::kTopK;
    options.topk_fraction = 0.25;
    store_ = RemoteParameterStore::Connect(options).value();
    Pull();
  }

  void Pull() { ASSERT_TRUE(store_->Pull(values_, versions_).ok()); }
  PushOutcome Push(const std::vector<float>& gradient) {
    return store_->Push(gradient, versions_).value();
  }
  // How many entries of each shard's slice change when zeros are pushed.
  std::vector<std::size_t> Kept() {
    Pull();
    const std::vector<float> before = values_;
    EXPECT_EQ(Push(std::vector<float>(kSize)).accepted, kShards);
    Pull();
    std::vector<std::size_t> changed(kShards);
    for (std::size_t i = 0; i < kSize; ++i) changed[2 * i / kSize] += before[i] != values_[i];
    return changed;
  }

  static constexpr std::size_t kQuarter = kSize / kShards / 4;
  std::unique_ptr<RemoteParameterStore> store_;
};

TEST_F(ResidualTest, ComesLaterWhereTheGradientWasTaken) {
  EXPECT_EQ(Push(gradient_).accepted, kShards);
  EXPECT_THAT(Kept(), ElementsAre(kQuarter, kQuarter));
}

TEST_F(ResidualTest, IsDroppedWhereTheGradientWasStale) {
  const ShardVersions old = versions_;
  for (int i = 0; i < 3; ++i) {
    Pull();
    ASSERT_EQ(Push(gradient_).accepted, kShards);
  }
  versions_ = old;
  EXPECT_EQ(Push(gradient_).stale, kShards);
  EXPECT_THAT(Kept(), ElementsAre(0, 0));
}

TEST_F(ResidualTest, IsDroppedWhereTheGradientWasInvalid) {
  ASSERT_EQ(Push(gradient_).accepted, kShards);
  std::vector<float> wrong = gradient_;
  wrong.back() = INFINITY;
  EXPECT_EQ(Push(wrong).invalid, 1);
  EXPECT_THAT(Kept(), ElementsAre(kQuarter, 0)) << "the second shard refused it";
}

// Whichever call meets the new parameters first.
TEST_F(ResidualTest, IsDroppedWhereTheParametersWereReplaced) {
  ASSERT_EQ(Push(gradient_).accepted, kShards);
  shards_[1].Stop();
  shards_[1].Start(2);
  EXPECT_THAT(Kept(), ElementsAre(kQuarter, 0)) << "pulled first";
  ASSERT_EQ(Push(gradient_).accepted, kShards);
  shards_[1].Stop();
  shards_[1].Start(3);
  EXPECT_EQ(Push(gradient_).stale, 1);
  EXPECT_THAT(Kept(), ElementsAre(kQuarter, 0)) << "pushed first";
}

TEST_F(ResidualTest, OfHugeGradientsIsDroppedSoon) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(Push(gradient_).accepted, kShards);
    Pull();
  }
  ASSERT_EQ(Push(std::vector<float>(kSize, 1e16F)).accepted, kShards);
  Pull();
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(Push(gradient_).accepted, kShards);
    Pull();
  }
  const std::vector<float> before = values_;
  ASSERT_EQ(Push(gradient_).accepted, kShards);
  Pull();
  for (std::size_t i = 0; i < kSize; ++i) ASSERT_LT(std::abs(before[i] - values_[i]), 1e5F) << i;
}

TEST_F(RemoteStoreTest, TargetCopiesArePulledWhenTheyWereTaken) {
  const auto store = Connect();
  std::vector<float> target(kSize);
  ShardVersions target_versions(kShards, -1);
  EXPECT_TRUE(store->PullTarget(target, target_versions).value());
  for (int i = 1; i <= 4; ++i) {
    ASSERT_TRUE(store->Pull(values_, versions_).ok());
    EXPECT_FALSE(store->PullTarget(target, target_versions).value()) << i;
    ASSERT_TRUE(store->Push(gradient_, versions_).ok());
  }
  ASSERT_TRUE(store->Pull(values_, versions_).ok());
  EXPECT_TRUE(store->PullTarget(target, target_versions).value());
  EXPECT_EQ(target, values_);
}

TEST_F(RemoteStoreTest, ARestartedShardIsWaitedForAndItsVersionsMayGoBack) {
  std::promise<void> waits;
  const auto store = RemoteParameterStore::Connect(OptionsThatTell(waits)).value();
  ASSERT_TRUE(store->Pull(values_, versions_).ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(store->Push(gradient_, versions_).ok());
  const ShardVersions old = versions_;
  // Computed from a generation that is gone.
  const PushOutcome outcome =
      WhileShard1Restarts(waits, [&] { return store->Push(gradient_, old).value(); });
  EXPECT_EQ(outcome.accepted, 1);
  EXPECT_EQ(outcome.stale, 1);
  EXPECT_TRUE(store->Pull(values_, versions_).value());
  EXPECT_EQ(values_.front(), -3);
  EXPECT_EQ(values_.back(), static_cast<float>(kSize - 1)) << "version 0 of generation 2";
  EXPECT_EQ(store->Push(gradient_, versions_).value().accepted, kShards);
  EXPECT_GT(store->traffic().retries, 0);
}

TEST_F(RemoteStoreTest, NobodyAcceptsAnOlderGenerationAgain) {
  shards_[0].Stop();
  shards_[0].Start(7);
  RemoteStoreOptions options = Options();
  options.retry.patience = milliseconds(50);
  const auto store = RemoteParameterStore::Connect(options).value();
  ASSERT_TRUE(store->Pull(values_, versions_).ok());
  shards_[0].Stop();
  shards_[0].Start(6);
  const std::vector<float> before = values_;
  versions_[0] = -1;
  const Status status = store->Pull(values_, versions_).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("generation 7 was seen"));
  EXPECT_EQ(values_, before);
  EXPECT_TRUE(shards_[0].service().superseded()) << "and the replaced process knows";
}

TEST_F(RemoteStoreTest, StopEndsAWaitForAnAbsentShard) {
  std::atomic<bool> stop{false};
  RemoteStoreOptions options = Options();
  options.stop = [&] { return stop.load(); };
  options.message = [&](std::string_view message) {
    EXPECT_THAT(std::string(message), HasSubstr("waiting for parameter shard 1"));
    stop = true;
  };
  const auto store = RemoteParameterStore::Connect(options).value();
  shards_[1].Stop();
  EXPECT_TRUE(absl::IsCancelled(store->Pull(values_, versions_).status()));
}

TEST_F(RemoteStoreTest, RefusesShardsThatAreNotTheRunsInOrder) {
  RemoteStoreOptions swapped = Options();
  std::swap(swapped.endpoints[0], swapped.endpoints[1]);
  const Status status = RemoteParameterStore::Connect(swapped).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("expected shard 0 of 2"));

  RemoteStoreOptions other = Options();
  other.layout = kLayout + 1;
  EXPECT_EQ(RemoteParameterStore::Connect(other).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(shards_[0].server().refusals().count(rpc::Refusal::kLayout), 1);
}

TEST_F(RemoteStoreTest, WrongSizesAreRefusedBeforeAnythingIsSent) {
  const auto store = Connect();
  EXPECT_FALSE(store->Pull(std::span(values_).first(kSize - 1), versions_).ok());
  EXPECT_FALSE(store->Push(gradient_, versions_).ok()) << "never pulled";
  const ShardVersions pulled(kShards, 0);
  EXPECT_FALSE(
      store->Exchange(gradient_, pulled, std::span(values_).first(kSize - 1), versions_).ok());
  EXPECT_EQ(store->traffic().bytes_pushed, 0);
}

TEST_F(RemoteStoreTest, ReportsAndProgressGoToShardZero) {
  const auto store = Connect();
  v1::ReportRequest report;
  report.set_frames(64);
  report.add_episodes()->set_episode_return(2.5);
  EXPECT_EQ(store->Report(report).value().run_frames(), 64);
  EXPECT_EQ(store->Report(report).value().acknowledged_episodes(), 1);
  const auto progress = store->GetProgress(0).value();
  EXPECT_EQ(progress.run_frames(), 64);
  ASSERT_EQ(progress.episodes_size(), 1);
  EXPECT_EQ(store->GetStatus(1, std::chrono::seconds(10)).value().roles(0).index(), 1);
}

TEST_F(RemoteStoreTest, ManyThreadsPushAndPullAtOnce) {
  const auto store = Connect();
  std::vector<std::thread> threads;
  std::atomic<std::int64_t> decided{0};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      std::vector<float> values(kSize);
      ShardVersions versions(kShards, -1);
      for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(store->Pull(values, versions).ok());
        const auto outcome = store->Push(gradient_, versions);
        ASSERT_TRUE(outcome.ok()) << outcome.status();
        decided += outcome->accepted + outcome->stale + outcome->invalid;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(decided, 3 * 5 * kShards);
  for (ServedShard& shard : shards_) {
    EXPECT_EQ(shard.service().counters().pushed, 15);
    const ParameterShardCounters counters = shard.service().shard().counters();
    EXPECT_EQ(counters.accepted + counters.stale + counters.invalid, 15);
  }
}

}  // namespace
}  // namespace gorila
