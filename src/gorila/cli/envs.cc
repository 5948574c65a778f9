#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/table_text.h"
#include "gorila/cli/verb.h"
#include "gorila/env/atari/ale_source.h"
#include "gorila/env/minatar/recording.h"
#include "gorila/env/registry.h"

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
    .summary = "List the environments, or verify games against recordings",
    .details =
        R"(Lists each environment's name, observation (channels x height x width), number of actions, the
[environment] options that it uses, and a description.
)",
    .examples = R"(gorila envs
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
  return {app, [verify, folder](const Invocation&) {
            return verify->parsed() ? VerifyFolder(*folder) : ListEnvironments();
          }};
}

}  // namespace gorila::cli
