// Random operations on a small shard, so that everything wraps many times, against a model that
// keeps every row of every life.
#include <gtest/gtest.h>

#include <map>

#include "gorila/replay/shard_testing.h"

namespace gorila {
namespace {

using namespace testing_replay;

constexpr int kNames = 5;  // streams that are alive at once

struct Shape {
  std::int64_t capacity;
  int n_step;
  int stack;
  const char* selector;
  FrameStorageOptions frames = {};
  int games = 1;

  bool tight() const { return frames.compressed_frame_bytes > 0; }
};

constexpr FrameStorageOptions kZstd{.compression = FrameCompression::kZstd};
// A packed frame of 8 bytes has 17.
constexpr FrameStorageOptions kTight{.compression = FrameCompression::kZstd,
                                     .compressed_frame_bytes = 8};

class ReplayShardPropertyTest : public testing::TestWithParam<Shape> {
 protected:
  ReplayShardPropertyTest()
      : options_(ShardOptions(GetParam().capacity, GetParam().n_step, GetParam().stack)),
        random_(11) {
    options_.replay.selector.name = GetParam().selector;
    options_.replay.frames = GetParam().frames;
    options_.replay.games = GetParam().games;
    shard_ = MakeShard(options_);
    for (int i = 0; i < kNames; ++i) lives_.push_back(NewLife());
  }

  // A stream with the rows it will ever send; its frames carry the life's number.
  struct Life {
    std::int32_t number = 0;
    std::vector<NamedRow> rows;
    std::size_t sent = 0;
  };

  Life NewLife() {
    Life life{.number = next_life_++, .rows = {}};
    RandomEpisodes episodes(1, 100 + static_cast<std::uint64_t>(life.number));
    for (int i = 0; i < 400; ++i) {
      NamedRow row = episodes.Next();
      row.name.stream = life.number;
      row.game = life.number % GetParam().games;
      life.rows.push_back(row);
    }
    return life;
  }

  void InsertSome(Life& life) {
    std::size_t begin = life.sent;
    if (random_.Integer(0, 3) == 0) {  // a retry
      begin -= static_cast<std::size_t>(random_.Below(std::min<std::size_t>(begin, 20) + 1));
    } else if (random_.Integer(0, 12) == 0) {  // rows that are lost
      begin += static_cast<std::size_t>(random_.Integer(1, 9));
    }
    const std::size_t end =
        std::min(life.rows.size(), begin + static_cast<std::size_t>(random_.Integer(1, 25)));
    if (begin >= end) return;
    const auto at = [&](std::size_t i) {
      return life.rows.begin() + static_cast<std::ptrdiff_t>(i);
    };
    const StreamName stream{.actor = life.number % kNames,
                            .life = static_cast<std::uint64_t>(life.number)};
    const StatusOr<InsertReply> reply = InsertRows(*shard_, stream, {at(begin), at(end)});
    ASSERT_TRUE(reply.ok()) << reply.status();
    ASSERT_EQ(reply->accepted,
              static_cast<std::int64_t>(end - std::min(end, std::max(begin, life.sent))));
    ASSERT_EQ(reply->accepted + reply->repeated, static_cast<std::int64_t>(end - begin));
    accepted_ += reply->accepted;
    life.sent = std::max(life.sent, end);
  }

  // By the definition, whatever the shard still holds.
  Transition Expected(const std::vector<NamedRow>& rows, std::size_t start) const {
    ReplayModel model({.capacity = 100000, .transition = options_.replay.transition},
                      GetParam().stack, 1);
    for (const NamedRow& row : rows) {
      NamedRow renamed = row;
      renamed.name.stream = 0;
      model.Insert(renamed);
    }
    return model.Transitions().at({0, static_cast<std::int32_t>(start) + 1});
  }

