// What lets others watch a run while it trains: the dashboard, and a port for Prometheus.
#ifndef GORILA_CLI_TRAINING_WATCH_H_
#define GORILA_CLI_TRAINING_WATCH_H_

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "gorila/base/mutex.h"
#include "gorila/cli/listen_flags.h"
#include "gorila/config/config.h"
#include "gorila/dashboard/dashboard.h"
#include "gorila/dashboard/metrics_page.h"
#include "gorila/dashboard/run_metrics.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace gorila::cli {

// One thread.
class TrainingWatch {
 public:
  // Either may be null.
  TrainingWatch(std::unique_ptr<HttpListener> dashboard, std::unique_ptr<HttpListener> metrics)
      : dashboard_listener_(std::move(dashboard)), metrics_listener_(std::move(metrics)) {}

  // Begins to answer for the run in `directory`; says where on stderr unless `quiet`. `live`: its
  // parameters, as Dashboard::Start.
  Status Start(const std::filesystem::path& directory, const Config& config, ParameterStore* live,
               bool quiet);

  // `show`, and then Publish, which refers to this watch.
  std::function<void(const ProgressSnapshot&)> Showing(
      std::function<void(const ProgressSnapshot&)> show);

  void Publish(const ProgressSnapshot& snapshot);

 private:
  // What /metrics shows.
  struct Latest {
    Mutex mutex;
    RunMetrics run GORILA_GUARDED_BY(mutex);
  };

  std::unique_ptr<HttpListener> dashboard_listener_;
  std::unique_ptr<HttpListener> metrics_listener_;
  std::unique_ptr<Dashboard> dashboard_;
  std::unique_ptr<Latest> latest_;
  std::unique_ptr<MetricsPage> metrics_;
};

// --dashboard, --metrics-listen and what secures them. Not copied while CLI11 refers to it.
class WatchFlags {
 public:
  void Add(CLI::App& app);

  // Whether any of the flags was given.
  bool given() const;

  // Takes the ports, before anything of the run is made. `otherwise`: where /metrics is served
  // without its flag; empty: nowhere.
  StatusOr<TrainingWatch> Bind(const std::string& otherwise = "") const;

 private:
  const CLI::Option* dashboard_ = nullptr;
  std::string dashboard_address_;
  std::string metrics_address_;
  ListenFlags listen_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_TRAINING_WATCH_H_
