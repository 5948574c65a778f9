// Compressed frames of several sizes, for owners that take and give back memory in any order.
#ifndef GORILA_REPLAY_PACKED_PAGES_H_
#define GORILA_REPLAY_PACKED_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gorila {

// The frames of one owner: pages of a PackedPages, one after another.
struct PageChain {
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::uint32_t first = kNone;
  std::uint32_t last = kNone;
  std::uint32_t used = 0;  // bytes of the last page
};

struct PackedFrame {
  std::uint32_t page = PageChain::kNone;  // that it begins in
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
  std::uint32_t with_dictionary = 0;
};

// Pages of equal size, allocated up front. A frame may span several. Not thread-safe, but for one
// thing: frames may be read while others are appended, to the same chain or another.
class PackedPages {
 public:
  PackedPages(std::size_t pages, std::size_t page_bytes);

  bool HasRoom(const PageChain& chain, std::size_t size) const;
  // Copies `bytes` to the chain's end. HasRoom must be true.
  PackedFrame Append(PageChain& chain, std::span<const std::byte> bytes, bool with_dictionary);
  // All pages of the chain, whose frames nobody reads any more; it is empty then.
  void Free(PageChain& chain);

  // The frame's bytes; copied into `scratch`, which must hold them, when they are in pieces.
  std::span<const std::byte> Get(const PackedFrame& frame, std::span<std::byte> scratch) const;

  std::size_t pages() const { return next_.size(); }
  std::size_t free_pages() const { return free_pages_; }
  std::size_t page_bytes() const { return page_bytes_; }
  // The number of pages of one chain.
  std::size_t CountPages(const PageChain& chain) const;

 private:
  // Pages that a frame of `size` bytes adds to the chain.
  std::size_t NewPages(const PageChain& chain, std::size_t size) const;
  void AddPage(PageChain& chain);

  const std::size_t page_bytes_;
  std::vector<std::byte> memory_;
  std::vector<std::uint32_t> next_;  // the page after, in a chain or among the free ones
  std::uint32_t first_free_ = PageChain::kNone;
  std::size_t free_pages_ = 0;
};

}  // namespace gorila

#endif  // GORILA_REPLAY_PACKED_PAGES_H_
