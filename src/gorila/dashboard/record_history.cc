#include "gorila/dashboard/record_history.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace gorila {
namespace {

// The number after `name`, without parsing the whole line: logs have millions of lines.
double NumberIn(const std::string& line, std::string_view name) {
  const std::size_t found = line.find(name);
  if (found == line.npos) return std::nan("");
  const char* const begin = line.c_str() + found + name.size();
  char* end = nullptr;
  const double number = std::strtod(begin, &end);
  return end == begin ? std::nan("") : number;
}

}  // namespace

void RecordHistory::Add(std::string line) {
  const bool training = line.find("\"kind\":\"training\"") != line.npos;
  if (training) last_training_ = line;
  const double value = NumberIn(line, "\"return_mean\":");
  line.shrink_to_fit();
  Kind& kind = KindOf(training);
  ++kind.records;
  kind.bytes += line.size();
  records_.push_back({std::move(line), value, training});
  // Of few long records none is thinned out.
  for (std::size_t before = 0; kind.records != before;) {
    if (kind.records <= most_ && kind.bytes <= most_bytes_) return;
    before = kind.records;
    Thin(training);
  }
}

void RecordHistory::Clear() {
  records_.clear();
  training_ = others_ = {};
  last_training_.clear();
}

void RecordHistory::Thin(bool training) {
  std::vector<std::size_t> of_kind;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (records_[i].training == training) of_kind.push_back(i);
  }
  std::vector<bool> drop(records_.size(), false);
  const auto less = [this](std::size_t a, std::size_t b) {
    // NaN is below all, which keeps the order strict.
    const double x = records_[a].value, y = records_[b].value;
    return std::isnan(x) ? !std::isnan(y) : x < y;
  };
  for (std::size_t i = 0; i + 8 <= of_kind.size(); i += 4) {
    const auto first = of_kind.begin() + static_cast<std::ptrdiff_t>(i);
    for (auto at = first; at != first + 4; ++at) drop[*at] = true;
    // With four alike these are the first and the last.
    const auto [low, high] = std::minmax_element(first, first + 4, less);
    drop[*low] = drop[*high] = false;
  }
  std::vector<Record> kept;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    if (!drop[i]) kept.push_back(std::move(records_[i]));
  }
  records_ = std::move(kept);
  training_ = others_ = {};
  for (const Record& record : records_) {
    Kind& kind = KindOf(record.training);
    ++kind.records;
    kind.bytes += record.line.size();
  }
}

RecordHistory RecordHistory::Thinned(std::size_t most, std::size_t most_bytes) const {
  RecordHistory thinned(most, most_bytes);
  for (const Record& record : records_) thinned.Add(record.line);
  return thinned;
}

std::string RecordHistory::Json() const {
  std::string json = "{\"rows\":[";
  for (const Record& record : records_) {
    if (json.back() != '[') json += ',';
    json += record.line;
  }
  return json + "]}";
}

}  // namespace gorila
