#include "gorila/base/bfloat16.h"

#include "gorila/base/vectorise.h"

namespace gorila {

GORILA_VECTORISE
void RoundToBfloat16(const float* in, std::size_t size, Bfloat16* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = RoundToBfloat16(in[i]);
}

GORILA_VECTORISE
void Widen(const Bfloat16* in, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = Widen(in[i]);
}

}  // namespace gorila
