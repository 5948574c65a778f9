#include "gorila/network/noise_table.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace gorila {
namespace {

constexpr int kBits = 12;
constexpr std::size_t kLevels = std::size_t{1} << kBits;
using Table = std::array<float, kLevels>;

// Where the normal distribution's upper tail is `tail`, 0 < tail < 1/2, by bisection.
double NormalQuantile(double tail) {
  double low = 0;
  double high = 8;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(middle / std::sqrt(2.0)) > tail ? low : high) = middle;
  }
  return low;
}

// f at the middle of each of kLevels parts of equal probability.
Table MakeTable() {
  Table table{};
  for (std::size_t i = 0; i < kLevels / 2; ++i) {
    const double tail = (static_cast<double>(i) + 0.5) / static_cast<double>(kLevels);
    const auto value = static_cast<float>(std::sqrt(NormalQuantile(tail)));
    table[i] = -value;
    table[kLevels - 1 - i] = value;
  }
  return table;
}

}  // namespace

void DrawNoiseFactors(RandomStream& random, std::span<float> factors) {
  static const Table table = MakeTable();
  constexpr int kPerDraw = 64 / kBits;
  std::uint64_t bits = 0;
  int left = 0;
  for (float& factor : factors) {
    if (left == 0) {
      bits = random.NextBits();
      left = kPerDraw;
    }
    factor = table[bits % kLevels];
    bits >>= kBits;
    --left;
  }
}

}  // namespace gorila
