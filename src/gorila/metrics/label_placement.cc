#include "gorila/metrics/label_placement.h"

#include <algorithm>
#include <cmath>

#include "gorila/base/status.h"

namespace gorila::drawing {
namespace {

int StepsOver(double length) {
  return std::max(1, static_cast<int>(std::ceil(length / Occupancy::kSpacing)));
}

}  // namespace

void Occupancy::AddLine(Point from, Point to) {
  const int steps = StepsOver(std::hypot(to.x - from.x, to.y - from.y));
  for (int i = 0; i <= steps; ++i) {
    const double fraction = static_cast<double>(i) / steps;
    points_.push_back({std::lerp(from.x, to.x, fraction), std::lerp(from.y, to.y, fraction)});
  }
}

void Occupancy::AddBox(const Box& box) {
  AddArea({box.left, box.bottom(), box.top}, {box.right(), box.bottom(), box.top});
}

void Occupancy::AddArea(const Upright& from, const Upright& to) {
  const int steps = StepsOver(to.x - from.x);
  for (int i = 0; i <= steps; ++i) {
    const double fraction = static_cast<double>(i) / steps;
    const double x = std::lerp(from.x, to.x, fraction);
    AddLine({x, std::lerp(from.low, to.low, fraction)},
            {x, std::lerp(from.high, to.high, fraction)});
  }
}

int Occupancy::CoveredBy(const Box& box) const {
  return static_cast<int>(std::count_if(points_.begin(), points_.end(), [&box](Point point) {
    return point.x >= box.left && point.x <= box.right() && point.y >= box.top &&
           point.y <= box.bottom();
  }));
}

Box Occupancy::LeastCovering(std::span<const Box> candidates) const {
  GORILA_CHECK(!candidates.empty(), "no candidates");
  Box best = candidates[0];
  int least = CoveredBy(best);
  for (const Box& candidate : candidates.subspan(1)) {
    const int covered = CoveredBy(candidate);
    if (covered < least) {
      least = covered;
      best = candidate;
    }
  }
  return best;
}

}  // namespace gorila::drawing
