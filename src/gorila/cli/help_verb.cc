#include <fmt/format.h>

#include <CLI/App.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/cli/command.h"
#include "gorila/cli/verb.h"

namespace gorila::cli {
namespace {

StatusOr<const CLI::App*> FindCommand(const CLI::App& parent, const std::string& name) {
  std::vector<std::string_view> names;
  for (const CLI::App* command : parent.get_subcommands({})) {
    if (command->get_name() == name) return command;
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  if (names.empty()) {
    return InvalidArgument("help: {} has no verbs of its own; got '{}'", parent.get_name(), name);
  }
  return InvalidArgument("help: unknown verb '{}'; did you mean {}? 'gorila help' lists all", name,
                         NearestNamesText(name, names));
}

StatusOr<int> Help(const CLI::App& gorila, const std::vector<std::string>& names) {
  const CLI::App* command = &gorila;
  std::string title = gorila.get_name();
  for (const std::string& name : names) {
    GORILA_ASSIGN_OR_RETURN(command, FindCommand(*command, name));
    title += " " + name;
  }
  // Not App::help(), which shows the verb of this command line, help itself.
  fmt::print("{}", command->get_formatter()->make_help(command, title, CLI::AppFormatMode::Normal));
  return kSuccess;
}

constexpr CommandText kHelpText = {
    .name = "help",
    .summary = "Show what a verb does, the same as gorila VERB --help",
    .details = "",
    .examples = R"(gorila help train
gorila help envs verify
)"};

}  // namespace

Verb AddHelpVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kHelpText);
  const auto names = std::make_shared<std::vector<std::string>>();
  app->add_option("VERB", *names, "The verb; without one, the list of verbs")->type_name("");
  return {app, [names, &gorila](const Invocation&) { return Help(gorila, *names); }};
}

}  // namespace gorila::cli
