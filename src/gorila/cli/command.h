// Verbs include CLI/App.hpp: the whole CLI/CLI.hpp, which only what makes apps and formats help
// needs, takes twice as long to compile.
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
