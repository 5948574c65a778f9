#include "gorila/base/quick_hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <vector>

namespace gorila {
namespace {

// 0, 1, 2, ...
std::vector<std::byte> Bytes(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i);
  return bytes;
}

TEST(QuickHashTest, EveryBitOfEveryLengthCounts) {
  for (std::size_t size = 1; size <= 100; ++size) {
    std::vector<std::byte> bytes = Bytes(size);
    std::set<std::uint64_t> seen = {QuickHash(1, bytes), QuickHash(2, bytes)};
    for (std::size_t bit = 0; bit < 8 * size; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      seen.insert(QuickHash(1, bytes));
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
    EXPECT_EQ(seen.size(), 8 * size + 2) << size;
  }
}

TEST(QuickHashTest, OrderAndZerosCount) {
  const std::vector<std::byte> zeros(200);
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size <= zeros.size(); ++size) {
    seen.insert(QuickHash(0, std::span(zeros).first(size)));
  }
  EXPECT_EQ(seen.size(), zeros.size() + 1);
  EXPECT_NE(QuickHash(QuickHash(0, 1), 2), QuickHash(QuickHash(0, 2), 1));
}

TEST(QuickHashTest, OneBitChangesHalfOfTheResult) {
  int changed = 0;
  for (int bit = 0; bit < 64; ++bit) {
    // A word later, when it has spread.
    const std::uint64_t a = QuickHash(QuickHash(7, 0), 5);
    const std::uint64_t b = QuickHash(QuickHash(7, std::uint64_t{1} << bit), 5);
    changed += std::popcount(a ^ b);
  }
  EXPECT_GT(changed, 64 * 20);
  EXPECT_LT(changed, 64 * 44);
}

// It is in checkpoints.
TEST(QuickHashTest, ValuesStayTheSame) {
  EXPECT_EQ(QuickHash(0, Bytes(13)), 0x13d71b78743be6bfU);
  EXPECT_EQ(QuickHash(0, Bytes(77)), 0xbc7fba3bd2060b2dU);
}

}  // namespace
}  // namespace gorila
