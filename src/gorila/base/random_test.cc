#include "gorila/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace gorila {
namespace {

TEST(RandomStreamTest, SameSeedGivesSameStream) {
  RandomStream a(7), b(7);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.NextBits(), b.NextBits());
}

TEST(RandomStreamTest, NamesAndIndicesGiveDifferentStreams) {
  std::set<std::uint64_t> first;
  for (int index = 0; index < 100; ++index) {
    first.insert(RandomStream::Derive(1, "actor", index).NextBits());
    first.insert(RandomStream::Derive(1, "learner", index).NextBits());
    first.insert(RandomStream::Derive(2, "actor", index).NextBits());
  }
  EXPECT_EQ(first.size(), 300u);
}

TEST(RandomStreamTest, MatchesTheReferenceGenerator) {
  // xoshiro256++ from state {1, 2, 3, 4}: the first outputs of the authors' reference program.
  StateWriter writer;
  writer.Write(std::array<std::uint64_t, 4>{1, 2, 3, 4});
  RandomStream stream(0);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(stream.RestoreState(reader).ok());
  EXPECT_EQ(stream.NextBits(), 41943041u);
  EXPECT_EQ(stream.NextBits(), 58720359u);
  EXPECT_EQ(stream.NextBits(), 3588806011781223u);
}

TEST(RandomStreamTest, UniformIsInRangeWithMeanOneHalf) {
  RandomStream stream(3);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double u = stream.Uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

TEST(RandomStreamTest, IntegerCoversItsRangeEvenly) {
  RandomStream stream(4);
  std::array<int, 5> counts{};
  for (int i = 0; i < 50000; ++i) ++counts.at(static_cast<std::size_t>(stream.Integer(1, 6) - 1));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 400);
}

TEST(RandomStreamTest, RestoredStreamContinuesWhereItWasSaved) {
  RandomStream stream(5);
  stream.NextBits();
  StateWriter writer;
  stream.SaveState(writer);
  RandomStream copy(99);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(copy.RestoreState(reader).ok());
  EXPECT_EQ(copy, stream);
  EXPECT_EQ(copy.NextBits(), stream.NextBits());
}

}  // namespace
}  // namespace gorila
