// The parts of ConfigKeys(), in its order.
#ifndef GORILA_CONFIG_KEY_TABLES_H_
#define GORILA_CONFIG_KEY_TABLES_H_

#include <span>

#include "gorila/config/config_keys.h"

namespace gorila {

std::span<const ConfigKey> EnvironmentKeys();
std::span<const ConfigKey> AgentKeys();
std::span<const ConfigKey> SystemKeys();

}  // namespace gorila

#endif  // GORILA_CONFIG_KEY_TABLES_H_