  void CheckSamples() {
    if (shard_->GetStatus().size.transitions == 0) return;
    TransitionBatch batch;
    ASSERT_TRUE(shard_->Sample(3, Later(), batch).ok());
    for (std::size_t i = 0; i < 3; ++i) {
      Transition got = FromBatch(batch, i, GetParam().stack);
      const std::int32_t number = got.s_tm1.back().stream;
      ASSERT_EQ(batch.games[i], number % GetParam().games);
      const Transition want =
          Expected(NewLifeRows(number), static_cast<std::size_t>(got.s_tm1.back().number - 1));
      for (std::vector<FrameName>* stack : {&got.s_tm1, &got.s_t}) {
        for (FrameName& name : *stack) {
          ASSERT_TRUE(name.stream == number || name.number == 0) << "frames of two lives";
          name.stream = 0;
        }
      }
      ASSERT_EQ(got.s_tm1, want.s_tm1);
      ASSERT_EQ(got.s_t, want.s_t);
      ASSERT_EQ(got.a_tm1, want.a_tm1);
      ASSERT_EQ(got.a_t, want.a_t);
      ASSERT_NEAR(got.r_t, want.r_t, 1e-6 * (1 + std::abs(want.r_t)));
      ASSERT_NEAR(got.discount_t, want.discount_t, 1e-7);
    }
    std::vector<float> errors(3, static_cast<float>(4 * random_.Uniform()));
    ASSERT_TRUE(shard_->UpdatePriorities(1, batch.keys, errors, Later()).ok());
  }

  // The rows of any life, past ones included.
  std::vector<NamedRow> NewLifeRows(std::int32_t number) const {
    RandomEpisodes episodes(1, 100 + static_cast<std::uint64_t>(number));
    std::vector<NamedRow> rows;
    for (int i = 0; i < 400; ++i) rows.push_back(episodes.Next());
    return rows;
  }

  ReplayShardOptions options_;
  RandomStream random_;
  std::unique_ptr<ReplayShard> shard_;
  std::int32_t next_life_ = 0;
  std::vector<Life> lives_;
  std::int64_t accepted_ = 0;
};

TEST_P(ReplayShardPropertyTest, HoldsItsInvariantsAndJoinsNothingThatDoesNotBelong) {
  for (int operation = 0; operation < 1500; ++operation) {
    Life& life = lives_[random_.Below(kNames)];
    if (life.sent + 30 > life.rows.size() || random_.Integer(0, 60) == 0) {
      life = NewLife();  // the actor was restarted
    }
    ASSERT_NO_FATAL_FAILURE(InsertSome(life)) << operation;
    if (operation % 5 == 0) shard_->CheckInvariants();
    if (operation % 10 == 0) {
      ASSERT_NO_FATAL_FAILURE(CheckSamples()) << operation;
    }
    if (operation % 100 == 99) {  // killed and restored, at an instant that was just saved
      ShardSnapshot snapshot;
      shard_->ForgetSaved();
      snapshot.Save(*shard_, random_.Integer(1, 4000));
      const ReplayShardStatus before = shard_->GetStatus();
      shard_ = MakeShard(options_, 1000 + static_cast<std::uint64_t>(operation));
      const Status restored = snapshot.Restore(*shard_);
      ASSERT_TRUE(restored.ok()) << restored;
      shard_->CheckInvariants();
      ASSERT_EQ(shard_->GetStatus().size.rows, before.size.rows);
      ASSERT_EQ(shard_->GetStatus().size.transitions, before.size.transitions);
      ASSERT_NEAR(shard_->GetStatus().size.mass, before.size.mass, 1e-4 * before.size.mass);
    }
  }
  EXPECT_EQ(shard_->GetStatus().counters.accepted, accepted_);
  if (GetParam().tight()) {
    EXPECT_LT(shard_->GetStatus().size.rows, GetParam().capacity * 3 / 4);
  }
  EXPECT_GT(shard_->GetStatus().counters.evicted, 1000);
  EXPECT_GT(shard_->GetStatus().counters.repeated, 1000);
  EXPECT_GT(shard_->GetStatus().counters.broken_streams, 50);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ReplayShardPropertyTest,
    testing::Values(
        Shape{300, 1, 1, "uniform"}, Shape{300, 3, 4, "uniform"}, Shape{900, 5, 4, "prioritized"},
        Shape{50, 3, 2, "prioritized"}, Shape{300, 3, 4, "uniform", kZstd},
        Shape{900, 5, 4, "prioritized", kZstd}, Shape{2000, 1, 2, "uniform", kTight},
        Shape{.capacity = 300, .n_step = 3, .stack = 4, .selector = "uniform", .games = 3},
        Shape{900, 5, 4, "prioritized", kZstd, 2}),
    [](const auto& info) {
      const bool zstd = info.param.frames.compression == FrameCompression::kZstd;
      return "Capacity" + std::to_string(info.param.capacity) + "NStep" +
             std::to_string(info.param.n_step) + info.param.selector +
             (info.param.tight() ? "Tight"
              : zstd             ? "Zstd"
                                 : "") +
             (info.param.games > 1 ? "Games" + std::to_string(info.param.games) : "");
    });

}  // namespace
}  // namespace gorila
