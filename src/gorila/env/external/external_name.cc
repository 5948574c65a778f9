#include "gorila/env/external/external_name.h"

#include <array>

namespace gorila {
namespace {

struct Prefix {
  std::string_view text;
  ExternalKind kind;
};
constexpr std::array kPrefixes = {Prefix{"gymnasium:", ExternalKind::kGymnasium},
                                  Prefix{"python:", ExternalKind::kPython},
                                  Prefix{"plugin:", ExternalKind::kPlugin},
                                  Prefix{"plugin-process:", ExternalKind::kPluginProcess}};

}  // namespace

std::optional<ExternalName> ParseExternalName(std::string_view name) {
  for (const Prefix& prefix : kPrefixes) {
    if (!name.starts_with(prefix.text)) continue;
    return ExternalName{
        .kind = prefix.kind, .target = name.substr(prefix.text.size()), .name = name};
  }
  return std::nullopt;
}

Status CheckExternalName(const ExternalName& name) {
  const std::string_view target = name.target;
  switch (name.kind) {
    case ExternalKind::kGymnasium:
      if (!target.empty()) return OkStatus();
      return InvalidArgument(
          "environment 'gymnasium:' has no id; expected one as gymnasium.make takes it, like "
          "gymnasium:CartPole-v1");
    case ExternalKind::kPython: {
      const std::size_t colon = target.find(':');
      if (colon != std::string_view::npos && colon > 0 && colon + 1 < target.size()) {
        return OkStatus();
      }
      return InvalidArgument(
          "environment 'python:{}'; expected python:MODULE:CALLABLE, like python:my_games:Maze",
          target);
    }
    case ExternalKind::kPlugin:
    case ExternalKind::kPluginProcess:
      if (target.find('/') != std::string_view::npos && !target.ends_with('/')) return OkStatus();
      return InvalidArgument(
          "plug-in '{}'; expected the path of a shared library, with a '/' in it, like "
          "plugin:./libmygame.so",
          target);
  }
  return OkStatus();
}

}  // namespace gorila
