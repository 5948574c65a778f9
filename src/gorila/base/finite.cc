#include "gorila/base/finite.h"

#include <algorithm>

#include "gorila/base/vectorise.h"

namespace gorila {

// An integer maximum vectorises where a float one may not.
GORILA_VECTORISE
std::uint32_t LargestMagnitudeBits(std::span<const float> values) {
  std::uint32_t largest = 0;
  for (const float value : values) {
    largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
  }
  return largest;
}

}  // namespace gorila
