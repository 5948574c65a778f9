#include "gorila/config/sweep_axis.h"

#include <algorithm>
#include <array>

namespace gorila {
namespace {

// Their values are lists with commas, which need no quotes.
constexpr std::array<std::string_view, 3> kListKeys = {"environment.name", "environment.wrappers",
                                                       "run.cpus"};

constexpr std::string_view kDots = "..";

std::string_view WithoutSpaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// Follows brackets and quotes through a text. A quote begins only where a value does, so that an
// apostrophe within one is a letter.
class Nesting {
 public:
  void Take(char c) {
    if (quote_ != 0) {
      const bool ends = c == quote_ && !escaped_;
      escaped_ = quote_ == '"' && c == '\\' && !escaped_;
      if (ends) quote_ = 0;
    } else if ((c == '"' || c == '\'') && at_start_) {
      quote_ = c;
    } else if (c == '[' || c == '{') {
      closing_.push_back(c == '[' ? ']' : '}');
    } else if (!closing_.empty() && c == closing_.back()) {
      closing_.pop_back();
    }
    at_start_ = std::string_view(" \t,[{:").find(c) != std::string_view::npos;
  }
  bool outside() const { return quote_ == 0 && closing_.empty(); }

 private:
  char quote_ = 0;
  bool escaped_ = false;
  bool at_start_ = true;
  std::string closing_;
};

bool IsNumber(const ConfigKey& key) {
  return std::holds_alternative<IntegerField>(key.field) ||
         std::holds_alternative<RealField>(key.field);
}

// A number as the key takes it, units and limits included.
StatusOr<double> ReadNumber(const Config& base, const ConfigKey& key, std::string_view text) {
  Config config = base;
  GORILA_RETURN_IF_ERROR(SetConfigValue(config, key.name, text));
  if (const auto* const integer = std::get_if<IntegerField>(&key.field)) {
    return static_cast<double>(integer->get(config));
  }
  return std::get<RealField>(key.field).get(config);
}

StatusOr<SweepRange> ParseRange(const Config& base, const ConfigKey& key, std::string_view text) {
  const std::size_t dots = text.find(kDots);
  GORILA_ASSIGN_OR_RETURN(const double low,
                          ReadNumber(base, key, WithoutSpaces(text.substr(0, dots))));
  GORILA_ASSIGN_OR_RETURN(const double high,
                          ReadNumber(base, key, WithoutSpaces(text.substr(dots + kDots.size()))));
  if (0 < low && low < high) return SweepRange{.low = low, .high = high};
  return InvalidArgument(
      "{} is '{}'; expected 0 < LOW < HIGH in LOW..HIGH, whose values are drawn uniformly in their "
      "logarithm",
      key.name, text);
}

Status AddValue(const Config& base, std::string_view text, SweepAxis& axis) {
  Config config = base;
  GORILA_RETURN_IF_ERROR(SetConfigValue(config, axis.key->name, text));
  std::string value = ValueText(axis.key->field, config);
  if (std::find(axis.values.begin(), axis.values.end(), value) != axis.values.end()) {
    return InvalidArgument("{} has the value {} twice; expected each value once", axis.key->name,
                           value);
  }
  axis.values.push_back(std::move(value));
  return OkStatus();
}

bool IsOneValue(const ConfigKey& key, std::string_view text) {
  const bool is_list = std::find(kListKeys.begin(), kListKeys.end(), key.name) != kListKeys.end();
  return is_list && !text.empty() && std::string_view("\"'[").find(text.front()) == text.npos;
}

Status ParseValues(const Config& base, std::string_view text, SweepAxis& axis) {
  const ConfigKey& key = *axis.key;
  if (IsOneValue(key, text)) return AddValue(base, text, axis);
  StatusOr<std::vector<std::string>> values = SplitValues(text);
  if (!values.ok()) return Annotate(values.status(), std::string(key.name));
  for (const std::string& value : *values) {
    if (!IsNumber(key) || value.find(kDots) == value.npos) {
      GORILA_RETURN_IF_ERROR(AddValue(base, value, axis));
      continue;
    }
    if (values->size() > 1) {
      return InvalidArgument("{} is '{}'; expected a range alone, or values alone", key.name, text);
    }
    GORILA_ASSIGN_OR_RETURN(axis.range, ParseRange(base, key, value));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::vector<std::string>> SplitValues(std::string_view text) {
  std::vector<std::string> values;
  Nesting nesting;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (text[i] != ',' || !nesting.outside())) {
      nesting.Take(text[i]);
      continue;
    }
    const std::string_view value = WithoutSpaces(text.substr(start, i - start));
    if (value.empty()) {
      return InvalidArgument("'{}' has an empty value; expected VALUE,VALUE,...", text);
    }
    values.emplace_back(value);
    start = i + 1;
    if (i < text.size()) nesting.Take(',');
  }
  if (nesting.outside()) return values;
  return InvalidArgument("'{}' has a bracket or quote that is not closed", text);
}

StatusOr<SweepAxis> ParseSweepAxis(const Config& base, std::string_view set) {
  const std::size_t equals = set.find('=');
  if (equals == std::string_view::npos) {
    return InvalidArgument("'{}'; expected section.key=VALUE,VALUE,...", set);
  }
  SweepAxis axis;
  GORILA_ASSIGN_OR_RETURN(axis.key, FindConfigKey(WithoutSpaces(set.substr(0, equals))));
  GORILA_RETURN_IF_ERROR(ParseValues(base, WithoutSpaces(set.substr(equals + 1)), axis));
  return axis;
}

}  // namespace gorila
