#include "gorila/network/onednn/pack_pairs.h"

#include <gtest/gtest.h>

#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

TEST(PackPairsTest, BlocksHoldPairsOfColumnsOfAllTheirRows) {
  constexpr std::size_t kRows = 3 * kPackedRows;
  constexpr std::size_t kColumns = 5 * kPackedColumns;
  RandomStream random(1);
  std::vector<float> weights(kRows * kColumns);
  for (float& weight : weights) weight = static_cast<float>(random.Uniform() - 0.5);
  std::vector<Bfloat16> packed(weights.size());
  PackPairs(weights.data(), kRows, kColumns, packed.data());
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      const std::size_t block =
          row / kPackedRows * (kColumns / kPackedColumns) + column / kPackedColumns;
      const std::size_t pair = column % kPackedColumns / 2;
      const std::size_t place = (pair * kPackedRows + row % kPackedRows) * 2 + column % 2;
      ASSERT_EQ(packed[block * kPackedRows * kPackedColumns + place],
                RoundToBfloat16(weights[row * kColumns + column]))
          << row << " " << column;
    }
  }
}

}  // namespace
}  // namespace gorila
