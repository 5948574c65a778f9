#include "gorila/network/onednn/pack_pairs.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

#include "gorila/base/vectorise.h"

namespace gorila {
namespace {

// Pairs of one row or, transposed, one pair of as many rows.
constexpr int kLanes = kPackedColumns / 2;
using Pairs __attribute__((vector_size(kLanes * sizeof(std::uint32_t)))) = std::uint32_t;
using Square = std::array<Pairs, kLanes>;

// One step of a transposition: within every square of 2 kWidth x 2 kWidth, the upper right quarter
// and the lower left one change places. Lanes from kLanes on are those of the second vector.
template <int kWidth, int... kLane>
[[gnu::always_inline]] inline void SwapQuarters(Pairs& upper, Pairs& lower,
                                                std::integer_sequence<int, kLane...>) {
  const Pairs before = upper;
  upper = __builtin_shufflevector(before, lower,
                                  ((kLane & kWidth) == 0 ? kLane : kLanes + kLane - kWidth)...);
  lower = __builtin_shufflevector(before, lower,
                                  ((kLane & kWidth) == 0 ? kLane + kWidth : kLanes + kLane)...);
}

template <int kWidth>
[[gnu::always_inline]] inline void SwapAll(Square& square) {
  for (std::size_t i = 0; i < square.size(); ++i) {
    if ((i & kWidth) != 0) continue;
    SwapQuarters<kWidth>(square[i], square[i + kWidth], std::make_integer_sequence<int, kLanes>());
  }
}

[[gnu::always_inline]] inline void Transpose(Square& square) {
  SwapAll<8>(square);
  SwapAll<4>(square);
  SwapAll<2>(square);
  SwapAll<1>(square);
}

[[gnu::always_inline]] inline void PackBlock(const float* weights, std::size_t stride,
                                             Bfloat16* packed) {
  for (std::size_t first = 0; first < kPackedRows; first += kLanes) {
    Square square;
    for (std::size_t row = 0; row < kLanes; ++row) {
      std::array<Bfloat16, kPackedColumns> rounded;
      const float* const from = weights + (first + row) * stride;
      for (std::size_t i = 0; i < rounded.size(); ++i) rounded[i] = RoundToBfloat16(from[i]);
      std::memcpy(&square[row], rounded.data(), sizeof rounded);
    }
    Transpose(square);
    for (std::size_t pair = 0; pair < kLanes; ++pair) {
      std::memcpy(packed + (pair * kPackedRows + first) * 2, &square[pair], sizeof square[pair]);
    }
  }
}

}  // namespace

GORILA_VECTORISE
void PackPairs(const float* weights, std::size_t rows, std::size_t columns, Bfloat16* packed) {
  for (std::size_t row = 0; row < rows; row += kPackedRows) {
    for (std::size_t column = 0; column < columns; column += kPackedColumns) {
      PackBlock(weights + row * columns + column, columns, packed);
      packed += kPackedRows * kPackedColumns;
    }
  }
}

}  // namespace gorila
