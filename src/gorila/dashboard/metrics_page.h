// A run's /metrics alone, on a port of its own.
#ifndef GORILA_DASHBOARD_METRICS_PAGE_H_
#define GORILA_DASHBOARD_METRICS_PAGE_H_

#include <memory>
#include <string>

#include "gorila/base/mutex.h"
#include "gorila/dashboard/http_listener.h"
#include "gorila/dashboard/run_metrics.h"
#include "gorila/metrics/prometheus_text.h"

namespace gorila {

// Answers from its making to its end. Thread-safe.
class MetricsPage {
 public:
  MetricsPage(std::unique_ptr<HttpListener> listener, std::string label, std::string environment)
      : listener_(std::move(listener)),
        run_{std::move(label), std::move(environment), ProgressSnapshot()} {
    listener_->Get("/metrics", [this](const HttpRequest&) {
      return HttpResponse{.type = kPrometheusContentType, .body = Render()};
    });
    listener_->Start();
  }
  ~MetricsPage() { listener_->Stop(); }
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  void Publish(const ProgressSnapshot& snapshot) GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    run_.progress = snapshot;
  }

  std::string url() const { return listener_->url() + "metrics"; }

 private:
  std::string Render() GORILA_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return RenderRunMetrics(std::span(&run_, 1));
  }

  const std::unique_ptr<HttpListener> listener_;
  Mutex mutex_;
  RunMetrics run_ GORILA_GUARDED_BY(mutex_);
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_METRICS_PAGE_H_
