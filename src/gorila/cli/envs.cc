#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/table_text.h"
#include "gorila/cli/verb.h"
#include "gorila/env/atari/ale_source.h"
#include "gorila/env/minatar/recording.h"
#include "gorila/env/registry.h"
#include "gorila/evaluation/environment_check.h"

namespace gorila::cli {
namespace {

constexpr const char* kRecordingsVariable = "GORILA_MINATAR_RECORDINGS";

std::string OptionsUsed(const EnvironmentRow& row) {
  std::vector<std::string> options;
  if (row.sticky_actions) options.emplace_back("sticky_actions");
  if (row.difficulty_ramping) options.emplace_back("difficulty_ramping");
  if (row.minimal_actions) options.emplace_back("minimal_actions");
  if (row.atari) options.emplace_back("[atari]");
  return fmt::format("{}", fmt::join(options, ", "));
}

StatusOr<std::vector<std::string>> DescribeRow(const EnvironmentRow& row) {
  GORILA_ASSIGN_OR_RETURN(
      const std::unique_ptr<Environment> environment,
      MakeEnvironment(row.name, EnvironmentOptions{}, MakeRandomDraws(RandomStream(0))));
  const EnvironmentSpec& spec = environment->spec();
  const ObservationSpec& shape = spec.observation;
  return std::vector<std::string>{
      std::string(row.name), fmt::format("{}x{}x{}", shape.channels, shape.height, shape.width),
      std::to_string(spec.num_actions()), OptionsUsed(row), std::string(row.summary)};
}

StatusOr<int> ListEnvironments() {
  std::vector<std::vector<std::string>> rows = {
      {"NAME", "OBSERVATION", "ACTIONS", "OPTIONS", "SUMMARY"}};
  for (const EnvironmentRow& row : EnvironmentTable()) {
    GORILA_ASSIGN_OR_RETURN(std::vector<std::string> cells, DescribeRow(row));
    rows.push_back(std::move(cells));
  }
  rows.push_back(
      {"atari/GAME", "1x84x84", "3-18", "minimal_actions, [atari]",
       fmt::format("the {} games of the Arcade Learning Environment{}", AtariNames().size(),
                   atari::AleIsBuiltIn() ? "; need ROMs" : ", not built in")});
  PrintTable(rows);
  fmt::print(R"(
Environments of your own need no entry here (docs/environments.md):
  gymnasium:ID            what gymnasium.make takes, gymnasium:CartPole-v1
  python:MODULE:CALLABLE  a class or function in Python, python:my_games:Maze
  plugin:PATH             a shared library in C, C++ or Rust, plugin:./libmaze.so
  plugin-process:PATH     the same in a process of its own, which may crash
gorila envs check NAME tries one.
)");
  return kSuccess;
}

std::string_view VerdictWord(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kFailed:
      break;
  }
  return "FAILED";
}

constexpr KeyFlag kNameFlag = {"NAME", "environment.name", "NAME", "The environment"};

struct CheckVerbOptions {
  ConfigFlags config;
  std::uint64_t steps = 1'000'000;
  double seconds = 30;
};

StatusOr<int> Check(const CheckVerbOptions& options) {
  if (!(options.seconds > 0 && options.seconds <= 86400)) {
    return InvalidArgument("--seconds is {}; expected more than 0 and at most 86400",
                           options.seconds);
  }
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  const std::string& name = config.environment.name;
  CheckRequest request = MakeCheckRequest(name, config.environment.options);
  request.limits = {.steps = static_cast<std::int64_t>(options.steps), .seconds = options.seconds};
  request.speed_seconds = std::min(request.speed_seconds, options.seconds);
  int warnings = 0;
  const auto print = [&warnings](const CheckLine& line) {
    warnings += line.verdict == Verdict::kWarning ? 1 : 0;
    fmt::print("{:<16}  {:<7}  {}\n", line.check, VerdictWord(line.verdict), line.text);
    std::fflush(stdout);
  };
  GORILA_ASSIGN_OR_RETURN(const Verdict worst, CheckEnvironment(request, print));
  if (worst == Verdict::kFailed) {
    fmt::print("{} is not fit for training\n", name);
    return kFailure;
  }
  fmt::print("{} is fit for training{}\n", name,
             warnings > 0 ? fmt::format("; warnings: {}", warnings) : "");
  return kSuccess;
}

StatusOr<int> VerifyFolder(const std::filesystem::path& folder) {
  auto report = minatar::VerifyRecordings(folder);
  // Whatever is wrong with the folder, it was the wrong one to name.
  if (!report.ok()) return InvalidArgument("{}", std::string(report.status().message()));
  for (const std::string& mismatch : report->descriptions) fmt::print("{}\n", mismatch);
  fmt::print("episodes {}\nsteps {}\nmismatches {}\n", report->episodes, report->steps,
             report->mismatches);
  return report->ok() ? kSuccess : kFailure;
}

constexpr CommandText kEnvsText = {
    .name = "envs",
    .summary = "List the environments, check one, or verify games against recordings",
    .details =
        R"(Lists each environment's name, observation (channels x height x width), number of actions, the
[environment] options that it uses, and a description.
)",
    .examples = R"(gorila envs
gorila envs check gymnasium:CartPole-v1
gorila envs verify data/minatar
)"};

