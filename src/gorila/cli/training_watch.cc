#include "gorila/cli/training_watch.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "gorila/runtime/run_summary.h"

namespace gorila::cli {

Status TrainingWatch::Start(Trainer& trainer, bool quiet) {
  const std::filesystem::path& directory = trainer.directory().path();
  const std::string label = DefaultLabel(directory);
  if (dashboard_listener_ != nullptr) {
    GORILA_ASSIGN_OR_RETURN(dashboard_, Dashboard::Start(std::move(dashboard_listener_),
                                                         {{label, directory}}, &trainer.store()));
    if (!quiet) std::cerr << "dashboard: " << dashboard_->url() << "\n";
  }
  if (metrics_listener_ != nullptr) {
    metrics_ = std::make_unique<MetricsPage>(std::move(metrics_listener_), label,
                                             trainer.config().environment.name);
    if (!quiet) std::cerr << "metrics: " << metrics_->url() << "\n";
  }
  return OkStatus();
}

void TrainingWatch::Publish(const ProgressSnapshot& snapshot) {
  if (dashboard_ != nullptr) dashboard_->Publish(snapshot);
  if (metrics_ != nullptr) metrics_->Publish(snapshot);
}

void WatchFlags::Add(CLI::App& app) {
  dashboard_ =
      app.add_option("--dashboard", dashboard_address_,
                     fmt::format("Show the run on a page (default: 127.0.0.1:{})", kDashboardPort))
          ->type_name("[HOST:PORT]")
          ->expected(0, 1);
  app.add_option("--metrics-listen", metrics_address_, "Serve /metrics to Prometheus")
      ->type_name("HOST:PORT");
  listen_.Add(app);
}

StatusOr<TrainingWatch> WatchFlags::Bind() const {
  std::unique_ptr<HttpListener> dashboard;
  std::unique_ptr<HttpListener> metrics;
  if (dashboard_->count() > 0) {
    GORILA_ASSIGN_OR_RETURN(
        dashboard, listen_.Bind("--dashboard", dashboard_address_, {.port = kDashboardPort}));
  }
  if (!metrics_address_.empty()) {
    GORILA_ASSIGN_OR_RETURN(metrics, listen_.Bind("--metrics-listen", metrics_address_, {}));
  }
  return TrainingWatch(std::move(dashboard), std::move(metrics));
}

}  // namespace gorila::cli
