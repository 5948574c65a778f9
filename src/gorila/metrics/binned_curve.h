// A noisy series of any length in bounded memory, for a chart.
#ifndef GORILA_METRICS_BINNED_CURVE_H_
#define GORILA_METRICS_BINNED_CURVE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/learning_curve.h"

namespace gorila {

// Every value until there are `most` (even, > 0); beyond that the means of two neighbours each,
// then of four, and so on, with the lowest and the highest value among them.
class BinnedCurve {
 public:
  explicit BinnedCurve(std::size_t most) : most_(most) {
    GORILA_CHECK(most > 0 && most % 2 == 0, "{} bins", most);
  }

  // Passes over values that are not finite.
  void Add(double x, double y) {
    if (!std::isfinite(x) || !std::isfinite(y)) return;
    if (bins_.empty() || bins_.back().count == per_bin_) {
      if (bins_.size() == most_) Halve();
      if (bins_.empty() || bins_.back().count == per_bin_) bins_.push_back({});
    }
    bins_.back().Include({.count = 1, .x = x, .y = y, .low = y, .high = y});
  }

  bool empty() const { return bins_.empty(); }
  // Oldest first; low and high are NaN where there is one value.
  std::vector<CurvePoint> points() const {
    std::vector<CurvePoint> points;
    for (const Bin& bin : bins_) {
      CurvePoint point{.x = bin.x, .mean = bin.y};
      if (bin.count > 1) {
        point.low = bin.low;
        point.high = bin.high;
      }
      points.push_back(point);
    }
    return points;
  }

 private:
  struct Bin {
    void Include(const Bin& other) {
      const double before = static_cast<double>(count) / static_cast<double>(count + other.count);
      x = before * x + (1 - before) * other.x;
      y = before * y + (1 - before) * other.y;
      low = count == 0 ? other.low : std::min(low, other.low);
      high = count == 0 ? other.high : std::max(high, other.high);
      count += other.count;
    }

    std::uint64_t count = 0;
    double x = 0, y = 0;  // means
    double low = 0, high = 0;
  };

  void Halve() {
    for (std::size_t i = 0; 2 * i + 1 < bins_.size(); ++i) {
      bins_[i] = bins_[2 * i];
      bins_[i].Include(bins_[2 * i + 1]);
    }
    bins_.resize(bins_.size() / 2);
    per_bin_ *= 2;
  }

  std::size_t most_;
  std::vector<Bin> bins_;
  std::uint64_t per_bin_ = 1;
};

}  // namespace gorila

#endif  // GORILA_METRICS_BINNED_CURVE_H_
