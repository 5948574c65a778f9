#include "gorila/agent/atom_math.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include "gorila/base/vectorise.h"

namespace gorila {
namespace {

constexpr std::size_t kLanes = 16;
using Lanes = std::array<float, kLanes>;

[[gnu::always_inline]] inline float SumOf(const Lanes& lanes) {
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

// exp(x) for x <= 0: 2^n exp(r) with |r| <= ln 2 / 2, a polynomial, and the exponent's bits. Adding
// 1.5 * 2^23 rounds to the nearest whole number, which is then in the lowest bits.
[[gnu::always_inline]] inline float Exp(float x) {
  constexpr float kRound = 12582912.0F;
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;
  constexpr float kLn2Low = -2.12194440e-4F;
  x = x < -87.0F ? -87.0F : x;
  const float rounded = x * kLog2E + kRound;
  const float n = rounded - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const std::uint32_t power = (std::bit_cast<std::uint32_t>(rounded) + 127U) << 23U;
  return p * std::bit_cast<float>(power);
}

[[gnu::always_inline]] inline float LargestOf(const float* values, std::size_t size) {
  Lanes most;
  most.fill(values[0]);
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) {
      most[k] = values[i + k] > most[k] ? values[i + k] : most[k];
    }
  }
  for (std::size_t i = whole; i < size; ++i) most[0] = std::max(most[0], values[i]);
  return *std::max_element(most.begin(), most.end());
}

}  // namespace

GORILA_VECTORISE
float Largest(const float* values, std::size_t size) { return LargestOf(values, size); }

GORILA_VECTORISE
float Exponentials(const float* in, float most, std::size_t size, float* out) {
  Lanes sums{};
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) {
      out[i + k] = Exp(in[i + k] - most);
      sums[k] += out[i + k];
    }
  }
  for (std::size_t i = whole; i < size; ++i) {
    out[i] = Exp(in[i] - most);
    sums[0] += out[i];
  }
  return SumOf(sums);
}

GORILA_VECTORISE
float MeanIndex(const float* logits, std::size_t size) {
  const float most = LargestOf(logits, size);
  Lanes sums{};
  Lanes weighted{};
  Lanes index{};
  for (std::size_t k = 0; k < kLanes; ++k) index[k] = static_cast<float>(k);
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) {
      const float weight = Exp(logits[i + k] - most);
      sums[k] += weight;
      weighted[k] += weight * index[k];
      index[k] += static_cast<float>(kLanes);
    }
  }
  for (std::size_t i = whole; i < size; ++i) {
    const float weight = Exp(logits[i] - most);
    sums[0] += weight;
    weighted[0] += weight * static_cast<float>(i);
  }
  return SumOf(weighted) / SumOf(sums);
}

GORILA_VECTORISE
float MeanOf(const float* values, std::size_t size) {
  Lanes sums{};
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) sums[k] += values[i + k];
  }
  for (std::size_t i = whole; i < size; ++i) sums[0] += values[i];
  return SumOf(sums) / static_cast<float>(size);
}

GORILA_VECTORISE
QuantileLoss QuantileHuberLoss(float theta, float tau, const float* targets, std::size_t size) {
  Lanes loss{};
  Lanes slope{};
  // Without a branch: |tau - 1{u < 0}| is 1/2 and, with the sign of u, tau - 1/2.
  const float skew = tau - 0.5F;
  const auto add = [&](std::size_t lane, float target) __attribute__((always_inline)) {
    const float u = target - theta;
    const float share = 0.5F + std::copysign(1.0F, u) * skew;
    const float magnitude = std::abs(u);
    const float inside = magnitude < 1 ? magnitude : 1.0F;
    loss[lane] += share * inside * (magnitude - 0.5F * inside);
    slope[lane] -= share * std::copysign(inside, u);
  };
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) add(k, targets[i + k]);
  }
  for (std::size_t i = whole; i < size; ++i) add(i % kLanes, targets[i]);
  const auto count = static_cast<float>(size);
  return {SumOf(loss) / count, SumOf(slope) / count};
}

}  // namespace gorila
