#include "gorila/metrics/prometheus_text.h"

#include <fmt/format.h>

#include <cmath>

namespace gorila {
namespace {

// Backslash, line end and, in a label's value, the quotation mark.
std::string Escape(std::string_view text, bool quoted) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '\\' || (quoted && c == '"')) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string FormatValue(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string_view TypeName(PrometheusText::Type type) {
  switch (type) {
    case PrometheusText::Type::kCounter:
      return "counter";
    case PrometheusText::Type::kGauge:
      return "gauge";
    case PrometheusText::Type::kHistogram:
      return "histogram";
  }
  return "untyped";
}

}  // namespace

void PrometheusText::Begin(std::string_view name, Type type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, Escape(help, /*quoted=*/false), name,
                       TypeName(type));
}

void PrometheusText::AddSample(std::string_view suffix, const PrometheusLabels& labels,
                               double value) {
  text_ += name_;
  text_ += suffix;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text_ += fmt::format("{}{}=\"{}\"", i == 0 ? '{' : ',', labels[i].first,
                         Escape(labels[i].second, /*quoted=*/true));
  }
  text_ += fmt::format("{} {}\n", labels.empty() ? "" : "}", FormatValue(value));
}

void PrometheusText::AddHistogram(const PrometheusLabels& labels, std::span<const double> limits,
                                  std::span<const std::uint64_t> counts, double sum) {
  std::uint64_t total = 0;
  PrometheusLabels with_limit = labels;
  with_limit.emplace_back("le", "");
  for (std::size_t i = 0; i < limits.size(); ++i) {
    total += counts[i];
    with_limit.back().second = FormatValue(limits[i]);
    AddSample("_bucket", with_limit, static_cast<double>(total));
  }
  total += counts[limits.size()];
  with_limit.back().second = "+Inf";
  AddSample("_bucket", with_limit, static_cast<double>(total));
  AddSample("_sum", labels, sum);
  AddSample("_count", labels, static_cast<double>(total));
}

}  // namespace gorila
