#include "gorila/run/thread_values.h"

#include <algorithm>
#include <cmath>

namespace gorila {

void ThreadValues::Add(std::span<const double> values) {
  GORILA_CHECK(values.size() == width_, "{} {}", values.size(), width_);
  each_.insert(each_.end(), values.begin(), values.end());
}

void ThreadValues::Finish() {
  if (threads() <= kMostThreadsInFull) return;
  for (std::size_t column = 0; column < width_; ++column) {
    double least = std::nan(""), most = std::nan(""), sum = 0;
    std::size_t known = 0;
    for (std::size_t i = column; i < each_.size(); i += width_) {
      if (std::isnan(each_[i])) continue;
      least = std::fmin(least, each_[i]);
      most = std::fmax(most, each_[i]);
      sum += each_[i];
      ++known;
    }
    least_.push_back(least);
    mean_.push_back(known > 0 ? sum / static_cast<double>(known) : std::nan(""));
    most_.push_back(most);
  }
}

void ThreadValues::AppendField(std::string_view name, const std::vector<double>& values,
                               std::vector<RunLogField>& fields) const {
  if (width_ == 1) {
    fields.push_back({name, values.front()});
  } else {
    fields.push_back({name, values});
  }
}

void ThreadValues::AppendFields(const Names& names, std::vector<RunLogField>& fields) const {
  if (least_.empty()) {
    fields.push_back({names.each, each_});
    return;
  }
  fields.push_back({names.count, threads()});
  AppendField(names.least, least_, fields);
  AppendField(names.mean, mean_, fields);
  AppendField(names.most, most_, fields);
}

}  // namespace gorila
