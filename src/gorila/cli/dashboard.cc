#include "gorila/dashboard/dashboard.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/listen_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/report/run_summary.h"
#include "gorila/run/run_directory.h"

namespace gorila::cli {
namespace {

struct DashboardOptions {
  std::vector<std::string> runs;
  std::string address;
  ListenFlags listen;
};

// A folder without config.toml may get runs later; a checkpoint will not.
StatusOr<RunSources> FindSources(const std::vector<std::string>& arguments) {
  RunSources sources;
  for (const std::string& argument : arguments) {
    LabelledRun named = ParseLabelledRun(argument);
    const Status is_run = CheckIsRun(named.directory);
    std::error_code error;
    const bool may_have_runs = absl::IsInvalidArgument(is_run) &&
                               !std::filesystem::exists(named.directory / "manifest.json", error);
    if (!is_run.ok() && !may_have_runs) return is_run;
    (is_run.ok() ? sources.runs : sources.folders).push_back(std::move(named));
  }
  return sources;
}

StatusOr<int> ServeDashboard(const DashboardOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(RunSources sources, FindSources(options.runs));
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<HttpListener> listener,
      options.listen.Bind("--listen", options.address, {.port = kDashboardPort}));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Dashboard> dashboard,
                          Dashboard::Start(std::move(listener), std::move(sources)));
  fmt::print("dashboard: {}\n", dashboard->url());
  std::fflush(stdout);
  while (!StopRequested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return kSuccess;
}

constexpr CommandText kDashboardText = {
    .name = "dashboard",
    .summary = "Show running or finished runs in the browser",
    .details =
        R"(Serves a page about the runs until Ctrl-C: a table to search, sort and select from, overlaid
learning curves, losses, rates, staleness, memory, and the agent at play. A folder that is not a
run stands for all runs in it or below, also those that begin later. The runs may still be training;
nothing is written. To watch a run from the process that trains it, use 'gorila train --dashboard'.
)",
    .examples = R"(gorila dashboard runs
gorila dashboard runs/minatar-breakout-minatar-seed1-1
gorila dashboard gorila=runs/a dqn=runs/b --listen 127.0.0.1:8080
)"};

}  // namespace

Verb AddDashboardVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kDashboardText);
  const auto options = std::make_shared<DashboardOptions>();
  app->add_option("RUN", options->runs, "Runs, or folders with runs in them, each DIR or LABEL=DIR")
      ->required();
  app->add_option("--listen", options->address,
                  fmt::format("Address to serve on (default: 127.0.0.1:{}; port 0: any free port)",
                              kDashboardPort))
      ->type_name("HOST:PORT");
  options->listen.Add(*app);
  return {app, [options](const Invocation&) { return ServeDashboard(*options); }};
}

}  // namespace gorila::cli
