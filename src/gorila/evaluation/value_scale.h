// The scale that the bars beside a game share: from zero, grown by the values seen; of
// probabilities always from 0 to 1.
#ifndef GORILA_EVALUATION_VALUE_SCALE_H_
#define GORILA_EVALUATION_VALUE_SCALE_H_

#include <algorithm>
#include <cmath>
#include <string>

namespace gorila {

// What the bars show of each action.
enum class ActionBars { kQValues, kProbabilities };

inline const char* TitleOf(ActionBars bars) {
  return bars == ActionBars::kProbabilities ? "Probabilities" : "Q-values";
}

class ValueScale {
 public:
  explicit ValueScale(ActionBars bars) : high_(bars == ActionBars::kProbabilities ? 1 : 0) {}

  void Include(double value) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }

  // Where the value is on `length` places.
  int Place(double value, int length) const {
    const double range = std::max(high_ - low_, 1e-6);
    return static_cast<int>(std::lround((value - low_) / range * length));
  }

  // A bar from zero in `columns` characters.
  std::string TextBar(double value, int columns) const {
    const int zero = Place(0, columns), end = Place(value, columns);
    const auto count = [](int number) { return static_cast<std::size_t>(number); };
    return std::string(count(std::min(zero, end)), ' ') +
           std::string(count(std::abs(end - zero)), '=');
  }

 private:
  double low_ = 0;
  double high_;
};

}  // namespace gorila

#endif  // GORILA_EVALUATION_VALUE_SCALE_H_
