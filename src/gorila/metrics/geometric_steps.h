// How often something is written that would otherwise fill a disk in a run of weeks.
#ifndef GORILA_METRICS_GEOMETRIC_STEPS_H_
#define GORILA_METRICS_GEOMETRIC_STEPS_H_

#include <cmath>
#include <cstdint>

namespace gorila {

// Whether a step that grows in small steps, from `before` to `now`, has passed one of a grid's
// points, of which each factor of e has `per_factor`. Evenly spaced steps all do at first (the
// first `per_factor` of them); later ones do ever more rarely, so that n of them are
// per_factor * (1 + ln(n / per_factor)). Depends on nothing else, so that a resumed run picks the
// same steps.
inline bool PassesGeometricStep(std::int64_t before, std::int64_t now, double per_factor) {
  if (now <= before) return false;
  if (before <= 0) return true;
  const auto point = [per_factor](std::int64_t step) {
    return std::floor(per_factor * std::log(static_cast<double>(step)));
  };
  return point(now) > point(before);
}

}  // namespace gorila

#endif  // GORILA_METRICS_GEOMETRIC_STEPS_H_
