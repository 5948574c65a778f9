// Makes the fields of config_keys.cc's table.
#ifndef GORILA_CONFIG_FIELD_MAKERS_H_
#define GORILA_CONFIG_FIELD_MAKERS_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gorila/config/config_field.h"

namespace gorila::config_fields {

// Bounds that several keys have.
inline constexpr int kMaxInt = std::numeric_limits<int>::max();
inline constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kMaxRows = 4000000000;  // replay numbers its rows with 32 bits
inline constexpr bool kNoUnits = false;
inline constexpr double kMaxReal = std::numeric_limits<double>::max();
// These become single-precision floats, where smaller numbers turn to 0 and larger to infinity.
inline constexpr double kMinFloat = 1e-30;
inline constexpr double kMaxFloat = 1e30;
inline constexpr RealRange kProbability = {.low = 0, .high = 1};
inline constexpr RealRange kBelowOne = {.low = 0, .high = 1, .without_high = true};
inline constexpr RealRange kNotNegative = {.low = 0, .high = kMaxReal};
inline constexpr RealRange kPositive = {.low = 0, .high = kMaxFloat, .without_low = true};

template <typename Rows>
std::vector<std::string_view> NamesOf(const Rows& rows, std::vector<std::string_view> names = {}) {
  for (const auto& row : rows) names.push_back(row.name);
  return names;
}

// `Of` is the type of a lambda without state: from a Config, const or not, to the field. The four
// functions below turn it into the accessors of a field kind.
template <typename Of>
constexpr IntegerField Integer(Of, std::int64_t low, std::int64_t high, bool units = true) {
  return {.get = [](const Config& config) { return static_cast<std::int64_t>(Of{}(config)); },
          .set =
              [](Config& config, std::int64_t value) {
                auto& field = Of{}(config);
                field = static_cast<std::remove_reference_t<decltype(field)>>(value);
              },
          .low = low,
          .high = high,
          .units = units};
}

template <typename Of>
constexpr RealField Real(Of, RealRange range) {
  return {.get = [](const Config& config) { return Of{}(config); },
          .set = [](Config& config, double value) { Of{}(config) = value; },
          .range = range};
}

template <typename Of>
constexpr BooleanField Boolean(Of) {
  return {.get = [](const Config& config) { return Of{}(config); },
          .set = [](Config& config, bool value) { Of{}(config) = value; }};
}

template <typename Of>
constexpr NameField Name(Of, std::vector<std::string_view> (*choices)()) {
  return {.get = [](const Config& config) { return std::string_view(Of{}(config)); },
          .set = [](Config& config, std::string_view value) { Of{}(config) = value; },
          .choices = choices,
          .grows = true};
}

template <typename Of>
constexpr NameField NameOr(Of of, std::vector<std::string_view> (*choices)(),
                           bool (*also)(std::string_view), std::string_view also_text) {
  NameField field = Name(of, choices);
  field.also = also;
  field.also_text = also_text;
  return field;
}

template <typename Of>
constexpr TextField Text(Of, std::string_view allowed) {
  return {.get = [](const Config& config) { return std::string_view(Of{}(config)); },
          .set = [](Config& config, std::string_view value) { Of{}(config) = value; },
          .allowed = allowed};
}

// `kNames` names the enumerators 0, 1, ...
template <const auto& kNames, typename Of>
constexpr NameField Enumeration(Of) {
  return {
      .get = [](const Config& config) { return kNames[static_cast<std::size_t>(Of{}(config))]; },
      .set =
          [](Config& config, std::string_view value) {
            auto& field = Of{}(config);
            field = static_cast<std::remove_reference_t<decltype(field)>>(
                std::find(kNames.begin(), kNames.end(), value) - kNames.begin());
          },
      .choices = [] { return std::vector<std::string_view>(kNames.begin(), kNames.end()); },
      .grows = false};
}

// clang-format 14 takes `auto&` before a brace for the end of a namespace.
// clang-format off
template <typename Field, typename Of>
constexpr Field Layers(Of) {
  return {.get = [](const Config& config) -> auto& { return Of{}(config); },
          .set = [](Config& config, auto value) { Of{}(config) = std::move(value); }};
}
// clang-format on

}  // namespace gorila::config_fields

// The field of a Config, by its path.
#define GORILA_FIELD(path) \
  [](auto& config) -> auto& { return config.path; }

#endif  // GORILA_CONFIG_FIELD_MAKERS_H_
