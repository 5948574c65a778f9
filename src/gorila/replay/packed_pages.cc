#include "gorila/replay/packed_pages.h"

#include <algorithm>
#include <cstring>

#include "gorila/base/status.h"

namespace gorila {

PackedPages::PackedPages(std::size_t pages, std::size_t page_bytes)
    : page_bytes_(page_bytes),
      memory_(pages * page_bytes),
      next_(pages, PageChain::kNone),
      free_pages_(pages) {
  GORILA_CHECK(pages < PageChain::kNone, "{} pages", pages);
  for (std::size_t page = pages; page > 0; --page) {
    next_[page - 1] = first_free_;
    first_free_ = static_cast<std::uint32_t>(page - 1);
  }
}

std::size_t PackedPages::NewPages(const PageChain& chain, std::size_t size) const {
  const std::size_t room = chain.last == PageChain::kNone ? 0 : page_bytes_ - chain.used;
  return size <= room ? 0 : (size - room + page_bytes_ - 1) / page_bytes_;
}

bool PackedPages::HasRoom(const PageChain& chain, std::size_t size) const {
  return NewPages(chain, size) <= free_pages_;
}

void PackedPages::AddPage(PageChain& chain) {
  GORILA_CHECK(free_pages_ > 0);
  const std::uint32_t page = first_free_;
  first_free_ = next_[page];
  --free_pages_;
  next_[page] = PageChain::kNone;
  (chain.last == PageChain::kNone ? chain.first : next_[chain.last]) = page;
  chain.last = page;
  chain.used = 0;
}

PackedFrame PackedPages::Append(PageChain& chain, std::span<const std::byte> bytes,
                                bool with_dictionary) {
  if (chain.last == PageChain::kNone || chain.used == page_bytes_) AddPage(chain);
  const PackedFrame frame{.page = chain.last,
                          .offset = chain.used,
                          .size = static_cast<std::uint32_t>(bytes.size()),
                          .with_dictionary = with_dictionary ? 1U : 0U};
  while (!bytes.empty()) {
    if (chain.used == page_bytes_) AddPage(chain);
    const std::size_t count = std::min(bytes.size(), page_bytes_ - chain.used);
    std::memcpy(&memory_[chain.last * page_bytes_ + chain.used], bytes.data(), count);
    chain.used += static_cast<std::uint32_t>(count);
    bytes = bytes.subspan(count);
  }
  return frame;
}

void PackedPages::Free(PageChain& chain) {
  if (chain.first == PageChain::kNone) return;
  free_pages_ += CountPages(chain);
  next_[chain.last] = first_free_;
  first_free_ = chain.first;
  chain = {};
}

std::size_t PackedPages::CountPages(const PageChain& chain) const {
  std::size_t count = 0;
  for (std::uint32_t page = chain.first; page != PageChain::kNone; page = next_[page]) ++count;
  return count;
}

std::span<const std::byte> PackedPages::Get(const PackedFrame& frame,
                                            std::span<std::byte> scratch) const {
  std::uint32_t page = frame.page;
  const std::size_t offset = frame.offset;
  if (offset + frame.size <= page_bytes_) {
    return std::span(memory_).subspan(page * page_bytes_ + offset, frame.size);
  }
  std::size_t done = page_bytes_ - offset;
  std::memcpy(scratch.data(), &memory_[page * page_bytes_ + offset], done);
  // The page after the frame's last one may be set meanwhile, and is not looked at.
  while (done < frame.size) {
    page = next_[page];
    const std::size_t count = std::min(frame.size - done, page_bytes_);
    std::memcpy(&scratch[done], &memory_[page * page_bytes_], count);
    done += count;
  }
  return scratch.first(frame.size);
}

}  // namespace gorila
