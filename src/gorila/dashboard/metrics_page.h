// Serves only /metrics, on a separate port.
#ifndef GORILA_DASHBOARD_METRICS_PAGE_H_
#define GORILA_DASHBOARD_METRICS_PAGE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "gorila/dashboard/http_listener.h"
#include "gorila/metrics/process_metrics.h"
#include "gorila/metrics/prometheus_text.h"

namespace gorila {

// What `add` says, and this process.
inline HttpResponse AnswerScrape(const std::function<void(PrometheusText&)>& add) {
  PrometheusText text;
  add(text);
  AddProcessMetrics(text);
  return {.type = kPrometheusContentType, .body = text.Take()};
}

// Answers from its making to its end.
class MetricsPage {
 public:
  // `add` is called in several threads at once.
  MetricsPage(std::unique_ptr<HttpListener> listener, std::function<void(PrometheusText&)> add)
      : listener_(std::move(listener)) {
    listener_->Get("/metrics",
                   [add = std::move(add)](const HttpRequest&) { return AnswerScrape(add); });
    listener_->Start();
  }
  ~MetricsPage() { listener_->Stop(); }
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  std::string url() const { return listener_->url() + "metrics"; }

 private:
  const std::unique_ptr<HttpListener> listener_;
};

}  // namespace gorila

#endif  // GORILA_DASHBOARD_METRICS_PAGE_H_
