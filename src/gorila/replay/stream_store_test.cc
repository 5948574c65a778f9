#include "gorila/replay/stream_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kCapacity = 8;
constexpr StepType kFirst = StepType::kFirst;
constexpr StepType kMid = StepType::kMid;
constexpr StepType kLast = StepType::kLast;

// Frames of two bytes, four of them a stack.
ObservationSpec Spec() { return {.channels = 1, .height = 1, .width = 2, .stack = 4}; }

std::vector<std::byte> Frame(int value) { return {std::byte(value), std::byte(value + 100)}; }

ReplayRow Row(const std::vector<std::byte>& frame, StepType type, float reward = 0) {
  return {.frame = frame, .time_step = {type, reward, type == kLast ? 0.0F : 1.0F}, .action = 0};
}

// Row `value` holds the frame, reward and action that belong to its number.
void Append(StreamStore& store, int value, StepType type) {
  const std::vector<std::byte> frame = Frame(value);
  ReplayRow row = Row(frame, type, static_cast<float>(value) / 2);
  row.action = value % 5;
  ASSERT_TRUE(store.CheckRow(row).ok());
  store.Append(row, [&] { store.DropOldest(); });
}

// The first bytes of the stack's frames; the second ones are checked against them.
std::vector<int> Stack(const StreamStore& store, std::int64_t index) {
  std::vector<std::byte> bytes(Spec().stacked_bytes(), std::byte{0xee});
  store.CopyStack(index, bytes.data());
  std::vector<int> values;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    values.push_back(static_cast<int>(bytes[i]));
    EXPECT_EQ(static_cast<int>(bytes[i + 1]), values.back() == 0 ? 0 : values.back() + 100);
  }
  return values;
}

TEST(StreamStoreTest, StackIsZeroBeforeTheEpisodesFirstFrame) {
  StreamStore store(Spec(), kCapacity);
  Append(store, 1, kFirst);
  for (int value = 2; value <= 5; ++value) Append(store, value, kMid);
  EXPECT_THAT(Stack(store, 0), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(Stack(store, 1), ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(Stack(store, 2), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Stack(store, 3), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Stack(store, 4), ElementsAre(2, 3, 4, 5));
}

TEST(StreamStoreTest, StackNeverReachesIntoTheEpisodeBefore) {
  StreamStore store(Spec(), kCapacity);
  Append(store, 1, kFirst);
  Append(store, 2, kMid);
  Append(store, 3, kLast);
  Append(store, 4, kFirst);
  Append(store, 5, kMid);
  EXPECT_THAT(Stack(store, 2), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(Stack(store, 3), ElementsAre(0, 0, 0, 4));
  EXPECT_THAT(Stack(store, 4), ElementsAre(0, 0, 4, 5));
}

TEST(StreamStoreTest, RowsKeepTheirIndexWhenTheRingWraps) {
  StreamStore store(Spec(), kCapacity);
  Append(store, 1, kFirst);
  for (int value = 2; value <= 50; ++value) {
    Append(store, value, kMid);
    ASSERT_EQ(store.end(), value);
    ASSERT_EQ(store.begin(), std::max(0, value - static_cast<int>(kCapacity)));
    for (std::int64_t index = store.begin(); index < store.end(); ++index) {
      ASSERT_EQ(store.time_step(index).reward, static_cast<float>(index + 1) / 2);
      ASSERT_EQ(store.action(index), (index + 1) % 5);
    }
  }
  EXPECT_TRUE(store.full());
  EXPECT_THAT(Stack(store, 45), ElementsAre(43, 44, 45, 46));
  EXPECT_THAT(Stack(store, 49), ElementsAre(47, 48, 49, 50));
}

TEST(StreamStoreTest, StackDepthShowsThatAFrameWasDropped) {
  StreamStore store(Spec(), kCapacity);
  Append(store, 1, kFirst);
  for (int value = 2; value <= 6; ++value) Append(store, value, kMid);
  EXPECT_EQ(store.StackDepth(0), 0);
  EXPECT_EQ(store.StackDepth(2), 2);
  EXPECT_EQ(store.StackDepth(5), 3);
  store.DropOldest();
  EXPECT_LT(1 - store.StackDepth(1), store.begin());
  EXPECT_LT(3 - store.StackDepth(3), store.begin());
  EXPECT_GE(4 - store.StackDepth(4), store.begin());
}

TEST(StreamStoreTest, RefusesAFrameOfAnotherSize) {
  const StreamStore store(Spec(), kCapacity);
  const std::vector<std::byte> frame(3);
  const Status status = store.CheckRow(Row(frame, kFirst));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("3 bytes, expected 2"));
}

TEST(StreamStoreTest, RefusesRowsOutOfAnEpisodesOrder) {
  StreamStore store(Spec(), kCapacity);
  const std::vector<std::byte> frame = Frame(9);
  const auto accepts = [&](StepType type) {
    const Status status = store.CheckRow(Row(frame, type));
    EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status));
    return status.ok();
  };
  Append(store, 1, kFirst);
  EXPECT_FALSE(accepts(kFirst));
  EXPECT_TRUE(accepts(kMid));
  EXPECT_TRUE(accepts(kLast));
  Append(store, 2, kLast);
  EXPECT_TRUE(accepts(kFirst));
  EXPECT_FALSE(accepts(kMid));
  EXPECT_FALSE(accepts(kLast));
}

