// Random operations on a small shard that serves unrolls, against the rows of every life: lost
// rows, retries, restarts of actors and of the shard.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "gorila/replay/shard_testing.h"
#include "gorila/replay/unroll_testing.h"

namespace gorila {
namespace {

using namespace testing_replay;

constexpr int kNames = 4;  // streams that are alive at once
constexpr int kMinibatch = 3;

struct Shape {
  int unroll;
  int stack;
  FrameCompression compression = FrameCompression::kNone;
  double share = 0;
};

class ReplayShardUnrollPropertyTest : public testing::TestWithParam<Shape> {
 protected:
  ReplayShardUnrollPropertyTest() : options_(ShardOptions(1200, 1, GetParam().stack)), random_(11) {
    options_.replay.transition.unroll = GetParam().unroll;
    options_.replay.selector = {
        .name = "queue", .minibatch = kMinibatch, .replayed_share = GetParam().share};
    options_.replay.rate.insert_lead = 300;
    options_.replay.frames.compression = GetParam().compression;
    shard_ = MakeShard(options_);
    for (int i = 0; i < kNames; ++i) lives_.push_back(NewLife());
  }

  struct Life {
    std::int32_t number = 0;
    std::size_t sent = 0;
  };

  Life NewLife() {
    Life life{.number = static_cast<std::int32_t>(rows_.size())};
    RandomEpisodes episodes(1, 100 + rows_.size());
    std::vector<NamedRow>& rows = rows_.emplace_back();
    for (int i = 0; i < 400; ++i) {
      NamedRow row = episodes.Next();
      row.name.stream = life.number;
      rows.push_back(WithProbability(row));
    }
    return life;
  }

  void InsertSome(Life& life) {
    const std::vector<NamedRow>& rows = rows_[static_cast<std::size_t>(life.number)];
    std::size_t begin = life.sent;
    if (random_.Integer(0, 3) == 0) {  // a retry
      begin -= static_cast<std::size_t>(random_.Below(std::min<std::size_t>(begin, 20) + 1));
    } else if (random_.Integer(0, 25) == 0) {  // rows that are lost
      begin += static_cast<std::size_t>(random_.Integer(1, 9));
    }
    const std::size_t end =
        std::min(rows.size(), begin + static_cast<std::size_t>(random_.Integer(1, 25)));
    if (begin >= end) return;
    const StreamName stream{.actor = life.number % kNames,
                            .life = static_cast<std::uint64_t>(life.number)};
    const auto reply = InsertRows(*shard_, stream,
                                  {rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                   rows.begin() + static_cast<std::ptrdiff_t>(end)});
    ASSERT_TRUE(reply.ok()) << reply.status();
    const auto taken = static_cast<std::size_t>(reply->accepted + reply->repeated);
    if (taken == 0) return;
    for (std::size_t row = life.sent; row < begin; ++row) lost_.insert(rows[row].name);
    life.sent = std::max(life.sent, begin + taken);
  }

  void CheckSamples() {
    while (shard_->GetStatus().size.allowed > 0) {
      TransitionBatch batch;
      ASSERT_TRUE(shard_->Sample(kMinibatch, Later(), batch).ok());
      const std::size_t fresh = FreshOf(options_.replay.selector, kMinibatch);
      for (std::size_t i = 0; i < kMinibatch; ++i) {
        ASSERT_NO_FATAL_FAILURE(CheckUnroll(batch, i, i < fresh)) << i;
      }
    }
  }

