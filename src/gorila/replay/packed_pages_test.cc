#include "gorila/replay/packed_pages.h"

#include <gtest/gtest.h>

#include <deque>

#include "gorila/base/random.h"

namespace gorila {
namespace {

// Chains that grow and are freed in any order, against copies of what they hold.
TEST(PackedPagesTest, FramesComeBackAndEveryPageIsUsedAgain) {
  constexpr std::size_t kPages = 40;
  constexpr std::size_t kPageBytes = 16;
  PackedPages pages(kPages, kPageBytes);
  struct Owner {
    PageChain chain;
    std::vector<std::pair<PackedFrame, std::vector<std::byte>>> frames;
  };
  std::vector<Owner> owners(5);
  RandomStream random(1);
  std::vector<std::byte> scratch(100);
  int full = 0;
  for (int operation = 0; operation < 20000; ++operation) {
    Owner& owner = owners[random.Below(owners.size())];
    std::vector<std::byte> bytes(1 + random.Below(50));
    for (std::byte& value : bytes) value = static_cast<std::byte>(random.Integer(0, 256));
    if (pages.HasRoom(owner.chain, bytes.size())) {
      const bool with = random.Integer(0, 2) == 0;
      const PackedFrame frame = pages.Append(owner.chain, bytes, with);
      EXPECT_EQ(frame.with_dictionary != 0, with);
      owner.frames.emplace_back(frame, bytes);
    } else {
      ++full;
      ASSERT_LT(pages.free_pages() * kPageBytes, bytes.size());
      pages.Free(owner.chain);
      owner.frames.clear();
    }
    std::size_t used = 0;
    for (const Owner& each : owners) {
      used += pages.CountPages(each.chain);
      if (each.frames.empty()) continue;
      const auto& [frame, expected] = each.frames[random.Below(each.frames.size())];
      const auto got = pages.Get(frame, scratch);
      ASSERT_EQ(std::vector<std::byte>(got.begin(), got.end()), expected);
    }
    ASSERT_EQ(used + pages.free_pages(), kPages);
  }
  EXPECT_GT(full, 100);
}

TEST(PackedPagesTest, AFrameThatFillsAPageToItsEndLeavesTheNextOneOut) {
  PackedPages pages(2, 8);
  PageChain chain;
  const std::vector<std::byte> eight(8, std::byte{1});
  pages.Append(chain, eight, false);
  EXPECT_EQ(pages.CountPages(chain), 1U);
  EXPECT_TRUE(pages.HasRoom(chain, 8));
  EXPECT_FALSE(pages.HasRoom(chain, 9));
  const PackedFrame second = pages.Append(chain, eight, false);
  EXPECT_EQ(second.offset, 0U);
  EXPECT_EQ(pages.free_pages(), 0U);
  pages.Free(chain);
  EXPECT_EQ(pages.free_pages(), 2U);
}

}  // namespace
}  // namespace gorila