TEST(StreamStoreTest, AnEmptyStoreMayBeginInMidEpisode) {
  StreamStore store(Spec(), kCapacity);
  Append(store, 1, kMid);
  Append(store, 2, kMid);
  // The frames before are unknown, not zero.
  EXPECT_LT(0 - store.StackDepth(0), store.begin());
  EXPECT_LT(1 - store.StackDepth(1), store.begin());
}

TEST(StreamStoreTest, BothStacksOfATransitionAreThoseOfItsRows) {
  FramePacker packer(Spec().frame_bytes());
  StreamStore plain(Spec(), kCapacity);
  StreamStore packed(Spec(), kCapacity, packer, 1000);
  for (StreamStore* store : {&plain, &packed}) {
    Append(*store, 1, kFirst);
    for (int value = 2; value <= 12; ++value) Append(*store, value, kMid);
    const std::size_t bytes = Spec().stacked_bytes();
    for (std::int64_t start = 7; start < 11; ++start) {
      for (std::int64_t end = start; end < 12; ++end) {
        std::vector<std::byte> s_tm1(bytes);
        std::vector<std::byte> s_t(bytes);
        store->CopyStacks(start, end, s_tm1.data(), s_t.data());
        std::vector<std::byte> expected(bytes);
        store->CopyStack(start, expected.data());
        EXPECT_EQ(s_tm1, expected);
        plain.CopyStack(end, expected.data());
        EXPECT_EQ(s_t, expected) << start << " " << end;
      }
    }
  }
}

TEST(PackedStreamStoreTest, TheOldestRowsGoWhenTheBytesRunOut) {
  FramePacker packer(Spec().frame_bytes());
  const auto frame_bytes = static_cast<std::int64_t>(
      packer.Pack(Frame(1), false).size());  // two bytes cannot be made smaller
  StreamStore store(Spec(), kCapacity, packer, 5 * frame_bytes + frame_bytes / 2);
  Append(store, 1, kFirst);
  for (int value = 2; value <= 50; ++value) {
    Append(store, value, kMid);
    ASSERT_EQ(store.begin(), std::max(0, value - 5));
    ASSERT_EQ(store.FrameBytes(), (store.end() - store.begin()) * frame_bytes);
    if (value > 5) {
      ASSERT_THAT(Stack(store, value - 1), ElementsAre(value - 3, value - 2, value - 1, value));
    }
  }
  while (store.begin() < store.end()) store.DropOldest();
  EXPECT_EQ(store.FrameBytes(), 0);
}

// Three episodes in a ring that has wrapped: living rows 7..14 (values 8..15).
class StreamStoreSegmentTest : public testing::Test {
 protected:
  StreamStoreSegmentTest() : store_(Spec(), kCapacity), restored_(Spec(), kCapacity) {
    for (int value = 1; value <= 15; ++value) {
      Append(store_, value, value % 5 == 1 ? kFirst : value % 5 == 0 ? kLast : kMid);
    }
    restored_.ResetRange(store_.begin(), store_.end());
  }

  std::string Segment(std::int64_t first, std::int64_t count) const {
    StateWriter writer;
    store_.SaveRows(first, count, writer);
    return writer.Take();
  }

