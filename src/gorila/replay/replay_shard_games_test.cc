// Several games in replay shards: their shares of samples, their way through snapshots, and which
// shard has which.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>

#include "gorila/replay/prefetching_replay.h"
#include "gorila/replay/shard_testing.h"
#include "gorila/replay/sharded_replay.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using namespace testing_replay;

constexpr int kGames = 3;

ReplayShardOptions Options(const std::string& selector, int games = kGames) {
  ReplayShardOptions options = ShardOptions(1000);
  options.replay.selector.name = selector;
  options.replay.games = games;
  return options;
}

StreamName NameOf(std::int32_t actor, std::uint64_t life = 1) {
  return {.actor = actor, .life = life};
}

class ReplayShardGamesTest : public testing::TestWithParam<std::string> {
 protected:
  // Game 0 has three actors, the others one each; episodes of 60, 3 and 12 steps. All begin another
  // life after every few episodes.
  void Play(ReplayShard& shard, int round) {
    constexpr std::array<int, kGames> kSteps = {60, 3, 12};
    for (std::int32_t actor = 0; actor < 5; ++actor) {
      const int game = actor < 3 ? 0 : actor - 2;
      const int steps = kSteps[static_cast<std::size_t>(game)];
      const auto rows = Episode(steps, (round % 4) * (steps + 1), actor, game);
      const auto life = static_cast<std::uint64_t>(round / 4);
      ASSERT_TRUE(InsertRows(shard, NameOf(actor, life), rows).ok());
    }
  }
};

INSTANTIATE_TEST_SUITE_P(WithReplacement, ReplayShardGamesTest,
                         testing::Values("uniform", "prioritized"),
                         [](const auto& info) { return info.param; });

// Game 1 has errors 1000 times those of the others.
TEST_P(ReplayShardGamesTest, EachHasTheSameShareOfMinibatches) {
  const auto shard = MakeShard(Options(GetParam()));
  std::array<int, kGames> total{};
  TransitionBatch batch;
  for (int round = 0; round < 300; ++round) {
    ASSERT_NO_FATAL_FAILURE(Play(*shard, round));
    ASSERT_TRUE(shard->Sample(8, Later(), batch).ok());
    std::array<int, kGames> counts{};
    std::vector<float> errors;
    for (std::size_t i = 0; i < 8; ++i) {
      const std::int32_t actor = FromBatch(batch, i, 1).s_tm1.back().stream;
      ASSERT_EQ(batch.games[i], actor < 3 ? 0 : actor - 2);
      ++counts[static_cast<std::size_t>(batch.games[i])];
      errors.push_back(batch.games[i] == 1 ? 1000.0F : 1.0F);
    }
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    ASSERT_LE(*most - *least, 1);
    for (std::size_t game = 0; game < kGames; ++game) total[game] += counts[game];
    ASSERT_TRUE(shard->UpdatePriorities(1, batch.keys, errors, Later()).ok());
  }
  EXPECT_THAT(total, testing::Each(800));
  shard->CheckInvariants();
}

TEST_P(ReplayShardGamesTest, AStreamKeepsItsGame) {
  const auto shard = MakeShard(Options(GetParam()));
  ASSERT_TRUE(InsertRows(*shard, NameOf(1), Episode(3, 0, 0, 1)).ok());
  const Status changed = InsertRows(*shard, NameOf(1), Episode(3, 4, 0, 2)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(changed));
  EXPECT_THAT(std::string(changed.message()),
              HasSubstr("rows of game 2 for stream 0 of actor 1, which plays game 1"));
  for (const int game : {-1, kGames}) {
    const Status unknown = InsertRows(*shard, NameOf(2), Episode(3, 0, 0, game)).status();
    EXPECT_TRUE(absl::IsInvalidArgument(unknown)) << unknown;
  }
  EXPECT_EQ(shard->GetStatus().counters.refused_inserts, 3);
  EXPECT_EQ(shard->GetStatus().size.rows, 4);
  // Another life plays what it likes.
  EXPECT_TRUE(InsertRows(*shard, NameOf(1, 2), Episode(3, 0, 0, 2)).ok());
}

