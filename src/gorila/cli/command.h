// Verbs include CLI/App.hpp. CLI/CLI.hpp takes twice as long to compile, and only the code that
// creates apps and formats help needs it.
#ifndef GORILA_CLI_COMMAND_H_
#define GORILA_CLI_COMMAND_H_

namespace CLI {
class App;
}

namespace gorila::cli {

// What --help says of a command. Lines end where they are to end.
struct CommandText {
  const char* name;
  const char* summary;  // one line, also in the list of commands
  const char* details;
  const char* examples;  // one a line, ended by a line end
};

// Adds a command below `parent`, which owns it.
CLI::App* AddCommand(CLI::App& parent, const CommandText& text);

}  // namespace gorila::cli

#endif  // GORILA_CLI_COMMAND_H_