  Status Restore(const std::string& segment) {
    StateReader reader(segment);
    GORILA_RETURN_IF_ERROR(restored_.RestoreRows(reader, [&] { restored_.DropOldest(); }));
    return reader.Finish();
  }

  StreamStore store_;
  StreamStore restored_;
};

TEST_F(StreamStoreSegmentTest, SegmentsInOrderBringEveryLivingRowBack) {
  ASSERT_TRUE(Restore(Segment(7, 3)).ok());
  ASSERT_TRUE(Restore(Segment(10, 1)).ok());
  EXPECT_TRUE(absl::IsDataLoss(restored_.CheckComplete()));
  ASSERT_TRUE(Restore(Segment(11, 100)).ok());
  ASSERT_TRUE(Restore(Segment(15, 4)).ok());  // none
  ASSERT_TRUE(restored_.CheckComplete().ok());
  for (std::int64_t index = 7; index < 15; ++index) {
    EXPECT_EQ(restored_.time_step(index).step_type, store_.time_step(index).step_type);
    EXPECT_EQ(restored_.time_step(index).reward, store_.time_step(index).reward);
    EXPECT_EQ(restored_.time_step(index).discount, store_.time_step(index).discount);
    EXPECT_EQ(restored_.action(index), store_.action(index));
  }
  EXPECT_EQ(Stack(restored_, 13), Stack(store_, 13));
  EXPECT_EQ(Stack(restored_, 14), Stack(store_, 14));
}

TEST_F(StreamStoreSegmentTest, SavingSaysWhereTheNextSegmentBegins) {
  StateWriter writer;
  EXPECT_EQ(store_.SaveRows(9, 4, writer), 13);
  EXPECT_EQ(store_.SaveRows(13, 4, writer), 15);
  EXPECT_EQ(store_.SaveRows(2, 3, writer), 10) << "rows 2..6 have been dropped";
}

TEST_F(StreamStoreSegmentTest, RowsThatDiedAfterTheyWereSavedAreLeftOut) {
  const std::string older = Segment(7, 5);
  Append(store_, 16, kFirst);
  Append(store_, 17, kMid);
  restored_.ResetRange(store_.begin(), store_.end());
  ASSERT_TRUE(Restore(older).ok());
  ASSERT_TRUE(Restore(Segment(12, 100)).ok());
  ASSERT_TRUE(restored_.CheckComplete().ok());
  for (std::int64_t index = store_.begin(); index < store_.end(); ++index) {
    EXPECT_EQ(restored_.action(index), store_.action(index)) << index;
  }
}

TEST_F(StreamStoreSegmentTest, ASegmentTwiceDoesNotPassForAMissingOne) {
  ASSERT_TRUE(Restore(Segment(7, 4)).ok());
  const Status status = Restore(Segment(7, 4));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("begins at row 7, expected 11"));
}

TEST_F(StreamStoreSegmentTest, AGapIsDataLoss) {
  ASSERT_TRUE(Restore(Segment(7, 4)).ok());
  EXPECT_TRUE(absl::IsDataLoss(Restore(Segment(12, 3))));
}

TEST_F(StreamStoreSegmentTest, RowsAfterTheLastOneAreDataLoss) {
  const std::string segment = Segment(7, 8);
  restored_.ResetRange(7, 14);
  EXPECT_TRUE(absl::IsDataLoss(Restore(segment)));
}

TEST_F(StreamStoreSegmentTest, EveryTruncationIsDataLoss) {
  const std::string segment = Segment(7, 8);
  for (std::size_t size = 0; size < segment.size(); ++size) {
    restored_.ResetRange(store_.begin(), store_.end());
    EXPECT_TRUE(absl::IsDataLoss(Restore(segment.substr(0, size)))) << size;
  }
}

TEST_F(StreamStoreSegmentTest, ImpossibleRangesAreDataLoss) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  const std::vector<std::pair<std::int64_t, std::int64_t>> ranges = {
      {-1, 3}, {7, -1}, {7, kHuge}, {kHuge, 1}, {kHuge, 0}, {7, 9}};
  for (const auto& [first, count] : ranges) {
    StateWriter writer;
    writer.Write(first);
    writer.Write(count);
    writer.WriteBytes(std::vector<std::byte>(200));
    EXPECT_TRUE(absl::IsDataLoss(Restore(writer.Take()))) << first << " " << count;
  }
}

}  // namespace
}  // namespace gorila
