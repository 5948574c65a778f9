#include "gorila/library/settings.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "gorila/config/config_keys.h"

namespace gorila::library {
namespace {

constexpr std::array<std::string_view, 2> kEnvironmentSections = {"environment", "atari"};

StatusOr<std::pair<std::string_view, std::string_view>> Split(std::string_view setting) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string_view::npos) {
    return InvalidArgument("setting '{}'; expected key=value", setting);
  }
  return std::pair(setting.substr(0, equals), setting.substr(equals + 1));
}

// With its section.
StatusOr<std::string> EnvironmentKey(std::string_view key) {
  if (key.find('.') == std::string_view::npos) {
    for (const std::string_view section : kEnvironmentSections) {
      std::string whole = fmt::format("{}.{}", section, key);
      if (FindConfigKey(whole).ok()) return whole;
    }
    // The error has the nearest name.
    return FindConfigKey(fmt::format("{}.{}", kEnvironmentSections.front(), key)).status();
  }
  const std::string_view section = key.substr(0, key.find('.'));
  if (std::find(kEnvironmentSections.begin(), kEnvironmentSections.end(), section) ==
      kEnvironmentSections.end()) {
    return InvalidArgument("setting '{}' is not one of environments; expected {}.KEY", key,
                           fmt::join(kEnvironmentSections, ".KEY or "));
  }
  return std::string(key);
}

}  // namespace

StatusOr<std::span<const char* const>> SettingsOf(const char* const* settings, std::size_t count) {
  if (count == 0) return std::span<const char* const>();
  if (settings == nullptr) return InvalidArgument("settings is NULL, num_settings {}", count);
  const std::span<const char* const> all(settings, count);
  if (std::find(all.begin(), all.end(), nullptr) != all.end()) {
    return InvalidArgument("one of the {} settings is NULL", count);
  }
  return all;
}

Status ApplySettings(std::span<const char* const> settings, Config& config) {
  for (const std::string_view setting : settings) {
    GORILA_ASSIGN_OR_RETURN(const auto parts, Split(setting));
    GORILA_RETURN_IF_ERROR(SetConfigValue(config, parts.first, parts.second));
  }
  return OkStatus();
}

Status ApplyEnvironmentSettings(std::span<const char* const> settings, Config& config) {
  for (const std::string_view setting : settings) {
    GORILA_ASSIGN_OR_RETURN(const auto parts, Split(setting));
    GORILA_ASSIGN_OR_RETURN(const std::string key, EnvironmentKey(parts.first));
    if (key == "environment.name") {
      return InvalidArgument("setting '{}': the environment has its name already", setting);
    }
    GORILA_RETURN_IF_ERROR(SetConfigValue(config, key, parts.second));
  }
  return OkStatus();
}

Status FillSpec(const ObservationSpec& observation, int num_actions, gorila_spec* spec) {
  if (spec == nullptr) return InvalidArgument("spec is NULL");
  if (spec->struct_size < sizeof spec->struct_size) {
    return InvalidArgument("spec->struct_size is {}; expected sizeof(gorila_spec)",
                           spec->struct_size);
  }
  const std::uint32_t size = spec->struct_size;
  gorila_spec whole = {};
  whole.struct_size = size;
  whole.element = observation.element == ElementType::kUint8 ? GORILA_UINT8 : GORILA_FLOAT32;
  whole.stack = observation.stack;
  whole.channels = observation.channels;
  whole.height = observation.height;
  whole.width = observation.width;
  whole.scale = observation.scale;
  whole.num_actions = num_actions;
  whole.observation_bytes = observation.stacked_bytes();
  std::memcpy(spec, &whole, std::min<std::size_t>(size, sizeof whole));
  return OkStatus();
}

}  // namespace gorila::library
