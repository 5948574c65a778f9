// Client and server over loopback.
#include "gorila/replay/remote/remote_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "gorila/replay/remote/replay_service.h"
#include "gorila/replay/shard_testing.h"
#include "gorila/replay/sharded_replay.h"
#include "gorila/replay/unroll_testing.h"
#include "gorila/rpc/server.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;

constexpr std::uint64_t kLayout = 0xabc;

// A shard that is served, and its endpoint.
struct Served {
  explicit Served(const ReplayShardOptions& options,
                  const rpc::Endpoint& listen = {.host = "127.0.0.1"}, int workers = 8)
      : shard(MakeShard(options)), service(*shard, 0) {
    server = rpc::Server::Start({.listen = listen,
                                 .identity = {.token = "token-of-this-run", .layout = kLayout},
                                 .workers = workers},
                                service.Methods())
                 .value();
  }
  std::unique_ptr<RemoteReplayEndpoint> Connect(std::uint64_t layout = kLayout) const {
    return Connect(layout, shard->options().replay.transition.unroll);
  }
  std::unique_ptr<RemoteReplayEndpoint> Connect(std::uint64_t layout, int unroll) const {
    return Connect(layout, unroll, shard->options().replay.games);
  }
  std::unique_ptr<RemoteReplayEndpoint> Connect(std::uint64_t layout, int unroll, int games) const {
    return std::make_unique<RemoteReplayEndpoint>(
        rpc::ChannelOptions{.endpoint = server->endpoint(),
                            .role = kReplayRole,
                            .identity = {.token = "token-of-this-run", .layout = layout}},
        shard->options().observation, rpc::StopPredicate(), unroll, games);
  }

  std::unique_ptr<ReplayShard> shard;
  ReplayService service;
  std::unique_ptr<rpc::Server> server;
};

TEST(RemoteEndpointTest, DoesWhatTheShardDoes) {
  ReplayShardOptions options = ShardOptions(1000, 1, /*stack=*/2);
  options.replay.selector.name = "prioritized";
  options.generation = 4;
  const Served served(options);
  const auto endpoint = served.Connect();
  EXPECT_EQ(InsertRows(*endpoint, {.actor = 1}, Episode(9))->accepted, 10);
  EXPECT_EQ(InsertRows(*endpoint, {.actor = 1}, Episode(9))->repeated, 10);
  TransitionBatch batch;
  const ReplayShardSize size = endpoint->Sample(64, Later(), batch).value();
  EXPECT_EQ(size.generation, 4);
  EXPECT_EQ(size.transitions, 9);
  for (std::size_t i = 0; i < 64; ++i) {
    const Transition got = FromBatch(batch, i, 2);
    EXPECT_EQ(got.s_tm1.back().number, got.a_tm1 + 1);
    EXPECT_EQ(got.s_t.back().number, got.a_tm1 + 2);
    EXPECT_TRUE(got.a_t == got.a_tm1 + 1 || got.a_t == kNoAction) << got.a_t;
    EXPECT_EQ(got.r_t, 1);
    EXPECT_NEAR(batch.probabilities[i], 1.0 / 9, 1e-12);
  }
  ASSERT_TRUE(endpoint->UpdatePriorities(4, batch.keys, std::vector<float>(64, 3), Later()).ok());
  EXPECT_EQ(served.shard->GetStatus().counters.priorities, 64);
  EXPECT_EQ(endpoint->GetSize(Later())->rows, 10);
}

TEST(RemoteEndpointTest, ValuesOfRowsReachTheShard) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.selector = {
      .name = "prioritized", .priority_exponent = 1, .initial_priorities = true};
  const Served served(options);
  const auto endpoint = served.Connect();
  std::vector<NamedRow> rows = Episode(2);
  rows[0].values = {.taken = 0, .best = 0};
  rows[1].values = {.taken = 0.5F, .best = 10};
  OwnedRun run({.actor = 1}, rows);
  run.with_values_ = true;
  const RowRun owned = run.run();
  ASSERT_TRUE(endpoint->Insert({&owned, 1}, Later(), InsertLimit::kKept).ok());
  // Errors 1 + 0.9 * 10 - 0 and 1 - 0.5.
  EXPECT_NEAR(endpoint->GetSize(Later())->mass, 10 + 0.5, 1e-5);
}

TEST(RemoteEndpointTest, GamesOfRowsReachTheShardAndComeBack) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.games = 3;
  const Served served(options);
  const auto endpoint = served.Connect();
  TransitionBatch batch;
  for (int game = 2; game >= 0; --game) {
    ASSERT_TRUE(InsertRows(*endpoint, {.actor = game}, Episode(9, 0, game, game)).ok());
    ASSERT_TRUE(endpoint->Sample(60, Later(), batch).ok());
    for (std::size_t i = 0; i < 60; ++i) {
      EXPECT_EQ(batch.games[i], FromBatch(batch, i, 1).s_tm1.back().stream);
    }
    EXPECT_EQ(std::count(batch.games.begin(), batch.games.end(), game), 60 / (3 - game));
  }
  const Status changed = InsertRows(*endpoint, {.actor = 1}, Episode(9, 10, 1, 2)).status();
  EXPECT_EQ(rpc::RefusalOf(changed), rpc::Refusal::kMalformed) << changed;
}

