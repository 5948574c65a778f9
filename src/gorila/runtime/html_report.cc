#include "gorila/runtime/html_report.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_replace.h>

#include <algorithm>
#include <cmath>

#include "gorila/metrics/number_format.h"
#include "gorila/runtime/config_keys.h"
#include "gorila/runtime/html_report_style.h"

namespace gorila {
namespace {

constexpr std::size_t kGridPoints = 200;

struct Group {
  std::string label;
  std::vector<const RunSummary*> runs;
};

std::vector<Group> GroupByLabel(std::span<const RunSummary> runs) {
  std::vector<Group> groups;
  for (const RunSummary& run : runs) {
    const auto found = std::find_if(groups.begin(), groups.end(),
                                    [&](const Group& group) { return group.label == run.label; });
    if (found == groups.end()) {
      groups.push_back({run.label, {&run}});
    } else {
      found->runs.push_back(&run);
    }
  }
  return groups;
}

std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

// Rows of cells; cells are HTML already. The first column names the row, numbers are right-aligned.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}

  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }

  std::string Html() const {
    std::string html = "<div class=\"scroll\"><table>\n<thead><tr>";
    for (const std::string& heading : headings_) {
      html += fmt::format("<th scope=\"col\">{}</th>", heading);
    }
    html += "</tr></thead>\n<tbody>\n";
    for (const auto& row : rows_) {
      html += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i) {
        html += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", row[i])
                       : fmt::format("<td>{}</td>", row[i]);
      }
      html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
  }

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

std::string Section(std::string_view heading, const std::string& contents) {
  if (contents.empty()) return "";
  return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", heading, contents);
}

std::string PlusMinus(double mean, double half_width) {
  if (!std::isfinite(half_width)) return FormatDecimal(mean, 2);
  return fmt::format("{} ± {}", FormatDecimal(mean, 2), FormatDecimal(half_width, 2));
}

std::string Count(std::optional<double> number) {
  return number.has_value() ? FormatCount(static_cast<std::uint64_t>(std::max(0.0, *number))) : "–";
}

std::string RunName(const RunSummary& run) {
  return fmt::format("{} <small>{}</small>", Escape(run.label),
                     Escape(run.directory.lexically_normal().string()));
}

std::vector<std::vector<CurveSample>> Curves(const Group& group, std::string_view x) {
  std::vector<std::vector<CurveSample>> curves;
  for (const RunSummary* run : group.runs) curves.push_back(TrainingCurve(run->rows, x));
  return curves;
}

bool HaveCurves(std::span<const Group> groups, std::string_view x) {
  return std::all_of(groups.begin(), groups.end(), [x](const Group& group) {
    const auto curves = Curves(group, x);
    return std::all_of(curves.begin(), curves.end(),
                       [](const auto& curve) { return curve.size() >= 2; });
  });
}

// An SVG picture whose elements' names, and the references to them, begin with `prefix`: glyphs of
// two pictures have the same names.
std::string PrefixIds(const std::string& svg, const std::string& prefix) {
  return absl::StrReplaceAll(svg, {{" id=\"", " id=\"" + prefix},
                                   {"href=\"#", "href=\"#" + prefix},
                                   {"url(#", "url(#" + prefix},
                                   {" aria-labelledby=\"", " aria-labelledby=\"" + prefix}});
}

StatusOr<std::string> CurveFigure(std::span<const Group> groups, std::string_view x,
                                  const char* x_label) {
  if (!HaveCurves(groups, x)) return std::string();
  LearningCurveFigure figure;
  figure.x_label = x_label;
  figure.y_label = fmt::format("training return, mean of {} episodes", kSmoothedEpisodes);
  bool banded = false;
  for (const Group& group : groups) {
    const auto curves = Curves(group, x);
    banded |= curves.size() > 1;
    const std::string count = curves.size() > 1 ? fmt::format(", {} runs", curves.size()) : "";
    figure.series.push_back({group.label + count, AggregateRuns(curves, kGridPoints)});
  }
  GORILA_ASSIGN_OR_RETURN(std::string svg, RenderLearningCurveSvg(figure));
  // Inside a page the XML declaration has no place, and names are the page's.
  svg.erase(0, svg.find("<svg"));
  svg = PrefixIds(svg, fmt::format("{}-", x));
  return fmt::format("<figure>{}<figcaption>Training return over {}{}.</figcaption></figure>\n",
                     svg, x_label, banded ? "; bands are 95 % confidence intervals over runs" : "");
}

// What each group's curve is where the shortest of all ends.
std::string EqualTerms(std::span<const Group> groups, std::string_view x) {
  double end = std::numeric_limits<double>::infinity();
  for (const Group& group : groups) {
    for (const auto& curve : Curves(group, x)) end = std::min(end, curve.back().x);
  }
  const bool frames = x == "frames";
  Table table({"", "runs",
               frames ? fmt::format("return after {} frames", FormatCount(std::uint64_t(end)))
                      : fmt::format("return after {}", FormatDuration(end))});
  for (const Group& group : groups) {
    const MeanAtPoint at = MeanAt(Curves(group, x), end);
    table.Add({Escape(group.label), fmt::format("{}", group.runs.size()),
               PlusMinus(at.mean, at.half_interval)});
  }
  return table.Html();
}

std::string ComparisonSection(std::span<const Group> groups) {
  if (groups.size() < 2) return "";
  std::string html;
  if (HaveCurves(groups, "frames"))
    html += "<h3>At equal frames</h3>\n" + EqualTerms(groups, "frames");
  if (HaveCurves(groups, "seconds")) {
    html += "<h3>At equal wall time</h3>\n" + EqualTerms(groups, "seconds");
  }
  if (html.empty()) return "";
  return Section("Comparison",
                 "<p>Training return where the shortest run ends, ± half of the 95 % confidence "
                 "interval over runs.</p>\n" +
                     html);
}

std::string ScoreSection(std::span<const RunSummary> runs) {
  Table table({"run", "protocol", "episodes", "mean ± standard error", "median", "minimum",
               "maximum", "epsilon", "after frames"});
  for (const RunSummary& run : runs) {
    if (!run.evaluation.has_value()) {
      table.Add({RunName(run), "not finished", "–", "–", "–", "–", "–", "–", "–"});
      continue;
    }
    const EvaluationResult& result = run.evaluation->result;
    table.Add({RunName(run), Escape(result.protocol), fmt::format("{}", result.returns.size()),
               fmt::format("<strong>{}</strong>",
                           PlusMinus(result.summary.mean, result.summary.standard_error)),
               FormatDecimal(result.summary.median, 2), FormatDecimal(result.summary.minimum, 2),
               FormatDecimal(result.summary.maximum, 2), fmt::format("{}", result.epsilon),
               Count(run.evaluation->frames)});
  }
  return Section("Final evaluation", table.Html());
}

std::string FilmSection(std::span<const Group> groups) {
  std::string html;
  for (const Group& group : groups) {
    const auto found = std::find_if(group.runs.begin(), group.runs.end(),
                                    [](const RunSummary* run) { return !run->film.empty(); });
    if (found == group.runs.end()) continue;
    html += fmt::format(
        "<figure class=\"film\"><img alt=\"An episode of {0}, played by the trained network\" "
        "src=\"data:image/gif;base64,{1}\"><figcaption>{0}, seed {2}</figcaption></figure>\n",
        Escape(group.label), absl::Base64Escape((*found)->film), (*found)->config.run.seed);
  }
  return Section("The agent", html.empty() ? "" : "<div class=\"films\">\n" + html + "</div>\n");
}

std::string CounterSection(std::span<const RunSummary> runs) {
  Table table({"run", "frames", "updates", "episodes", "accepted", "stale", "outlier", "invalid",
               "mean staleness", "bottleneck"});
  for (const RunSummary& run : runs) {
    std::string bottleneck = "–";
    for (const RunLogRow& row : run.rows) {
      if (const auto text = row.Text("bottleneck"); text.has_value()) bottleneck = *text;
    }
    table.Add({RunName(run), Count(run.Last("frames")), Count(run.Last("updates")),
               Count(run.Last("episodes")), Count(run.Last("gradients_accepted")),
               Count(run.Last("gradients_stale")), Count(run.Last("gradients_outlier")),
               Count(run.Last("gradients_invalid")),
               FormatDecimal(run.Last("staleness_mean").value_or(std::nan("")), 2),
               Escape(bottleneck)});
  }
  return Section("Counters", table.Html());
}

std::string CostSection(std::span<const RunSummary> runs) {
  Table table({"run", "wall time", "core hours", "joules", "frames a core second", "machine"});
  bool joules_missing = false;
  for (const RunSummary& run : runs) {
    const double frames = run.Last("frames").value_or(std::nan(""));
    const double cpu = run.cpu_seconds.value_or(std::nan(""));
    joules_missing |= !run.joules.has_value();
    table.Add({RunName(run), run.seconds.has_value() ? FormatDuration(*run.seconds) : "–",
               FormatDecimal(cpu / 3600, 3),
               run.joules.has_value() ? FormatRate(*run.joules) : "not measured",
               FormatRate(frames / cpu), Escape(run.machine.empty() ? "–" : run.machine)});
  }
  std::string html =
      "<p>Of training, periodic evaluations included. Core hours are processor time of the "
      "program; "
      "joules are of all the machine's processors, whatever else ran on them.</p>\n" +
      table.Html();
  if (joules_missing) {
    html +=
        "<p class=\"note\">Not measured: the machine has no energy counters (RAPL) or does not let "
        "the program read them.</p>\n";
  }
  return Section("Cost", html);
}

// The keys in which runs differ, then everything of one run a group.
std::string ConfigurationSection(std::span<const RunSummary> runs, std::span<const Group> groups) {
  std::vector<std::string> headings = {"key"};
  for (const RunSummary& run : runs) headings.push_back(Escape(run.label));
  Table differences(headings);
  for (const ConfigKey& key : ConfigKeys()) {
    std::vector<std::string> cells = {fmt::format("<code>{}</code>", key.name)};
    bool differs = false;
    for (const RunSummary& run : runs) {
      const std::string value = ValueText(key.field, run.config);
      differs |= value != ValueText(key.field, runs.front().config);
      cells.push_back(Escape(value));
    }
    if (differs) differences.Add(std::move(cells));
  }
  std::string html;
  if (!differences.empty()) html += "<h3>Where runs differ</h3>\n" + differences.Html();
  for (const Group& group : groups) {
    const RunSummary& run = *group.runs.front();
    html += fmt::format("<details><summary>Every setting of {}, seed {}</summary>\n",
                        Escape(group.label), run.config.run.seed);
    if (!run.command.empty()) html += fmt::format("<pre>{}</pre>\n", Escape(run.command));
    html += fmt::format("<pre>{}</pre></details>\n", Escape(ToToml(run.config)));
  }
  return Section("Configuration", html);
}

std::string Summary(std::span<const RunSummary> runs) {
  std::vector<std::string> environments, versions;
  for (const RunSummary& run : runs) {
    environments.push_back(run.config.environment.name);
    if (!run.version.empty()) versions.push_back("gorila " + run.version);
  }
  for (auto* names : {&environments, &versions}) {
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
  }
  std::string text = fmt::format("{} run{} on {}", runs.size(), runs.size() == 1 ? "" : "s",
                                 fmt::join(environments, ", "));
  if (!versions.empty()) text += fmt::format(" · {}", fmt::join(versions, ", "));
  return Escape(text);
}

}  // namespace

StatusOr<std::string> RenderHtmlReport(std::span<const RunSummary> runs, const std::string& title) {
  if (runs.empty()) return InvalidArgument("a report needs at least one run");
  const std::vector<Group> groups = GroupByLabel(runs);
  const std::string heading =
      Escape(!title.empty() ? title : "Training on " + runs.front().config.environment.name);
  GORILA_ASSIGN_OR_RETURN(const std::string over_frames,
                          CurveFigure(groups, "frames", "environment frames"));
  GORILA_ASSIGN_OR_RETURN(const std::string over_seconds,
                          CurveFigure(groups, "seconds", "seconds of training"));
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n"
      "<header><h1>{0}</h1>\n<p>{2}</p></header>\n",
      heading, kHtmlReportStyle, Summary(runs));
  html += ScoreSection(runs);
  html += Section("Learning curves", over_frames + over_seconds);
  html += FilmSection(groups);
  html += ComparisonSection(groups);
  html += CounterSection(runs);
  html += CostSection(runs);
  html += ConfigurationSection(runs, groups);
  return html + "</main>\n</body>\n</html>\n";
}

}  // namespace gorila
