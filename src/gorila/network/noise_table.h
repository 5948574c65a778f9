// f(x) = sgn(x) sqrt(|x|) of normal draws, which factored noise is made of.
#ifndef GORILA_NETWORK_NOISE_TABLE_H_
#define GORILA_NETWORK_NOISE_TABLE_H_

#include <span>

#include "gorila/base/random.h"

namespace gorila {

// Fills `factors` with f(e) of independent e ~ N(0, 1), each rounded to one of 4096 equally likely
// values (|e| up to 3.7): some ten times as fast as exact draws, which would take as long as a
// small network's step. The same draws on every machine.
void DrawNoiseFactors(RandomStream& random, std::span<float> factors);

}  // namespace gorila

#endif  // GORILA_NETWORK_NOISE_TABLE_H_
