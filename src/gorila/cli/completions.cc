// Completions for bash, zsh and fish, written from the options themselves.
#include <absl/strings/str_split.h>
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/base/nearest.h"
#include "gorila/cli/command.h"
#include "gorila/cli/generated_text.h"
#include "gorila/cli/help_text.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/presets.h"
#include "gorila/env/registry.h"
#include "gorila/report/run_filter.h"

namespace gorila::cli {
namespace {

using Command = std::pair<std::string, const CLI::App*>;  // "gorila envs verify"

std::vector<Command> AllCommands(const std::string& name, const CLI::App& app) {
  std::vector<Command> commands = {{name, &app}};
  for (const CLI::App* command : ShownCommands(app)) {
    for (Command& inner : AllCommands(name + " " + command->get_name(), *command)) {
      commands.push_back(std::move(inner));
    }
  }
  return commands;
}

// What CLI::IsMember allows, which an option's type lists: "TEXT:{mean,iqm}".
std::vector<std::string> Members(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open == type.npos || close == type.npos) return {};
  return absl::StrSplit(type.substr(open + 1, close - open - 1), ',');
}

// What runs are listed by, each between these two.
void AddColumns(const char* before, const char* after, std::vector<std::string>& values) {
  for (const std::string_view column : RunColumns()) {
    values.push_back(fmt::format("{}{}{}", before, column, after));
  }
  for (const ConfigKey& key : ConfigKeys()) {
    values.push_back(fmt::format("{}{}{}", before, key.name, after));
  }
}

// The values of an option that are known beforehand, separated by spaces.
std::string KnownValues(const CLI::Option& shown) {
  const std::string option = ShownName(shown);
  std::vector<std::string> values = Members(shown);
  if (option == "--env") {
    for (const EnvironmentRow& row : EnvironmentTable()) values.emplace_back(row.name);
  } else if (option == "--preset") {
    for (const Preset& preset : Presets()) values.emplace_back(preset.name);
  } else if (option == "--set") {
    for (const ConfigKey& key : ConfigKeys()) values.push_back(std::string(key.name) + "=");
  } else if (option == "--act") {
    values = {"auto", "sample", "argmax"};
  } else if (option == "--engine") {
    values = {"local", "slurm", "kubernetes"};
  } else if (option == "--sort") {
    AddColumns("", "", values);
    AddColumns("-", "", values);
  } else if (option == "--filter") {
    AddColumns("", "=", values);
  }
  return fmt::format("{}", fmt::join(values, " "));
}

bool IsPath(const CLI::Option& option) {
  const std::string type = ValueName(option);
  return type == "FILE" || type == "DIR" || type == "PATH";
}

// In single quotes for all three shells, without the characters that they quote differently.
std::string Quoted(const std::string& text) {
  std::string quoted;
  for (const char c : text) {
    if (c != '\'' && c != '\\') quoted += c;
  }
  return "'" + quoted + "'";
}

std::string VerbNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : ShownCommands(app)) names.push_back(command->get_name());
  return fmt::format("{}", fmt::join(names, " "));
}

// For `gorila help`, which takes verbs as words.
const CLI::App& VerbsOf(const Command& command, const CLI::App& gorila) {
  return command.first == "gorila help" ? gorila : *command.second;
}

// Whether files may stand where a verb may: 'gorila scores RUN' and 'gorila scores minatar RUN'.
bool TakesFilesToo(const CLI::App& app) {
  return !ShownCommands(app).empty() && !Positionals(app).empty();
}

// 'gorila train'|'gorila envs verify': all commands but the program itself.
std::string CommandPatterns(const std::vector<Command>& commands) {
  std::vector<std::string> patterns;
  for (std::size_t i = 1; i < commands.size(); ++i) patterns.push_back(Quoted(commands[i].first));
  return fmt::format("{}", fmt::join(patterns, "|"));
}

// The case lines for the word after an option: options with known values complete with `known`;
// `path` and `other` are inserted verbatim.
std::string ValueCases(const std::vector<Command>& commands,
                       const std::function<std::string(const std::string& values)>& known,
                       const std::string& path, const std::string& other) {
  std::string text;
  for (const auto& [name, app] : commands) {
    for (const CLI::Option* option : ShownOptions(*app)) {
      if (ValueName(*option).empty() || option->get_expected_min() == 0) continue;
      const std::string values = KnownValues(*option);
      text += fmt::format("    {}) {} ;;\n", Quoted(name + " " + ShownName(*option)),
                          !values.empty()   ? known(values)
                          : IsPath(*option) ? path
                                            : other);
    }
  }
  return text;
}

std::string Bash(const CLI::App& gorila) {
  const std::vector<Command> commands = AllCommands("gorila", gorila);
  std::string choices;
  for (const Command& command : commands) {
    std::string options = "--help";
    for (const CLI::Option* option : ShownOptions(*command.second)) {
      if (ShownName(*option) != "--help") options += " " + ShownName(*option);
    }
    choices +=
        fmt::format("    {}) options='{}' verbs='{}' files={:d} ;;\n", Quoted(command.first),
                    options, VerbNames(VerbsOf(command, gorila)), TakesFilesToo(*command.second));
  }
  return fmt::format(
      R"(# bash completion for gorila; written by: gorila completions bash
_gorila() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local command=gorila options='' verbs='' files=0 i
  # --option=value is three words.
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $previous == = ]]; then
    previous=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$command ${{COMP_WORDS[i]}}" in
      {}) command+=" ${{COMP_WORDS[i]}}" ;;
    esac
  done
  case "$command $previous" in
{}  esac
  case $command in
{}  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $verbs ]]; then
    COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
    ((!files)) || _gorila_files
  else
    _gorila_files
  fi
}}
_gorila_files() {{
  compopt -o filenames 2>/dev/null
  mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -- "$cur")
}}
_gorila_values() {{
  [[ $1 != *= ]] || compopt -o nospace 2>/dev/null
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}}
complete -F _gorila gorila
)",
      CommandPatterns(commands),
      ValueCases(
          commands, [](const std::string& v) { return "_gorila_values '" + v + "'; return"; },
          "_gorila_files; return", "return"),
      choices);
}

