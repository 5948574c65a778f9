// A series of any length in bounded memory.
#ifndef GORILA_METRICS_EVENLY_THINNED_H_
#define GORILA_METRICS_EVENLY_THINNED_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// All values up to `most` (> 0); beyond that every second one, then every fourth, and so on, and
// always the last. What stays depends on its position alone, so that means over it are not biased.
template <typename T>
class EvenlyThinned {
 public:
  explicit EvenlyThinned(std::size_t most) : most_(most) {
    GORILA_CHECK(most > 0, "nothing would be kept");
  }

  void Add(const T& value) {
    const std::uint64_t position = added_++;
    last_ = value;
    if (position % stride_ != 0) return;
    if (kept_.size() == most_) Halve();
    if (position % stride_ == 0) kept_.push_back(value);
  }

  bool empty() const { return added_ == 0; }
  const T& last() const { return last_; }  // value-initialised while empty

  // Oldest first; at most `most` and the last one.
  std::vector<T> values() const {
    std::vector<T> values = kept_;
    if (added_ > 0 && (added_ - 1) % stride_ != 0) values.push_back(last_);
    return values;
  }

 private:
  void Halve() {
    for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
    kept_.resize((kept_.size() + 1) / 2);
    stride_ *= 2;
  }

  std::size_t most_;
  std::vector<T> kept_;  // those whose position is a multiple of the stride
  T last_{};
  std::uint64_t added_ = 0;
  std::uint64_t stride_ = 1;
};

}  // namespace gorila

#endif  // GORILA_METRICS_EVENLY_THINNED_H_
