// The names of environments that are not ours.
#ifndef GORILA_ENV_EXTERNAL_EXTERNAL_NAME_H_
#define GORILA_ENV_EXTERNAL_EXTERNAL_NAME_H_

#include <optional>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

enum class ExternalKind {
  kGymnasium,     // "gymnasium:CartPole-v1": an id, as gymnasium.make takes it
  kPython,        // "python:module:callable": a class or a function that makes an environment
  kPlugin,        // "plugin:./libgame.so": in this process (plugin/gorila_env.h)
  kPluginProcess  // "plugin-process:./libgame.so": the same in a process of its own
};

struct ExternalName {
  ExternalKind kind;
  std::string_view target;  // what follows the prefix
  std::string_view name;    // all of it
};

// Nothing for a name without one of the prefixes.
std::optional<ExternalName> ParseExternalName(std::string_view name);

// InvalidArgument for a target that cannot be one: empty, "python:module" without a callable, a
// plug-in whose path has no '/'.
Status CheckExternalName(const ExternalName& name);

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_EXTERNAL_NAME_H_