TEST_P(ReplayShardGamesTest, ComeBackFromASnapshotAlsoOfStreamsWithoutRows) {
  const auto shard = MakeShard(Options(GetParam()));
  for (int round = 0; round < 30; ++round) ASSERT_NO_FATAL_FAILURE(Play(*shard, round));
  ShardSnapshot snapshot;
  snapshot.Save(*shard, 4000);
  const auto restored = MakeShard(Options(GetParam()), 7);
  const Status status = snapshot.Restore(*restored);
  ASSERT_TRUE(status.ok()) << status;
  restored->CheckInvariants();
  EXPECT_EQ(restored->GetStatus().size.transitions, shard->GetStatus().size.transitions);
  TransitionBatch batch;
  ASSERT_TRUE(restored->Sample(60, Later(), batch).ok());
  std::array<int, kGames> counts{};
  for (std::size_t i = 0; i < 60; ++i) {
    const std::int32_t actor = FromBatch(batch, i, 1).s_tm1.back().stream;
    ASSERT_EQ(batch.games[i], actor < 3 ? 0 : actor - 2);
    ++counts[static_cast<std::size_t>(batch.games[i])];
  }
  EXPECT_THAT(counts, testing::Each(20));
  // The first lives have no rows any more.
  const auto wrong = Episode(3, 400, 4, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(InsertRows(*restored, NameOf(4, 0), wrong).status()));
}

// Every part of a snapshot of one game is as it was before there were several.
TEST_P(ReplayShardGamesTest, ASnapshotOfOneGameIsReadAsGame0) {
  const auto one = MakeShard(Options(GetParam(), 1));
  for (int episode = 0; episode < 20; ++episode) {
    ASSERT_TRUE(InsertRows(*one, NameOf(episode), Episode(9)).ok());
  }
  ShardSnapshot snapshot;
  snapshot.Save(*one, 4000);
  StateReader reader(snapshot.state_);
  std::int32_t shape = 0;
  ASSERT_TRUE(reader.Read(shape).ok());
  EXPECT_EQ(shape, 15) << "rows of a chunk and nothing else";
  const auto several = MakeShard(Options(GetParam()));
  ASSERT_TRUE(snapshot.Restore(*several).ok());
  ASSERT_TRUE(InsertRows(*several, NameOf(50), Episode(2, 0, 0, 2)).ok());
  TransitionBatch batch;
  ASSERT_TRUE(several->Sample(10, Later(), batch).ok());
  EXPECT_EQ(std::count(batch.games.begin(), batch.games.end(), 0), 5);
  EXPECT_EQ(std::count(batch.games.begin(), batch.games.end(), 2), 5);
  several->CheckInvariants();

  ShardSnapshot of_several;
  of_several.Save(*several, 4000);
  const Status status = of_several.Restore(*MakeShard(Options(GetParam(), 1)));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("rows of 3 games, expected at most 1"));
}

TEST_P(ReplayShardGamesTest, NoChangedByteOfAStateMakesItUnusable) {
  const auto shard = MakeShard(Options(GetParam()));
  for (int round = 0; round < 12; ++round) ASSERT_NO_FATAL_FAILURE(Play(*shard, round));
  ShardSnapshot snapshot;
  snapshot.Save(*shard, 4000);
  for (std::size_t i = 0; i < snapshot.state_.size(); i += 3) {
    ShardSnapshot damaged = snapshot;
    damaged.state_[i] = static_cast<char>(damaged.state_[i] ^ 1);
    const auto restored = MakeShard(Options(GetParam()), 99);
    const Status status = damaged.Restore(*restored);
    ASSERT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    TransitionBatch batch;
    if (status.ok() && restored->Sample(20, Now(), batch).ok()) restored->CheckInvariants();
  }
}

TEST(ReplayShardOfGamesTest, TheirSelectorsAreCountedInTheBytes) {
  const auto bytes = [](const std::string& selector, int games) {
    return ReplayShard::ExpectedBytes(Options(selector, games));
  };
  // 67 chunks of 15 rows, one that is about to be written, and 2 that samples may hold.
  EXPECT_EQ(bytes("uniform", 3) - bytes("uniform", 1), 70 * 15 * (2 * 8 + 2));
  EXPECT_EQ(bytes("queue", 3), bytes("queue", 1));
}

