// Rescaled values (Pohlen et al. 2018; Kapturowski et al. 2019, section 2.3).
#ifndef GORILA_AGENT_VALUE_SCALE_H_
#define GORILA_AGENT_VALUE_SCALE_H_

#include <cmath>

namespace gorila {

inline constexpr double kValueScaleEpsilon = 1e-3;

// h(x) = sgn(x) (sqrt(|x| + 1) - 1) + 0.001 x, which keeps large returns within reach.
inline double RescaleValue(double x) {
  return std::copysign(std::sqrt(std::abs(x) + 1) - 1, x) + kValueScaleEpsilon * x;
}

// Its inverse.
inline double UnscaleValue(double y) {
  constexpr double kE = kValueScaleEpsilon;
  const double root = (std::sqrt(1 + 4 * kE * (std::abs(y) + 1 + kE)) - 1) / (2 * kE);
  return std::copysign(root * root - 1, y);
}

}  // namespace gorila

#endif  // GORILA_AGENT_VALUE_SCALE_H_
