// How --help looks, and what completions and man pages know of an option.
#ifndef GORILA_CLI_HELP_TEXT_H_
#define GORILA_CLI_HELP_TEXT_H_

#include <CLI/App.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace gorila::cli {

inline constexpr std::size_t kHelpColumns = 100;
// The group of commands and options that nothing lists.
inline constexpr char kHiddenGroup[] = "";

// `text` in lines of at most kHelpColumns, all but the first indented by `indent`.
std::string Wrapped(std::string_view text, std::size_t indent);

// An option's long name with its dashes. Further long names are older ones, accepted and not shown;
// an option that is also a positional is shown as that only, and its name here is empty.
std::string ShownName(const CLI::Option& option);
// "N", "FILE"; empty for a flag.
std::string ValueName(const CLI::Option& option);
// Of a command, in their order; without the hidden ones.
std::vector<const CLI::Option*> ShownOptions(const CLI::App& app);
std::vector<const CLI::Option*> Positionals(const CLI::App& app);
std::vector<const CLI::App*> ShownCommands(const CLI::App& app);

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter();

 private:
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* command) const override;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_HELP_TEXT_H_
