// The command as it was typed, for reports and for resuming.
#ifndef GORILA_CLI_TYPED_COMMAND_H_
#define GORILA_CLI_TYPED_COMMAND_H_

#include <CLI/App.hpp>
#include <span>
#include <string>

namespace gorila::cli {

// The arguments behind "gorila", quoted for a shell. Whole numbers are in plain digits: 1e6 and 1M
// become 1000000. `command`: the innermost command that they name.
std::string TypedCommand(const CLI::App& command, std::span<char* const> arguments);

}  // namespace gorila::cli

#endif  // GORILA_CLI_TYPED_COMMAND_H_
