// The returns and evaluations of a run so far, for the terminal's curves.
#ifndef GORILA_METRICS_PROGRESS_HISTORY_H_
#define GORILA_METRICS_PROGRESS_HISTORY_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/metrics/curve_aggregation.h"
#include "gorila/metrics/evenly_thinned.h"
#include "gorila/metrics/progress.h"

namespace gorila {

// In bounded memory, whatever the length of the run. x is frames. One thread.
class ProgressHistory {
 public:
  // The recent return of the run or, with several games, of each of them.
  void Add(const ProgressSnapshot& snapshot);

  // `game`: empty in a run with one.
  void AddReturn(std::string_view game, CurveSample point);
  void AddEvaluation(CurveSample point) { evaluations_.Add(point); }

  std::vector<CurveSample> Returns(std::string_view game) const;
  std::vector<CurveSample> Evaluations() const { return evaluations_.values(); }

 private:
  // Several for each character of the widest line.
  static constexpr std::size_t kMostPoints = 1024;

  std::map<std::string, EvenlyThinned<CurveSample>, std::less<>> returns_;
  EvenlyThinned<CurveSample> evaluations_{kMostPoints};
};

}  // namespace gorila

#endif  // GORILA_METRICS_PROGRESS_HISTORY_H_
