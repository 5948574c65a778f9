// An argument that has a second, older name: both may be given when they say the same.
#ifndef GORILA_CLI_OLDER_NAME_H_
#define GORILA_CLI_OLDER_NAME_H_

#include <filesystem>
#include <string>

#include "gorila/base/status.h"
#include "gorila/cli/help_text.h"

namespace gorila::cli {

// The path that was given by one name or the other; empty when by neither. InvalidArgument when
// they differ.
inline StatusOr<std::filesystem::path> OneOf(const char* name, const std::filesystem::path& path,
                                             const char* older,
                                             const std::filesystem::path& older_path) {
  if (older_path.empty()) return path;
  // Without the slash that people put behind folders.
  const auto plain = [](const std::filesystem::path& of) {
    const std::filesystem::path normal = of.lexically_normal();
    return normal.has_filename() ? normal : normal.parent_path();
  };
  if (path.empty() || plain(path) == plain(older_path)) return older_path;
  return InvalidArgument("{} is '{}', but {} '{}' names another path; give one of them", name,
                         path.string(), older, older_path.string());
}

// The same of a text. "" is none.
inline StatusOr<std::string> OneOf(const char* name, const std::string& text, const char* older,
                                   const std::string& older_text) {
  if (older_text.empty()) return text;
  if (text.empty() || text == older_text) return older_text;
  return InvalidArgument("{} is '{}', but {}, its older name, is '{}'; give one of them", name,
                         text, older, older_text);
}

}  // namespace gorila::cli

#endif  // GORILA_CLI_OLDER_NAME_H_
