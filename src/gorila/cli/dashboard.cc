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
    .summary = "Show runs on a page, running or finished",
    .details =
        R"(Serves a page over the runs' folders until Ctrl-C: learning curves laid over each other, losses,
rates, staleness, memory, and the agent at play. The runs may still be training; nothing is written.
'gorila train --dashboard' shows the run that it trains.
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
                  fmt::format("Where to serve it (default: 127.0.0.1:{}; port 0: one that is free)",
                              kDashboardPort))
      ->type_name("HOST:PORT");
  options->listen.Add(*app);
  return {app, [options](const Invocation&) { return ServeDashboard(*options); }};
}

}  // namespace gorila::cli
