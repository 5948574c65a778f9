#include <fmt/format.h>

#include <CLI/App.hpp>
#include <memory>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kConfigFlags[] = {kEnvFlag};

struct ConfigOptions {
  ConfigFlags config;
  bool markdown = false;
};

StatusOr<int> PrintConfig(const ConfigOptions& options) {
  if (options.markdown) {
    fmt::print("{}", ConfigMarkdown());
    return kSuccess;
  }
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  fmt::print("{}", ToToml(config));
  return kSuccess;
}

constexpr CommandText kConfigText = {.name = "config",
                                     .summary = "Print a configuration with every key explained",
                                     .details = R"(The output is a TOML file that --config reads.
)",
                                     .examples = R"(gorila config --preset dqn
gorila config --set run.bundles=4 > mine.toml && gorila train --config mine.toml
)"};

}  // namespace

Verb AddConfigVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kConfigText);
  const auto options = std::make_shared<ConfigOptions>();
  options->config.AddKeys(*app, kConfigFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  app->add_flag("--markdown", options->markdown, "Print tables of all keys instead, with defaults");
  return {app, [options](const Invocation&) { return PrintConfig(*options); }};
}

}  // namespace gorila::cli