// Actors with `streams` environments, which are dealt out to the games in turn; which games each
// shard has.
std::vector<std::set<int>> GamesOfShards(int shards, int games, int actors, int streams) {
  std::vector<std::set<int>> seen(static_cast<std::size_t>(shards));
  for (int actor = 0; actor < actors; ++actor) {
    std::vector<std::unique_ptr<ReplayEndpoint>> endpoints;
    std::vector<ReplayShard*> made;
    for (int i = 0; i < shards; ++i) {
      auto shard = MakeShard(Options("uniform", games));
      made.push_back(shard.get());
      endpoints.push_back(std::move(shard));
    }
    ShardedReplay replay(
        {.actor = actor, .streams = streams, .games = games, .frame_bytes = sizeof(FrameName)},
        std::move(endpoints), RandomStream(1));
    for (int stream = 0; stream < streams; ++stream) {
      const int game = (actor * streams + stream) % games;
      for (const NamedRow& row : Episode(4, 0, stream, game)) {
        EXPECT_TRUE(replay.Insert(stream, row.row()).ok());
      }
    }
    EXPECT_TRUE(replay.Flush().ok());
    for (std::size_t i = 0; i < made.size(); ++i) {
      TransitionBatch batch;
      if (!made[i]->Sample(4 * streams, Now(), batch).ok()) continue;
      seen[i].insert(batch.games.begin(), batch.games.end());
    }
  }
  return seen;
}

// Also where the numbers of shards and of games have a divisor in common.
TEST(ReplayShardOfGamesTest, EveryShardHasEveryGame) {
  for (const int games : {1, 2, 3, 5, 6}) {
    for (const int shards : {1, 2, 3, 4, 6}) {
      std::set<int> all;
      for (int game = 0; game < games; ++game) all.insert(game);
      EXPECT_THAT(GamesOfShards(shards, games, 1, games * shards), testing::Each(all))
          << games << " games " << shards << " shards";
      EXPECT_THAT(GamesOfShards(shards, games, games * shards, 1), testing::Each(all));
    }
  }
}

TEST(ReplayShardOfGamesTest, AnActorsStreamKeepsItsGame) {
  std::vector<std::unique_ptr<ReplayEndpoint>> endpoints;
  endpoints.push_back(MakeShard(Options("uniform")));
  ShardedReplay replay({.streams = 2, .games = kGames, .frame_bytes = sizeof(FrameName)},
                       std::move(endpoints), RandomStream(1));
  const auto insert = [&](int game) {
    return replay.Insert(1, Episode(1, 0, 0, game).front().row());
  };
  EXPECT_THAT(std::string(insert(kGames).message()), HasSubstr("game 3 of 3 in stream 1"));
  EXPECT_TRUE(insert(2).ok());
  EXPECT_THAT(std::string(insert(1).message()), HasSubstr("which plays game 2"));
}

TEST(ReplayShardOfGamesTest, AMinibatchSampledAheadHasItsGames) {
  std::vector<std::unique_ptr<ReplayEndpoint>> endpoints;
  endpoints.push_back(MakeShard(Options("uniform")));
  std::atomic<bool> ending = false;
  ShardedReplay shards({.streams = 3,
                        .games = kGames,
                        .frame_bytes = sizeof(FrameName),
                        .insert_rows = 1,
                        .stop = [&] { return ending.load(); }},
                       std::move(endpoints), RandomStream(1));
  for (int stream = 0; stream < 3; ++stream) {
    for (const NamedRow& row : Episode(5, 0, stream, stream)) {
      ASSERT_TRUE(shards.Insert(stream, row.row()).ok());
    }
  }
  PrefetchingReplay replay(shards, {}, ending);
  TransitionBatch batch;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(replay.Sample(6, batch).ok());
    EXPECT_THAT(batch.games, testing::UnorderedElementsAre(0, 0, 1, 1, 2, 2));
  }
}

}  // namespace
}  // namespace gorila
