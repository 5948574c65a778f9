// Settings as callers of gorila.h give them.
#ifndef GORILA_LIBRARY_SETTINGS_H_
#define GORILA_LIBRARY_SETTINGS_H_

#include <span>

#include "gorila/base/status.h"
#include "gorila/config/config.h"
#include "gorila/library/gorila.h"

namespace gorila::library {

// The texts of an array that may be null where it is empty.
StatusOr<std::span<const char* const>> SettingsOf(const char* const* settings, std::size_t count);

// "section.key=value" each.
Status ApplySettings(std::span<const char* const> settings, Config& config);

// Of environments alone: the section may be left out.
Status ApplyEnvironmentSettings(std::span<const char* const> settings, Config& config);

// Fills what the caller's structure has room for.
Status FillSpec(const ObservationSpec& observation, int num_actions, gorila_spec* spec);

}  // namespace gorila::library

#endif  // GORILA_LIBRARY_SETTINGS_H_
