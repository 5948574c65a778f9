// Weights of a fully connected layer as AMX reads them. oneDNN can lay them out itself (a reorder);
// this does it in a quarter of the time, and every new set of parameters needs it.
#ifndef GORILA_NETWORK_ONEDNN_PACK_PAIRS_H_
#define GORILA_NETWORK_ONEDNN_PACK_PAIRS_H_

#include <cstddef>

#include "gorila/base/bfloat16.h"

namespace gorila {

inline constexpr std::size_t kPackedRows = 64;
inline constexpr std::size_t kPackedColumns = 32;

// `weights`: rows x columns, multiples of the constants above; `packed`: as many, on a boundary of
// 4 bytes, in oneDNN's AB16b64a2b: blocks of 64 x 32, row by row of blocks; in a block the first
// two columns of all rows, pair by pair, then the next two.
void PackPairs(const float* weights, std::size_t rows, std::size_t columns, Bfloat16* packed);

}  // namespace gorila

#endif  // GORILA_NETWORK_ONEDNN_PACK_PAIRS_H_
