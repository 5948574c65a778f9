#include "gorila/parameter_server/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "gorila/base/random.h"

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PartitionTest, CoversEveryElementExactlyOnce) {
  RandomStream random(3);
  for (int i = 0; i < 2000; ++i) {
    const auto size = static_cast<std::size_t>(random.Integer(1, 5000));
    const int lines = static_cast<int>((size + 15) / 16);
    const int shards = random.Integer(1, lines + 1);
    const std::vector<Slice> slices = MakePartition(size, shards).value();
    ASSERT_EQ(slices.size(), static_cast<std::size_t>(shards));
    std::size_t expected_begin = 0;
    for (const Slice& slice : slices) {
      ASSERT_EQ(slice.begin, expected_begin) << size << " over " << shards;
      ASSERT_GT(slice.size(), 0u) << size << " over " << shards;
      expected_begin = slice.end;
    }
    ASSERT_EQ(expected_begin, size) << shards;
  }
}

TEST(PartitionTest, SlicesAreWholeCacheLinesAndAsEqualAsTheyCanBe) {
  RandomStream random(4);
  for (int i = 0; i < 500; ++i) {
    const auto size = static_cast<std::size_t>(random.Integer(1000, 100000));
    const int shards = random.Integer(1, 32);
    std::size_t least = size;
    std::size_t most = 0;
    const std::vector<Slice> slices = MakePartition(size, shards).value();
    for (const Slice& slice : slices) {
      ASSERT_EQ(slice.begin % 16, 0u);
      const std::size_t lines = (slice.size() + 15) / 16;
      least = std::min(least, lines);
      most = std::max(most, lines);
    }
    ASSERT_LE(most - least, 1u) << size << " over " << shards;
  }
}

TEST(PartitionTest, OneShardHasEverything) {
  EXPECT_THAT(MakePartition(7, 1).value(), ElementsAre(Slice{0, 7}));
}

TEST(PartitionTest, RefusesShardsThatWouldBeEmpty) {
  EXPECT_TRUE(MakePartition(33, 3).ok());
  for (const int shards : {4, 0, -1}) {
    const Status status = MakePartition(33, shards).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr("parameter_server.shards"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("expected 1..3 for 33 parameters"));
  }
  EXPECT_FALSE(MakePartition(0, 1).ok());
}

}  // namespace
}  // namespace gorila
