// Man pages, written from the options themselves.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "gorila/base/file.h"
#include "gorila/cli/command.h"
#include "gorila/cli/generated_text.h"
#include "gorila/cli/help_text.h"
#include "gorila/cli/version.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kExamplesHeading = "Examples:\n";

// Escapes what troff would interpret: backslashes, hyphens, and a leading point or quote.
std::string Troff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (escaped.empty() || escaped.back() == '\n')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// Filled paragraphs; lines that are indented stay as they are.
std::string Paragraphs(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string result;
  bool indented = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ") != indented) result += indented ? ".fi\n" : ".nf\n";
    indented = line.starts_with("  ");
    result += line.empty() ? ".PP\n" : Troff(line) + "\n";
  }
  if (indented) result += ".fi\n";
  while (result.ends_with(".PP\n")) result.resize(result.size() - 4);
  return result;
}

std::string Title(const std::string& name) {
  std::string title = name;
  std::replace(title.begin(), title.end(), ' ', '-');
  return title;
}

std::string Synopsis(const std::string& name, const CLI::App& app) {
  std::string text = fmt::format(".SH SYNOPSIS\n.B {}\n[OPTIONS]", Troff(name));
  for (const CLI::Option* positional : Positionals(app)) {
    const bool many = positional->get_expected_max() > 1;
    const std::string word = positional->get_name(true, false) + (many ? "..." : "");
    text += " " + Troff(positional->get_required() ? word : "[" + word + "]");
  }
  if (!ShownCommands(app).empty()) text += " [VERB]";
  return text + "\n";
}

std::string Options(const CLI::App& app) {
  std::string text = ".SH OPTIONS\n";
  for (const CLI::Option* positional : Positionals(app)) {
    text += fmt::format(".TP\n.I {}\n{}\n", Troff(positional->get_name(true, false)),
                        Troff(positional->get_description()));
  }
  for (const CLI::Option* option : ShownOptions(app)) {
    const std::string value = ValueName(*option);
    text += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", Troff(ShownName(*option)),
                        value.empty() ? "" : " \\fI" + Troff(value) + "\\fR",
                        Troff(option->get_description()));
    if (!option->get_default_str().empty()) {
      text += fmt::format("(default: {})\n", Troff(option->get_default_str()));
    }
  }
  return text;
}

std::string Verbs(const std::string& name, const CLI::App& app) {
  std::string text;
  std::string group;
  for (const CLI::App* command : ShownCommands(app)) {
    if (text.empty()) text = ".SH VERBS\n";
    if (command->get_group() != group) text += fmt::format(".SS {}\n", Troff(command->get_group()));
    group = command->get_group();
    text += fmt::format(".TP\n.BR {} (1)\n{}\n", Troff(Title(name + " " + command->get_name())),
                        Troff(command->get_description()));
  }
  return text;
}

std::string Page(const std::string& name, const CLI::App& app) {
  const std::string footer = app.get_footer();
  const std::size_t heading = std::min(footer.find(kExamplesHeading), footer.size());
  std::string text =
      fmt::format(".TH \"{}\" 1 \"\" \"gorila {}\" \"Gorila\"\n.SH NAME\n{} \\- {}\n", Title(name),
                  Version(), Troff(Title(name)), Troff(app.get_description()));
  text += Synopsis(name, app);
  if (heading > 1) text += ".SH DESCRIPTION\n" + Paragraphs(footer.substr(0, heading));
  text += Verbs(name, app) + Options(app);
  if (heading < footer.size()) {
    text += ".SH EXAMPLES\n" + Paragraphs(footer.substr(heading + kExamplesHeading.size()));
  }
  text += R"(.SH EXIT STATUS
0 success, 1 runtime failure or failed check, 2 invalid request, 130 stopped by a signal.
)";
  if (app.get_parent() != nullptr) text += ".SH SEE ALSO\n.BR gorila (1)\n";
  return text;
}

Status WritePages(const fs::path& folder, const std::string& name, const CLI::App& app) {
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(folder / (Title(name) + ".1"), Page(name, app)));
  for (const CLI::App* command : ShownCommands(app)) {
    GORILA_RETURN_IF_ERROR(WritePages(folder, name + " " + command->get_name(), *command));
  }
  return OkStatus();
}

StatusOr<int> WriteManual(const CLI::App& gorila, const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Unavailable("cannot make '{}': {}", folder.string(), error.message());
  GORILA_RETURN_IF_ERROR(WritePages(folder, "gorila", gorila));
  return kSuccess;
}

constexpr CommandText kManualText = {
    .name = "manual",
    .summary = "Write a man page for each verb",
    .details = "cmake --install and the Debian package install them.\n",
    .examples = "gorila manual man1\n"};

}  // namespace

Verb AddManualVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kManualText);
  const auto folder = std::make_shared<fs::path>();
  app->add_option("DIR", *folder, "Folder to write to; created if missing")
      ->required()
      ->type_name("");
  return {app, [folder, &gorila](const Invocation&) { return WriteManual(gorila, *folder); }};
}

}  // namespace gorila::cli
