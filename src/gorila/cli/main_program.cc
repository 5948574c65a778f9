#include "gorila/cli/main_program.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/exhaustion.h"
#include "gorila/base/nearest.h"
#include "gorila/cli/generated_text.h"
#include "gorila/cli/help_text.h"
#include "gorila/cli/typed_command.h"
#include "gorila/cli/verb.h"
#include "gorila/cli/version.h"

namespace gorila::cli {
namespace {

struct VerbEntry {
  Verb (*add)(CLI::App& gorila);
  const char* group;  // the heading in --help
};

constexpr char kTrain[] = "Train";
constexpr char kLook[] = "Look";
constexpr char kShare[] = "Share";
constexpr char kCluster[] = "Run on a cluster";
constexpr char kRoles[] = "Roles (gorila launch starts them)";
constexpr char kProgram[] = "This machine and this program";

constexpr VerbEntry kVerbs[] = {
    {&AddTrainVerb, kTrain},
    {&AddResumeVerb, kTrain},
    {&AddEvaluateVerb, kTrain},
    {&AddSuiteVerb, kTrain},
    {&AddSweepVerb, kTrain},
    {&AddEnvsVerb, kTrain},
    {&AddAlgorithmsVerb, kTrain},
    {&AddConfigVerb, kTrain},
    {&AddPlayVerb, kLook},
    {&AddDashboardVerb, kLook},
    {&AddReportVerb, kLook},
    {&AddScoresVerb, kLook},
    {&AddRunsVerb, kLook},
    {&AddLabelVerb, kLook},
    {&AddExportVerb, kShare},
    {&AddLaunchVerb, kCluster},
    {&AddStatusVerb, kCluster},
    {&AddCertsVerb, kCluster},
    {&AddPlanVerb, kCluster},
    {&AddSimulateVerb, kCluster},
    {&AddParameterServerVerb, kRoles},
    {&AddBundleVerb, kRoles},
    {&AddReplayVerb, kRoles},
    {&AddMemberVerb, kRoles},
    {&AddActorVerb, kRoles},
    {&AddLearnerVerb, kRoles},
    {&AddCoordinatorVerb, kRoles},
    {&AddDoctorVerb, kProgram},
    {&AddBenchmarkVerb, kProgram},
    {&AddHelpVerb, kProgram},
    {&AddCompletionsVerb, kHiddenGroup},
    {&AddManualVerb, kHiddenGroup},
};

// One line without control characters: a message may quote bytes of a damaged file, which the
// terminal would obey.
int Fail(std::string message, int exit_status) {
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  std::replace_if(message.begin(), message.end(), is_control, ' ');
  // A message may quote megabytes of a damaged file.
  constexpr std::size_t kMost = 1990;
  if (message.size() > kMost) message.replace(kMost - 500, message.size() - kMost + 3, "...");
  std::fprintf(stderr, "gorila: %s\n", message.c_str());
  return exit_status;
}

// The innermost command given: verify in `gorila envs verify`.
CLI::App& InnermostCommand(CLI::App& app) {
  const std::vector<CLI::App*> named = app.get_subcommands();
  return named.empty() ? app : InnermostCommand(*named.front());
}

// The names that could replace `argument`: options for an option, else verbs.
std::vector<std::string> Candidates(CLI::App& app, std::string_view argument) {
  std::vector<std::string> names;
  if (argument.starts_with("-")) {
    for (const CLI::Option* option : ShownOptions(app)) names.push_back(ShownName(*option));
  } else {
    for (const CLI::App* verb : ShownCommands(app)) names.push_back(verb->get_name());
  }
  return names;
}

Status UnknownArgument(CLI::App& app, const std::string& argument) {
  const std::vector<std::string> names = Candidates(app, argument);
  const std::vector<std::string_view> known(names.begin(), names.end());
  const std::string command = app.get_parent() == nullptr ? "gorila" : app.get_name();
  if (known.empty()) {
    return InvalidArgument("{}: unexpected argument '{}'", command, argument);
  }
  return InvalidArgument("{}: unknown {} '{}'; did you mean {}? '{} --help' lists all", command,
                         argument.starts_with("-") ? "option" : "verb", argument,
                         NearestNamesText(argument, known),
                         command == "gorila" ? command : "gorila " + command);
}

// Extras are collected instead of refused by CLI11, so that the nearest name can be suggested.
void AllowExtrasEverywhere(CLI::App& app) {
  app.allow_extras();
  for (CLI::App* verb : app.get_subcommands(nullptr)) AllowExtrasEverywhere(*verb);
}

Status CheckExtras(CLI::App& app) {
  CLI::App& command = InnermostCommand(app);
  const std::vector<std::string> extras = app.remaining(/*recurse=*/true);
  if (extras.empty()) return OkStatus();
  return UnknownArgument(command, extras.front());
}

int RunVerb(const std::vector<Verb>& verbs, const Invocation& invocation) {
  for (const Verb& verb : verbs) {
    if (!verb.app->parsed()) continue;
    const StatusOr<int> exit_status = verb.run(invocation);
    if (exit_status.ok()) return *exit_status;
    return Fail(std::string(exit_status.status().message()), ExitStatusOf(exit_status.status()));
  }
  return Fail("expected a verb; see: gorila --help", kBadInput);
}

// Output that was lost is a failure: the disk behind a redirection may be full.
int EndOutput(int exit_status) {
  const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!lost || exit_status != kSuccess) return exit_status;
  return Fail("standard output cannot be written", kFailure);
}

std::atomic<bool> came_to_its_end = false;

// A plug-in that calls exit() would end the program as if all had gone well.
void RefuseToExit() {
  if (came_to_its_end) return;
  ::_exit(
      Fail("something in this process called exit(), a plug-in perhaps; plugin-process: runs it "
           "in a process of its own",
           kFailure));
}

// Everything here can throw when memory or threads run out.
StatusOr<int> ParseAndRun(int argc, char** argv) {
  CLI::App app("Gorila: deep Q-learning with many actors and learners around a parameter server",
               "gorila");
  app.formatter(std::make_shared<HelpFormatter>());  // the verbs inherit it
  app.set_version_flag("--version", "gorila " + std::string(Version()), "Print the version");
  app.footer(
      "Example:\n  gorila train --env minatar/breakout --seed 1\n\n'gorila help VERB' says more.");
  // One verb per call: a folder named "suite" must not be parsed as a second one.
  app.require_subcommand(0, 1);
  std::vector<Verb> verbs;
  verbs.reserve(std::size(kVerbs));
  for (const VerbEntry& entry : kVerbs) {
    verbs.push_back(entry.add(app));
    verbs.back().app->group(entry.group);
  }
  AllowExtrasEverywhere(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return EndOutput(app.exit(help_or_version));
  } catch (const CLI::ParseError& error) {
    return Fail(error.what(), kBadInput);
  }
  if (const Status status = CheckExtras(app); !status.ok()) {
    return Fail(std::string(status.message()), ExitStatusOf(status));
  }
  const std::span<char* const> arguments(argv + 1, static_cast<std::size_t>(std::max(argc, 1) - 1));
  return EndOutput(RunVerb(verbs, {.command = TypedCommand(InnermostCommand(app), arguments)}));
}

}  // namespace

int RunProgram(int argc, char** argv) {
  std::atexit(&RefuseToExit);
  const StatusOr<int> exit_status =
      WithoutThrowing([argc, argv] { return ParseAndRun(argc, argv); });
  came_to_its_end = true;
  if (exit_status.ok()) return *exit_status;
  return Fail(std::string(exit_status.status().message()), kFailure);
}

}  // namespace gorila::cli
