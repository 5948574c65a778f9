#include "gorila/dashboard/row_history.h"

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

void RowHistory::Add(std::string line) {
  const bool training = line.find("\"kind\":\"training\"") != line.npos;
  if (training) last_training_ = line;
  const double value = NumberIn(line, "\"return_mean\":");
  line.shrink_to_fit();
  Kind& kind = KindOf(training);
  ++kind.rows;
  kind.bytes += line.size();
  rows_.push_back({std::move(line), value, training});
  // Of few long rows none is thinned out.
  for (std::size_t before = 0; kind.rows != before;) {
    if (kind.rows <= most_ && kind.bytes <= most_bytes_) return;
    before = kind.rows;
    Thin(training);
  }
}

void RowHistory::Clear() {
  rows_.clear();
  training_ = others_ = {};
  last_training_.clear();
}

void RowHistory::Thin(bool training) {
  std::vector<std::size_t> of_kind;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].training == training) of_kind.push_back(i);
  }
  std::vector<bool> drop(rows_.size(), false);
  const auto less = [this](std::size_t a, std::size_t b) {
    // NaN is below all, which keeps the order strict.
    const double x = rows_[a].value, y = rows_[b].value;
    return std::isnan(x) ? !std::isnan(y) : x < y;
  };
  for (std::size_t i = 0; i + 8 <= of_kind.size(); i += 4) {
    const auto first = of_kind.begin() + static_cast<std::ptrdiff_t>(i);
    for (auto at = first; at != first + 4; ++at) drop[*at] = true;
    // With four alike these are the first and the last.
    const auto [low, high] = std::minmax_element(first, first + 4, less);
    drop[*low] = drop[*high] = false;
  }
  std::vector<Row> kept;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!drop[i]) kept.push_back(std::move(rows_[i]));
  }
  rows_ = std::move(kept);
  training_ = others_ = {};
  for (const Row& row : rows_) {
    Kind& kind = KindOf(row.training);
    ++kind.rows;
    kind.bytes += row.line.size();
  }
}

RowHistory RowHistory::Thinned(std::size_t most, std::size_t most_bytes) const {
  RowHistory thinned(most, most_bytes);
  for (const Row& row : rows_) thinned.Add(row.line);
  return thinned;
}

std::string RowHistory::Json() const {
  std::string json = "{\"rows\":[";
  for (const Row& row : rows_) {
    if (json.back() != '[') json += ',';
    json += row.line;
  }
  return json + "]}";
}

}  // namespace gorila
