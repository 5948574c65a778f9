// The kinds of configuration values: how each is read, written and limited.
#ifndef GORILA_CONFIG_CONFIG_FIELD_H_
#define GORILA_CONFIG_CONFIG_FIELD_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gorila/config/config.h"

namespace gorila {

// low .. high, both included.
struct IntegerField {
  std::int64_t (*get)(const Config& config);
  void (*set)(Config& config, std::int64_t value);
  std::int64_t low;
  std::int64_t high;
  // Whether 1k and 1M may be written: not where the key has a unit of its own, or counts nothing.
  bool units;
};

// Finite numbers from low to high; the ends belong to it unless said otherwise.
struct RealRange {
  double low;
  double high;
  bool without_low = false;
  bool without_high = false;
};

struct RealField {
  double (*get)(const Config& config);
  void (*set)(Config& config, double value);
  RealRange range;
};

struct BooleanField {
  bool (*get)(const Config& config);
  void (*set)(Config& config, bool value);
};

// A name from a list, or any name (letters, digits and _ . / : @ -) when `choices` is null.
struct NameField {
  std::string_view (*get)(const Config& config);
  void (*set)(Config& config, std::string_view value);
  std::vector<std::string_view> (*choices)();
  bool grows;  // whether other builds or later versions have more choices
  // Names beyond the list that are allowed too; null: none.
  bool (*also)(std::string_view) = nullptr;
  std::string_view also_text = {};  // what they are, for people
  bool is_list = false;             // whether several names, with ',' between, may be one value
};

// Any printable text, not empty.
struct TextField {
  std::string_view (*get)(const Config& config);
  void (*set)(Config& config, std::string_view value);
  std::string_view allowed;  // what it is, for people
};

// Units of each fully connected layer, 1 .. kMaxUnits.
struct HiddenLayersField {
  const std::vector<int>& (*get)(const Config& config);
  void (*set)(Config& config, std::vector<int> value);
};

// [filters, kernel, stride] of each convolution, 1 .. kMaxUnits.
struct ConvolutionsField {
  const std::vector<ConvolutionSpec>& (*get)(const Config& config);
  void (*set)(Config& config, std::vector<ConvolutionSpec> value);
};

inline constexpr int kMaxUnits = 65536;
inline constexpr int kMaxLayers = 64;

using ConfigField = std::variant<IntegerField, RealField, BooleanField, NameField, TextField,
                                 HiddenLayersField, ConvolutionsField>;

// Whether a value is allowed. NaN and infinities never are.
bool IsAllowed(const IntegerField& field, std::int64_t value);
bool IsAllowed(const RealField& field, double value);
inline bool IsAllowed(const BooleanField&, bool) { return true; }
bool IsAllowed(const NameField& field, std::string_view value);
bool IsAllowed(const TextField& field, std::string_view value);
bool IsAllowed(const HiddenLayersField& field, const std::vector<int>& value);
bool IsAllowed(const ConvolutionsField& field, const std::vector<ConvolutionSpec>& value);

// What is allowed, for people: "an integer from 1 to 64", "one of dqn, double_dqn".
std::string AllowedText(const ConfigField& field);

// The field's value as TOML that parses back to the same value.
std::string ValueText(const ConfigField& field, const Config& config);

}  // namespace gorila

#endif  // GORILA_CONFIG_CONFIG_FIELD_H_
