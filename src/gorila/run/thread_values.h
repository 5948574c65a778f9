// What a record of metrics says of many threads: each one's values, or how they spread.
#ifndef GORILA_RUN_THREAD_VALUES_H_
#define GORILA_RUN_THREAD_VALUES_H_

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "gorila/metrics/run_log.h"

namespace gorila {

// Records name each thread up to this number of them. With 100 bundles, full lists made a record 12
// KB.
inline constexpr std::size_t kMostThreadsInFull = 16;

// Of bundles, or of learners. The values of threads that have none yet are NaN.
class ThreadValues {
 public:
  struct Names {
    std::string_view each;  // the list of all threads' values, one thread after the other
    std::string_view count, least, mean, most;  // instead of it
  };

  explicit ThreadValues(std::size_t width) : width_(width) {}  // values of one thread

  void Add(std::span<const double> values);
  // After the last Add. Computes least, mean and most of many threads.
  void Finish();
  // After Finish. The fields point into this object.
  void AppendFields(const Names& names, std::vector<RunLogField>& fields) const;

  std::size_t threads() const { return each_.size() / width_; }

 private:
  void AppendField(std::string_view name, const std::vector<double>& values,
                   std::vector<RunLogField>& fields) const;

  std::size_t width_;
  std::vector<double> each_;
  std::vector<double> least_, mean_, most_;  // `width_` values; empty while few threads are there
};

}  // namespace gorila

#endif  // GORILA_RUN_THREAD_VALUES_H_
