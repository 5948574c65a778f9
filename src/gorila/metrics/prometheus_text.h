// Prometheus' text format (version 0.0.4), which its server and others scrape.
#ifndef GORILA_METRICS_PROMETHEUS_TEXT_H_
#define GORILA_METRICS_PROMETHEUS_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gorila {

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

using PrometheusLabels = std::vector<std::pair<std::string_view, std::string>>;

// Builds one answer. All samples of a family are added before the next family begins. Not
// thread-safe.
class PrometheusText {
 public:
  enum class Type { kCounter, kGauge, kHistogram };

  // `name` ends in its unit, a counter's then in "_total"; `help` is one sentence.
  void Begin(std::string_view name, Type type, std::string_view help);
  // One sample of the present family.
  void Add(const PrometheusLabels& labels, double value) { AddSample("", labels, value); }
  // A whole histogram: counts[i] observations up to and including limits[i] (ascending) and beyond
  // the limit before; one count more, of those beyond all. `sum` is over all of them.
  void AddHistogram(const PrometheusLabels& labels, std::span<const double> limits,
                    std::span<const std::uint64_t> counts, double sum);

  std::string Take() { return std::move(text_); }

 private:
  void AddSample(std::string_view suffix, const PrometheusLabels& labels, double value);

  std::string name_;
  std::string text_;
};

}  // namespace gorila

#endif  // GORILA_METRICS_PROMETHEUS_TEXT_H_