// A client of a run with other games must not take one for another.
TEST(RemoteEndpointTest, GamesThatTheRunDoesNotHaveAreRefused) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.games = 3;
  const Served several(options);
  const Served one(ShardOptions(1000));
  TransitionBatch batch;
  ASSERT_TRUE(InsertRows(*several.shard, {}, Episode(9, 0, 0, 2)).ok());
  ASSERT_TRUE(InsertRows(*one.shard, {}, Episode(9)).ok());
  const auto sample = [&](const Served& served, int games) {
    return served.Connect(kLayout, 0, games)->Sample(4, Later(), batch).status();
  };
  EXPECT_TRUE(sample(several, 3).ok());
  EXPECT_THAT(batch.games, testing::Each(2));
  EXPECT_THAT(std::string(sample(several, 2).message()), HasSubstr("game 2; expected 0 to 1"));
  EXPECT_THAT(std::string(sample(one, 2).message()), HasSubstr("the games of 0; expected 4"));
  EXPECT_TRUE(sample(one, 1).ok());
  EXPECT_THAT(batch.games, testing::Each(0));
}

ReplayShardOptions UnrollOptions(int unroll, int stack) {
  ReplayShardOptions options = ShardOptions(4000, 1, stack);
  options.replay.transition.unroll = unroll;
  options.replay.rate.insert_lead = 2000;
  options.replay.selector = {.name = "queue", .minibatch = 6};
  return options;
}

// Frames travel once; episodes end within the unrolls.
TEST(RemoteEndpointTest, UnrollsArriveAsTheShardBuiltThem) {
  for (const int stack : {1, 4}) {
    const ReplayShardOptions options = UnrollOptions(7, stack);
    const Served served(options);
    const auto endpoint = served.Connect();
    const auto here = MakeShard(options);
    RandomEpisodes episodes(1, 21);
    std::vector<NamedRow> rows;
    for (int i = 0; i < 300; ++i) rows.push_back(WithProbability(episodes.Next()));
    ASSERT_EQ(InsertRows(*endpoint, {.actor = 1}, rows)->accepted, 300);
    ASSERT_EQ(InsertRows(*here, {.actor = 1}, rows)->accepted, 300);
    TransitionBatch near;
    TransitionBatch far;
    for (int i = 0; i < 7; ++i) {
      ASSERT_TRUE(here->Sample(6, Later(), near).ok());
      ASSERT_EQ(endpoint->Sample(6, Later(), far).status(), OkStatus());
      EXPECT_EQ(far.unroll, 7);
      EXPECT_EQ(far.size, 6);
      EXPECT_EQ(far.keys, near.keys);
      EXPECT_EQ(far.probabilities, near.probabilities);
      EXPECT_EQ(far.s_tm1, near.s_tm1);
      EXPECT_EQ(far.a_tm1, near.a_tm1);
      EXPECT_EQ(far.a_t, near.a_t);
      EXPECT_EQ(far.r_t, near.r_t);
      EXPECT_EQ(far.discount_t, near.discount_t);
      EXPECT_EQ(far.log_mu, near.log_mu);
      EXPECT_TRUE(far.s_t.empty());
    }
  }
}

TEST(RemoteEndpointTest, UnrollsOfAtariTravelInTheLimits) {
  const ObservationSpec atari{.height = 84, .width = 84, .stack = 4};
  EXPECT_LT(32 * SampleRowBytes(atari, 20), 6'000'000U) << "19 MB as stacked states";
  EXPECT_LT(32 * SampleRowBytes(atari, 1000), kMaxReplayPayload);
}

TEST(RemoteEndpointTest, AnotherLengthOfUnrollsIsRefusedByName) {
  const Served served(UnrollOptions(7, 1));
  TransitionBatch batch;
  for (const int unroll : {0, 8}) {
    const Status status = served.Connect(kLayout, unroll)->Sample(6, Later(), batch).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(rpc::RefusalOf(status), rpc::Refusal::kShape);
    EXPECT_THAT(std::string(status.message()), HasSubstr("learner.unroll of this shard"));
  }
}

TEST(RemoteEndpointTest, AWaitThatWasTooLongIsExplained) {
  const Served served(ShardOptions(1000));
  const auto endpoint = served.Connect();
  TransitionBatch batch;
  const Status status = endpoint->Sample(4, Now() + std::chrono::milliseconds(400), batch).status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(status));
}

