#include "gorila/cli/help_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace gorila::cli {
namespace {

constexpr std::size_t kNameColumns = 30;

// A name and its description, side by side when the name is short enough.
std::string Entry(const std::string& name, const std::string& meaning) {
  std::string line = "  " + name;
  if (meaning.empty()) return line + "\n";
  if (line.size() + 2 > kNameColumns) line += "\n";
  const std::size_t column = line.back() == '\n' ? 0 : line.size();
  return line + std::string(kNameColumns - column, ' ') + Wrapped(meaning, kNameColumns) + "\n";
}

}  // namespace

std::string Wrapped(std::string_view text, std::size_t indent) {
  std::string wrapped;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    if (column > indent) {
      const bool fits = column + 1 + length <= kHelpColumns;
      wrapped += fits ? " " : "\n" + std::string(indent, ' ');
      column = fits ? column + 1 : indent;
    }
    wrapped += text.substr(0, length);
    column += length;
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return wrapped;
}

std::string ShownName(const CLI::Option& option) {
  if (option.get_positional() || option.get_lnames().empty()) return {};
  return "--" + option.get_lnames().front();
}

std::string ValueName(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return {};
  return option.get_type_name().empty() ? "VALUE" : option.get_type_name();
}

std::vector<const CLI::Option*> ShownOptions(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) {
    return option->get_group() != kHiddenGroup && !ShownName(*option).empty();
  });
}

std::vector<const CLI::Option*> Positionals(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) {
    return option->get_group() != kHiddenGroup && option->get_positional();
  });
}

std::vector<const CLI::App*> ShownCommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) {
    return command->get_group() != kHiddenGroup && !command->get_name().empty();
  });
}

HelpFormatter::HelpFormatter() { label("SUBCOMMAND", "VERB"); }

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  std::string name;
  if (is_positional) {
    name = option->get_name(true, false);
  } else {
    name = ShownName(*option);
    if (name.empty()) return {};
    if (!option->get_snames().empty()) name = "-" + option->get_snames().front() + ", " + name;
    if (option->get_type_name().empty()) name += ValueName(*option).empty() ? "" : " VALUE";
  }
  // A positional is described by its name alone.
  std::string details = make_option_opts(option);
  const std::string type = " " + option->get_type_name();
  if (is_positional && type.size() > 1 && details.starts_with(type)) details.erase(0, type.size());
  const std::size_t required = details.find(" REQUIRED");
  if (required != std::string::npos) details.erase(required, 9);
  return Entry(name + details, make_option_desc(option) +
                                   (option->get_required() && !is_positional ? " (required)" : ""));
}

std::string HelpFormatter::make_subcommand(const CLI::App* command) const {
  return Entry(command->get_name(), command->get_description());
}

}  // namespace gorila::cli
