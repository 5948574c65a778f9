#include "gorila/cli/training_watch.h"

#include <CLI/App.hpp>
#include <iostream>
#include <span>
#include <utility>

#include "gorila/report/run_summary.h"

namespace gorila::cli {

Status TrainingWatch::Start(const std::filesystem::path& directory, const Config& config,
                            ParameterStore* live, bool quiet) {
  const std::string label = DefaultLabel(directory);
  if (dashboard_listener_ != nullptr) {
    GORILA_ASSIGN_OR_RETURN(dashboard_,
                            Dashboard::Start(std::move(dashboard_listener_),
                                             {.runs = {{label, directory}}, .folders = {}}, live));
    if (!quiet) std::cerr << "dashboard: " << dashboard_->url() << "\n";
  }
  if (metrics_listener_ != nullptr) {
    latest_ = std::make_unique<Latest>();
    Latest& latest = *latest_;
    {
      const MutexLock lock(latest.mutex);
      latest.run = {label, config.environment.name, ProgressSnapshot()};
    }
    metrics_ = std::make_unique<MetricsPage>(std::move(metrics_listener_),
                                             [&latest](PrometheusText& text) {
                                               const MutexLock lock(latest.mutex);
                                               AddRunMetrics(std::span(&latest.run, 1), text);
                                             });
    if (!quiet) std::cerr << "metrics: " << metrics_->url() << "\n";
  }
  return OkStatus();
}

std::function<void(const ProgressSnapshot&)> TrainingWatch::Showing(
    std::function<void(const ProgressSnapshot&)> show) {
  return [this, show = std::move(show)](const ProgressSnapshot& snapshot) {
    show(snapshot);
    Publish(snapshot);
  };
}

void TrainingWatch::Publish(const ProgressSnapshot& snapshot) {
  if (dashboard_ != nullptr) dashboard_->Publish(snapshot);
  if (latest_ == nullptr) return;
  const MutexLock lock(latest_->mutex);
  latest_->run.progress = snapshot;
}

void WatchFlags::Add(CLI::App& app) {
  dashboard_ = app.add_option("--dashboard", dashboard_address_,
                              fmt::format("Show the run in the browser (default: 127.0.0.1:{})",
                                          kDashboardPort))
                   ->type_name("[HOST:PORT]")
                   ->expected(0, 1);
  app.add_option("--metrics-listen", metrics_address_, "Serve /metrics to Prometheus")
      ->type_name("HOST:PORT");
  listen_.Add(app);
}

bool WatchFlags::given() const { return dashboard_->count() > 0 || !metrics_address_.empty(); }

StatusOr<TrainingWatch> WatchFlags::Bind(const std::string& otherwise) const {
  std::unique_ptr<HttpListener> dashboard;
  std::unique_ptr<HttpListener> metrics;
  if (dashboard_->count() > 0) {
    GORILA_ASSIGN_OR_RETURN(
        dashboard, listen_.Bind("--dashboard", dashboard_address_, {.port = kDashboardPort}));
  }
  if (const std::string& address = metrics_address_.empty() ? otherwise : metrics_address_;
      !address.empty()) {
    GORILA_ASSIGN_OR_RETURN(metrics, listen_.Bind("--metrics-listen", address, {}));
  }
  return TrainingWatch(std::move(dashboard), std::move(metrics));
}

}  // namespace gorila::cli