  void CheckUnroll(const TransitionBatch& batch, std::size_t i, bool fresh) {
    const Unroll got = UnrollFromBatch(batch, i, GetParam().stack);
    const FrameName name = got.states.front().back();
    ASSERT_LT(static_cast<std::size_t>(name.stream), rows_.size());
    const std::vector<NamedRow>& rows = rows_[static_cast<std::size_t>(name.stream)];
    const auto start = static_cast<std::size_t>(name.number - 1);
    ASSERT_EQ(start % static_cast<std::size_t>(GetParam().unroll), 0U);
    for (int row = 0; row <= GetParam().unroll; ++row) {
      ASSERT_FALSE(lost_.contains({name.stream, name.number + row})) << "it spans a gap";
    }
    ExpectSame(got, UnrollOf(rows, start, options_.replay.transition, GetParam().stack));
    ASSERT_EQ(batch.probabilities[i], 1);
    if (!fresh) {
      ASSERT_TRUE(drawn_.contains(name)) << "drawn again before it was drawn";
      return;
    }
    ASSERT_TRUE(drawn_.insert(name).second) << "drawn twice";
    ASSERT_LT(last_[name.stream], name.number) << "out of order";
    last_[name.stream] = name.number;
  }

  // Killed and restored, at an instant that was just saved.
  void Restart(std::uint64_t seed) {
    ShardSnapshot snapshot;
    shard_->ForgetSaved();
    snapshot.Save(*shard_, random_.Integer(1, 4000));
    const ReplayShardStatus before = shard_->GetStatus();
    shard_ = MakeShard(options_, seed);
    const Status restored = snapshot.Restore(*shard_);
    ASSERT_TRUE(restored.ok()) << restored;
    shard_->CheckInvariants();
    ASSERT_EQ(shard_->GetStatus().size.rows, before.size.rows);
    ASSERT_EQ(shard_->GetStatus().size.transitions, before.size.transitions);
    ASSERT_EQ(shard_->GetStatus().size.mass, before.size.mass);
  }

  ReplayShardOptions options_;
  RandomStream random_;
  std::unique_ptr<ReplayShard> shard_;
  std::vector<std::vector<NamedRow>> rows_;  // of each life, past ones included
  std::vector<Life> lives_;
  std::set<FrameName> lost_;
  std::set<FrameName> drawn_;
  std::map<std::int32_t, std::int32_t> last_;  // drawn, of each life
};

TEST_P(ReplayShardUnrollPropertyTest, DrawsWhatTheRowsSayOnceInOrderAndNothingOverAGap) {
  for (int operation = 0; operation < 3000; ++operation) {
    Life& life = lives_[random_.Below(kNames)];
    if (life.sent + 40 > 400 || random_.Integer(0, 200) == 0) life = NewLife();
    ASSERT_NO_FATAL_FAILURE(InsertSome(life)) << operation;
    if (operation % 5 == 0) shard_->CheckInvariants();
    if (operation % 7 == 0) {
      ASSERT_NO_FATAL_FAILURE(CheckSamples()) << operation;
    }
    if (operation % 200 == 199) {
      ASSERT_NO_FATAL_FAILURE(Restart(1000 + static_cast<std::uint64_t>(operation)));
    }
  }
  const ReplayShardCounters counters = shard_->GetStatus().counters;
  EXPECT_GT(counters.evicted, 1000);
  EXPECT_GT(counters.broken_streams, 20);
  EXPECT_FALSE(lost_.empty());
  // Most rows are in an unroll: those around gaps and ends of lives are not.
  EXPECT_GT(static_cast<std::int64_t>(drawn_.size()) * GetParam().unroll,
            counters.accepted / (GetParam().unroll > 10 ? 4 : 2));
}

INSTANTIATE_TEST_SUITE_P(Shapes, ReplayShardUnrollPropertyTest,
                         testing::Values(Shape{1, 1}, Shape{5, 1}, Shape{7, 4}, Shape{20, 3},
                                         Shape{80, 4}, Shape{7, 4, FrameCompression::kZstd},
                                         Shape{7, 2, FrameCompression::kNone, 0.5},
                                         Shape{20, 4, FrameCompression::kZstd, 0.34}),
                         [](const auto& info) {
                           return fmt::format(
                               "T{}Stack{}{}{}", info.param.unroll, info.param.stack,
                               info.param.compression == FrameCompression::kZstd ? "Zstd" : "",
                               info.param.share > 0 ? "Replayed" : "");
                         });

}  // namespace
}  // namespace gorila
