// Other programs: their command lines as text, and running one to its end.
#ifndef GORILA_BASE_COMMAND_H_
#define GORILA_BASE_COMMAND_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// As a POSIX shell reads it back: 'it'\''s'; plain words stay as they are.
std::string ShellQuoted(std::string_view argument);
// The same for a file's name, which must not look like an option: ./-x.
std::string ShellQuotedPath(std::string_view path);
// All of them, with spaces between.
std::string ShellQuoted(std::span<const std::string> arguments);

// For execve and its like: a pointer to each, then null. Valid as long as `texts` is.
std::vector<char*> NullTerminated(const std::vector<std::string>& texts);

struct CommandOutcome {
  int exit_status = 0;  // 128 + the signal when one ended it
  std::string output;   // stdout and stderr together
};

// Runs a program (found along PATH; no shell) to its end, without input. NotFound when there is no
// such program. Blocks for as long as it takes. Thread-safe.
StatusOr<CommandOutcome> RunCommand(const std::vector<std::string>& arguments);

}  // namespace gorila

#endif  // GORILA_BASE_COMMAND_H_
