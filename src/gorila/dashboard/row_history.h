// A run's rows in bounded memory.
#ifndef GORILA_DASHBOARD_ROW_HISTORY_H_
#define GORILA_DASHBOARD_ROW_HISTORY_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace gorila {

// Lines of metrics.jsonl, oldest first. All of them up to `most` of a kind (training rows, and the
// others); beyond that the older ones are thinned to half, again and again: of every four
// neighbours the one of the lowest and the one of the highest return stay. The newest rows always
// stay. Not thread-safe.
class RowHistory {
 public:
  explicit RowHistory(std::size_t most) : most_(most) {}  // >= 16

  void Add(std::string line);  // a JSON object
  void Clear();

  std::size_t size() const { return rows_.size(); }
  std::string Json() const;                                            // {"rows":[...]}
  const std::string& last_training() const { return last_training_; }  // empty = none

 private:
  struct Row {
    std::string line;
    double value;  // the mean return; NaN where there is none
    bool training;
  };
  void Thin(bool training);

  const std::size_t most_;
  std::vector<Row> rows_;
  std::size_t training_ = 0;  // how many of them are training rows
  std::string last_training_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_ROW_HISTORY_H_