constexpr CommandText kVerifyText = {
    .name = "verify",
    .summary = "Replay recorded MinAtar episodes",
    .details =
        R"(Every draw, reward, terminal flag and observation must match. Prints the episodes and steps checked
and the mismatches; exit status 1 when there are any, 2 when the folder cannot be read.
)",
    .examples = R"(gorila envs verify data/minatar
)"};

constexpr CommandText kCheckText = {
    .name = "check",
    .summary = "Try an environment before training on it",
    .details =
        R"(For one of your own (gymnasium:, python:, plugin:) or one of ours. Says what the network will see,
whether the same seed and actions give the same again, what random actions meet (episodes, their
ends, rewards, observations), whether it can be saved and restored, and how fast it is. Plug-ins run
in a process of their own, so that a crash, or a write beyond a buffer, is caught. Each check is
"ok", a "warning" that training may suffer, or "FAILED". The exit status is 1 if a check failed and
2 if the environment does not exist.
)",
    .examples = R"(gorila envs check gymnasium:CartPole-v1
gorila envs check python:my_games:Maze --set 'environment.kwargs={"size": 8}'
gorila envs check plugin:./libmaze.so --steps 10M --seconds 300
)"};

void AddCheck(CLI::App& check, CheckVerbOptions& options) {
  options.config.AddKeys(check, {&kNameFlag, 1});
  check.get_option("NAME")->required()->type_name("")->multi_option_policy(
      CLI::MultiOptionPolicy::Throw);
  AddNumber(check, "--steps", options.steps, {.low = 1}, "Random steps at most")->default_str("1M");
  check.add_option("--seconds", options.seconds, "Seconds for them at most")
      ->type_name("S")
      ->capture_default_str();
  options.config.AddSets(check);
}

}  // namespace

Verb AddEnvsVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kEnvsText);
  CLI::App* const verify = AddCommand(*app, kVerifyText);
  const auto folder = std::make_shared<std::filesystem::path>("data/minatar");
  verify
      ->add_option("FOLDER", *folder,
                   fmt::format("Folder of *.jsonl files (default: ${}, else data/minatar)",
                               kRecordingsVariable))
      ->envname(kRecordingsVariable)
      ->type_name("");
  CLI::App* const check = AddCommand(*app, kCheckText);
  const auto options = std::make_shared<CheckVerbOptions>();
  AddCheck(*check, *options);
  return {app, [verify, folder, check, options](const Invocation&) {
            if (check->parsed()) return Check(*options);
            return verify->parsed() ? VerifyFolder(*folder) : ListEnvironments();
          }};
}

}  // namespace gorila::cli
