// Parts of a flat parameter vector that need not be contiguous.
#ifndef GORILA_NETWORK_SPLIT_PARAMETER_PIECES_H_
#define GORILA_NETWORK_SPLIT_PARAMETER_PIECES_H_

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace gorila {

// `rows` runs of `width` floats: run i begins at `begin + i * stride` of the flat vector, and at
// `local + i * width` of the vector of whoever has the piece.
struct Piece {
  std::size_t begin = 0;
  std::size_t width = 0;
  std::size_t rows = 1;
  std::size_t stride = 0;
  std::size_t local = 0;

  std::size_t size() const { return width * rows; }
  bool operator==(const Piece&) const = default;
};

using Pieces = std::vector<Piece>;

inline std::size_t SizeOf(std::span<const Piece> pieces) {
  std::size_t size = 0;
  for (const Piece& piece : pieces) size += piece.size();
  return size;
}

// Calls visit(flat, local, count) for every stretch of the pieces that is contiguous in both
// vectors and inside `begin` .. `end` - 1 of the flat one, in the pieces' order.
template <typename Visit>
void ForEachRun(std::span<const Piece> pieces, std::size_t begin, std::size_t end,
                const Visit& visit) {
  for (const Piece& piece : pieces) {
    for (std::size_t row = 0; row < piece.rows; ++row) {
      const std::size_t flat = piece.begin + row * piece.stride;
      const std::size_t first = std::max(flat, begin);
      const std::size_t last = std::min(flat + piece.width, end);
      if (first >= last) continue;
      visit(first, piece.local + row * piece.width + (first - flat), last - first);
    }
  }
}

// How many floats of the pieces are inside `begin` .. `end` - 1.
inline std::size_t SizeWithin(std::span<const Piece> pieces, std::size_t begin, std::size_t end) {
  std::size_t size = 0;
  ForEachRun(pieces, begin, end,
             [&](std::size_t, std::size_t, std::size_t count) { size += count; });
  return size;
}

// Between the local vector of whoever has the pieces and the flat one, which is long enough.
inline void CopyToFlat(std::span<const Piece> pieces, std::span<const float> local,
                       std::span<float> flat) {
  ForEachRun(pieces, 0, flat.size(), [&](std::size_t to, std::size_t from, std::size_t count) {
    std::copy_n(&local[from], count, &flat[to]);
  });
}
inline void CopyFromFlat(std::span<const Piece> pieces, std::span<const float> flat,
                         std::span<float> local) {
  ForEachRun(pieces, 0, flat.size(), [&](std::size_t from, std::size_t to, std::size_t count) {
    std::copy_n(&flat[from], count, &local[to]);
  });
}

}  // namespace gorila

#endif  // GORILA_NETWORK_SPLIT_PARAMETER_PIECES_H_
