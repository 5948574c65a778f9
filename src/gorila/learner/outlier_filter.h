// Discards gradients whose loss is far above the usual (paper section 4.2, "Stability").
#ifndef GORILA_LEARNER_OUTLIER_FILTER_H_
#define GORILA_LEARNER_OUTLIER_FILTER_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "gorila/base/serialise.h"

namespace gorila {

// A running mean and standard deviation of the absolute loss of one learner. Not thread-safe.
class OutlierFilter {
 public:
  struct Options {
    double deviations = 6;       // k: outlier above mean + k * standard deviation; 0 = filter off
    double averaging = 0.99;     // weight of the past in the running moments, in [0, 1)
    std::int64_t warm_up = 100;  // losses seen before anything is called an outlier
  };

  explicit OutlierFilter(const Options& options) : options_(options) {}

  // Whether `loss` is an outlier among those before it. It joins the moments either way, so that a
  // lasting rise of the loss is accepted in the end. NaN and infinity are outliers and do not join.
  bool IsOutlier(double loss) {
    if (options_.deviations <= 0) return false;
    const double size = std::abs(loss);
    if (!std::isfinite(size)) return true;
    const double variance = std::max(mean_square_ - mean_ * mean_, 0.0);
    const bool outlier =
        seen_ >= options_.warm_up && size > mean_ + options_.deviations * std::sqrt(variance);
    // The first losses count equally, so that the moments do not start biased towards zero.
    ++seen_;
    const double weight = std::max(1 - options_.averaging, 1.0 / static_cast<double>(seen_));
    mean_ += weight * (size - mean_);
    mean_square_ += weight * (size * size - mean_square_);
    return outlier;
  }

  void SaveState(StateWriter& writer) const {
    writer.Write(seen_);
    writer.Write(mean_);
    writer.Write(mean_square_);
  }
  Status RestoreState(StateReader& reader) {
    GORILA_RETURN_IF_ERROR(reader.Read(seen_));
    GORILA_RETURN_IF_ERROR(reader.Read(mean_));
    return reader.Read(mean_square_);
  }

 private:
  const Options options_;
  std::int64_t seen_ = 0;
  double mean_ = 0;
  double mean_square_ = 0;
};

}  // namespace gorila

#endif  // GORILA_LEARNER_OUTLIER_FILTER_H_
