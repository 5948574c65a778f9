#include "gorila/dashboard/dashboard.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/listen_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/report/run_summary.h"

namespace gorila::cli {
namespace {

struct DashboardOptions {
  std::vector<std::string> runs;
  std::string address;
  ListenFlags listen;
};

StatusOr<int> ServeDashboard(const DashboardOptions& options) {
  CatchStopSignals();
  std::vector<LabelledRun> runs;
  for (const std::string& run : options.runs) runs.push_back(ParseLabelledRun(run));
  GORILA_ASSIGN_OR_RETURN(
      std::unique_ptr<HttpListener> listener,
      options.listen.Bind("--listen", options.address, {.port = kDashboardPort}));
  GORILA_ASSIGN_OR_RETURN(const std::unique_ptr<Dashboard> dashboard,
                          Dashboard::Start(std::move(listener), runs));
  fmt::print("dashboard: {}\n", dashboard->url());
  std::fflush(stdout);
  while (!StopRequested()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return kSuccess;
}

constexpr CommandText kDashboardText = {
    .name = "dashboard",
    .summary = "Show running or finished runs in the browser",
    .details =
        R"(Serves a page about the runs until Ctrl-C: overlaid learning curves, losses, rates, staleness,
memory, and the agent at play. The runs may still be training; nothing is written. To watch a run
from the process that trains it, use 'gorila train --dashboard'.
)",
    .examples = R"(gorila dashboard runs/minatar-breakout-minatar-seed1-1
gorila dashboard gorila=runs/a dqn=runs/b --listen 127.0.0.1:8080
)"};

}  // namespace

Verb AddDashboardVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kDashboardText);
  const auto options = std::make_shared<DashboardOptions>();
  app->add_option("RUN", options->runs, "Run directories, each DIR or LABEL=DIR")->required();
  app->add_option("--listen", options->address,
                  fmt::format("Address to serve on (default: 127.0.0.1:{}; port 0: any free port)",
                              kDashboardPort))
      ->type_name("HOST:PORT");
  options->listen.Add(*app);
  return {app, [options](const Invocation&) { return ServeDashboard(*options); }};
}

}  // namespace gorila::cli
