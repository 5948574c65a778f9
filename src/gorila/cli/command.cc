#include "gorila/cli/command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <sstream>
#include <string>

namespace gorila::cli {

CLI::App* AddCommand(CLI::App& parent, const CommandText& text) {
  CLI::App* const app = parent.add_subcommand(text.name, text.summary);
  std::string footer = text.details;
  if (!footer.empty()) footer += "\n";
  footer += "Examples:\n";
  std::istringstream examples(text.examples);
  for (std::string line; std::getline(examples, line);) footer += "  " + line + "\n";
  footer.pop_back();  // CLI11 ends the line
  app->footer(footer);
  return app;
}

}  // namespace gorila::cli
