// A 64-bit checksum that keeps up with memory, for data that is compared and not defended: zlib's
// CRC-32 takes 60 ns for the few numbers of a small game's step, which takes 10.
#ifndef GORILA_BASE_QUICK_HASH_H_
#define GORILA_BASE_QUICK_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace gorila {

// One more word. Every bit of `word` and `hash` reaches the result. In checkpoints: must not
// change.
constexpr std::uint64_t QuickHash(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9fb21c651e98df25;
  return hash ^ (hash >> 32);
}

// `hash` and more bytes, their number included. Four chains of multiplications run side by side in
// long ones.
inline std::uint64_t QuickHash(std::uint64_t hash, std::span<const std::byte> bytes) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  hash ^= bytes.size() * 0xd6e8feb86659fd93;
  std::array<std::uint64_t, 4> lanes = {hash, hash + 1, hash + 2, hash + 3};
  const bool is_long = bytes.size() >= lanes.size() * kWord;
  while (bytes.size() >= lanes.size() * kWord) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(&words, bytes.data(), sizeof words);
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i] = QuickHash(lanes[i], words[i]);
    bytes = bytes.subspan(sizeof words);
  }
  if (is_long) {
    for (const std::uint64_t lane : lanes) hash = QuickHash(hash, lane);
  }
  std::uint64_t word = 0;
  for (; bytes.size() >= kWord; bytes = bytes.subspan(kWord)) {
    std::memcpy(&word, bytes.data(), kWord);
    hash = QuickHash(hash, word);
  }
  if (bytes.empty()) return hash;
  word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  return QuickHash(hash, word);
}

}  // namespace gorila

#endif  // GORILA_BASE_QUICK_HASH_H_