TEST(RemoteEndpointTest, AnotherRunsCallsAreRefused) {
  const Served served(ShardOptions(1000));
  const auto stranger = served.Connect(kLayout + 1);
  const Status status = InsertRows(*stranger, {}, Episode(3)).status();
  EXPECT_EQ(rpc::RefusalOf(status), rpc::Refusal::kLayout) << status;
  EXPECT_EQ(served.shard->GetStatus().size.rows, 0);
  EXPECT_EQ(served.server->refusals().count(rpc::Refusal::kLayout), 1);
}

TEST(RemoteEndpointTest, SeveralShardsAreOneReplayAndOneOfThemMayGo) {
  auto first = std::make_unique<Served>(ShardOptions(1000));
  const Served second(ShardOptions(1000));
  std::vector<std::unique_ptr<ReplayEndpoint>> endpoints;
  endpoints.push_back(first->Connect());
  endpoints.push_back(second.Connect());
  ShardedReplay replay({.streams = 2, .frame_bytes = sizeof(FrameName), .insert_rows = 4},
                       std::move(endpoints), RandomStream(1));
  const auto insert = [&](std::int32_t first_row) {
    for (int stream = 0; stream < 2; ++stream) {
      for (const NamedRow& row : Episode(7, first_row, stream)) {
        ASSERT_TRUE(replay.Insert(stream, row.row()).ok());
      }
    }
  };
  insert(0);
  EXPECT_EQ(first->shard->GetStatus().size.rows, 8);
  TransitionBatch batch;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(replay.Sample(4, batch).ok());
  first->shard->Close();
  first.reset();
  insert(8);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(replay.Sample(4, batch).ok());
  const ShardedReplayCounters counters = replay.counters();
  EXPECT_EQ(counters.rows, 32);
  EXPECT_EQ(counters.accepted + counters.lost, 32);
  EXPECT_EQ(counters.samples, 40);
  EXPECT_GE(counters.failures, 1);
  EXPECT_EQ(second.shard->GetStatus().size.rows + 8, counters.accepted);
}

// What a shard serves to `clients` of each kind while both wait for each other: samples must flow,
// although everybody who waits outnumbers the server's threads.
void ExpectSamplesToFlow(int actors, int learners, int samples_each) {
  ReplayShardOptions options = ShardOptions(4000);
  options.replay.rate = {.updates_per_step = 0.25, .min_size = 64, .insert_lead = 64};
  options.max_waiting_samples = 1;
  const Served served(options, {.host = "127.0.0.1"}, /*workers=*/2);
  std::atomic<bool> ending{false};
  const auto connect = [&](const ShardedReplayOptions& own) {
    std::vector<std::unique_ptr<ReplayEndpoint>> endpoints;
    endpoints.push_back(served.Connect());
    ShardedReplayOptions all = own;
    all.frame_bytes = sizeof(FrameName);
    all.stop = [&] { return ending.load(); };
    return std::make_unique<ShardedReplay>(all, std::move(endpoints), RandomStream(5));
  };
  std::vector<std::thread> inserting;
  for (int actor = 0; actor < actors; ++actor) {
    inserting.emplace_back([&, actor] {
      const auto replay = connect({.actor = actor, .streams = 1, .insert_rows = 8});
      for (int first = 0; !ending; first += 10) {
        for (const NamedRow& row : Episode(9, first, actor)) {
          const Status status = replay->Insert(0, row.row());
          if (ending) return;
          ASSERT_TRUE(status.ok()) << status;
        }
      }
    });
  }
  std::vector<std::thread> sampling;
  for (int learner = 0; learner < learners; ++learner) {
    sampling.emplace_back([&] {
      const auto replay = connect({});
      TransitionBatch batch;
      for (int i = 0; i < samples_each; ++i) ASSERT_TRUE(replay->Sample(4, batch).ok());
    });
  }
  for (std::thread& thread : sampling) thread.join();
  ending = true;
  for (std::thread& thread : inserting) thread.join();
  const ReplayShardSize size = served.shard->GetSize(Later()).value();
  EXPECT_GE(size.sampled, learners * samples_each);
  const double paid = 0.25 * static_cast<double>(size.inserted - 64);
  EXPECT_LE(static_cast<double>(size.sampled), paid + 1);
  // The lead, and rows that one insert brings together.
  EXPECT_GE(static_cast<double>(size.sampled), paid - 0.25 * (64 + 8));
}

TEST(RemoteEndpointTest, SamplesFlowWhileMoreActorsWaitThanTheServerHasThreads) {
  ExpectSamplesToFlow(/*actors=*/12, /*learners=*/1, /*samples_each=*/400);
}

TEST(RemoteEndpointTest, InsertsFlowWhileMoreLearnersWaitThanTheServerHasThreads) {
  ExpectSamplesToFlow(/*actors=*/1, /*learners=*/12, /*samples_each=*/20);
}

}  // namespace
}  // namespace gorila
