// What lets others watch a run while it trains: the dashboard, and a port for Prometheus.
#ifndef GORILA_CLI_TRAINING_WATCH_H_
#define GORILA_CLI_TRAINING_WATCH_H_

#include <memory>
#include <string>

#include "gorila/cli/listen_flags.h"
#include "gorila/dashboard/dashboard.h"
#include "gorila/dashboard/metrics_page.h"
#include "gorila/runtime/trainer.h"

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

  // Begins to answer; says where on stderr unless `quiet`. The trainer must outlive the watch.
  Status Start(Trainer& trainer, bool quiet);

  void Publish(const ProgressSnapshot& snapshot);

 private:
  std::unique_ptr<HttpListener> dashboard_listener_;
  std::unique_ptr<HttpListener> metrics_listener_;
  std::unique_ptr<Dashboard> dashboard_;
  std::unique_ptr<MetricsPage> metrics_;
};

// --dashboard, --metrics-listen and what secures them. Not copied while CLI11 refers to it.
class WatchFlags {
 public:
  void Add(CLI::App& app);

  // Takes the ports, before anything of the run is made.
  StatusOr<TrainingWatch> Bind() const;

 private:
  const CLI::Option* dashboard_ = nullptr;
  std::string dashboard_address_;
  std::string metrics_address_;
  ListenFlags listen_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_TRAINING_WATCH_H_