std::string Zsh(const CLI::App& gorila) {
  const std::vector<Command> commands = AllCommands("gorila", gorila);
  std::string choices;
  for (const Command& command : commands) {
    std::string options;
    std::string verbs;
    for (const CLI::Option* option : ShownOptions(*command.second)) {
      options += fmt::format(" {}", Quoted(ShownName(*option) + ":" + option->get_description()));
    }
    for (const CLI::App* verb : ShownCommands(VerbsOf(command, gorila))) {
      verbs += fmt::format(" {}", Quoted(verb->get_name() + ":" + verb->get_description()));
    }
    choices +=
        fmt::format("    {})\n      options=({})\n      verbs=({})\n      files={:d}\n      ;;\n",
                    Quoted(command.first), options, verbs, TakesFilesToo(*command.second));
  }
  return fmt::format(
      R"(#compdef gorila
# zsh completion for gorila; written by: gorila completions zsh
_gorila() {{
  local command=gorila previous=${{words[CURRENT-1]}} files=0 i
  local -a options verbs
  if [[ ${{words[CURRENT]}} == --*=* ]]; then
    previous=${{words[CURRENT]%%=*}}
    compset -P 1 '*='
  fi
  for ((i = 2; i < CURRENT; ++i)); do
    case "$command ${{words[i]}}" in
      {}) command+=" ${{words[i]}}" ;;
    esac
  done
  case "$command $previous" in
{}  esac
  case $command in
{}  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option options
  elif (( $#verbs )); then
    _describe verb verbs
    (( ! files )) || _files
  else
    _files
  fi
}}
# A key of the configuration waits for its value.
_gorila_values() {{
  if [[ $1 == *= ]]; then
    compadd -S '' -- "$@"
  else
    compadd -- "$@"
  fi
}}
if [[ ${{funcstack[1]-}} == _gorila ]]; then
  _gorila "$@"
else
  compdef _gorila gorila
fi
)",
      CommandPatterns(commands),
      ValueCases(
          commands, [](const std::string& v) { return "_gorila_values " + v + "; return"; },
          "_files; return", "return"),
      choices);
}

std::string Fish(const CLI::App& gorila) {
  const std::vector<Command> commands = AllCommands("gorila", gorila);
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const Command& command : commands) names.push_back(Quoted(command.first));
  std::string lines;
  for (const Command& command : commands) {
    const std::string here =
        fmt::format(R"(complete -c gorila -n 'test (__gorila_command) = "{}"')", command.first);
    const CLI::App& parent = VerbsOf(command, gorila);
    for (const CLI::App* verb : ShownCommands(parent)) {
      lines += fmt::format("{} {}-a {} -d {}\n", here, TakesFilesToo(*command.second) ? "" : "-f ",
                           verb->get_name(), Quoted(verb->get_description()));
    }
    for (const CLI::Option* option : ShownOptions(*command.second)) {
      const std::string values = KnownValues(*option);
      const bool takes = !ValueName(*option).empty() && option->get_expected_min() > 0;
      lines += fmt::format("{} -l {}{} -d {}\n", here, ShownName(*option).substr(2),
                           !takes            ? std::string()
                           : !values.empty() ? " -x -a " + Quoted(values)
                           : IsPath(*option) ? std::string(" -r -F")
                                             : std::string(" -x"),
                           Quoted(option->get_description()));
    }
  }
  return fmt::format(R"(# fish completion for gorila; written by: gorila completions fish
function __gorila_command
  set -l found gorila
  for word in (commandline -opc)[2..-1]
    if contains -- "$found $word" {}
      set found "$found $word"
    end
  end
  echo $found
end
{})",
                     fmt::join(names, " "), lines);
}

StatusOr<int> Completions(const CLI::App& gorila, const std::string& shell) {
  const auto print = [](const std::string& text) {
    fmt::print("{}", text);
    return kSuccess;
  };
  if (shell == "bash") return print(Bash(gorila));
  if (shell == "zsh") return print(Zsh(gorila));
  if (shell == "fish") return print(Fish(gorila));
  constexpr std::string_view kShells[] = {"bash", "fish", "zsh"};
  return InvalidArgument("completions: unknown shell '{}'; did you mean {}?", shell,
                         NearestNamesText(shell, kShells));
}

constexpr CommandText kCompletionsText = {
    .name = "completions",
    .summary = "Print completions of the command line for a shell",
    .details = "cmake --install and the Debian package install them where shells look for them.\n",
    .examples = R"(source <(gorila completions bash)
)"};

}  // namespace

Verb AddCompletionsVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kCompletionsText);
  const auto shell = std::make_shared<std::string>();
  app->add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("");
  return {app, [shell, &gorila](const Invocation&) { return Completions(gorila, *shell); }};
}

}  // namespace gorila::cli
