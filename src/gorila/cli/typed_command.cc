#include "gorila/cli/typed_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <variant>

#include "gorila/base/command.h"
#include "gorila/base/whole_number.h"
#include "gorila/cli/help_text.h"
#include "gorila/config/config_keys.h"

namespace gorila::cli {
namespace {

std::string_view Trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

// "run.frames=1M" as "run.frames=1000000".
std::string PlainSet(std::string_view set) {
  const std::size_t equals = set.find('=');
  if (equals == std::string_view::npos) return std::string(set);
  const auto key = FindConfigKey(Trimmed(set.substr(0, equals)));
  if (!key.ok() || !std::holds_alternative<IntegerField>((*key)->field)) return std::string(set);
  const auto digits = PlainDigits(Trimmed(set.substr(equals + 1)));
  return digits ? std::string(set.substr(0, equals + 1)) + *digits : std::string(set);
}

std::string PlainValue(const CLI::App& command, const std::string& flag, std::string_view value) {
  if (flag == "--set") return PlainSet(value);
  const CLI::Option* const option =
      flag.starts_with("--") ? command.get_option_no_throw(flag) : nullptr;
  if (option == nullptr || ValueName(*option) != "N") return std::string(value);
  return PlainDigits(value).value_or(std::string(value));
}

}  // namespace

std::string TypedCommand(const CLI::App& command, std::span<char* const> arguments) {
  std::string text = "gorila";
  std::string flag;  // the argument before
  for (const std::string_view argument : arguments) {
    const std::size_t equals = argument.find('=');
    std::string plain = PlainValue(command, flag, argument);
    if (argument.starts_with("--") && equals != std::string_view::npos) {
      const std::string own(argument.substr(0, equals));
      plain = own + "=" + PlainValue(command, own, argument.substr(equals + 1));
    }
    text += fmt::format(" {}", ShellQuoted(plain));
    flag = argument;
  }
  return text;
}

}  // namespace gorila::cli
