#include "gorila/report/report_markup.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_replace.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gorila/base/xml.h"
#include "gorila/metrics/chart_palette.h"
#include "gorila/report/report_style.h"

namespace gorila {
namespace {

// The element for a page that has the declaration and the style of charts itself.
std::string InlineSvg(const std::string& svg) {
  std::string inlined = svg.substr(svg.find("<svg"));
  const std::size_t begin = inlined.find("<style>"), end = inlined.find("</style>");
  if (end != inlined.npos)
    inlined.erase(begin, end + std::string_view("</style>\n").size() - begin);
  return inlined;
}

class HtmlMarkup final : public ReportMarkup {
 public:
  std::string Section(std::string_view heading, const std::string& contents) override {
    return fmt::format("<section>\n<h2>{}</h2>\n{}</section>\n", heading, contents);
  }
  std::string SubHeading(std::string_view heading) override {
    return fmt::format("<h3>{}</h3>\n", heading);
  }
  std::string Paragraph(std::string_view text) override { return fmt::format("<p>{}</p>\n", text); }
  std::string Table(const ReportTable& table) override {
    std::string html = "<div class=\"scroll\"><table>\n<thead><tr>";
    for (const std::string& heading : table.headings) {
      html += fmt::format("<th scope=\"col\">{}</th>", heading);
    }
    html += "</tr></thead>\n<tbody>\n";
    for (const auto& row : table.rows) {
      html += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i) {
        html += i == 0 ? fmt::format("<th scope=\"row\">{}</th>", row[i])
                       : fmt::format("<td>{}</td>", row[i]);
      }
      html += "</tr>\n";
    }
    return html + "</tbody></table></div>\n";
  }
  std::string Figure(const ReportPicture& picture, std::string_view caption) override {
    // Texts of a chart that has no narrow form keep their size: it is pushed sideways.
    const std::string svg =
        picture.narrow.empty()
            ? fmt::format("<div class=\"scroll only\">{}</div>", InlineSvg(picture.bytes))
            : fmt::format("<div class=\"wide\">{}</div><div class=\"narrow\">{}</div>",
                          InlineSvg(picture.bytes), InlineSvg(picture.narrow));
    return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", svg, caption);
  }
  std::string Panels(const std::vector<ReportPicture>& pictures,
                     const std::vector<std::string>& /*descriptions*/) override {
    std::string html = "<div class=\"panels\">\n";
    for (const ReportPicture& picture : pictures) {
      html += fmt::format("<figure>{}</figure>\n", InlineSvg(picture.bytes));
    }
    return html + "</div>\n";
  }
  std::string Film(const ReportPicture& picture, std::string_view description,
                   std::string_view caption) override {
    return fmt::format(
        "<figure class=\"film\"><img alt=\"{}\" src=\"data:image/gif;base64,{}\"><figcaption>{}"
        "</figcaption></figure>\n",
        description, absl::Base64Escape(picture.bytes), caption);
  }
  std::string Details(std::string_view summary, const std::vector<std::string>& pre) override {
    std::string html = fmt::format("<details><summary>{}</summary>\n", summary);
    for (const std::string& text : pre) html += fmt::format("<pre>{}</pre>\n", EscapeXml(text));
    return html + "</details>\n";
  }
  std::string Document(std::string_view title, std::string_view summary,
                       const std::string& contents) override {
    return fmt::format(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<title>{0}</title>\n<style>{1}{2}</style>\n</head>\n<body>\n<main>\n"
        "<header><h1>{0}</h1>\n<p>{3}</p></header>\n{4}</main>\n</body>\n</html>\n",
        title, kReportStyle, drawing::ChartStyle(), summary, contents);
  }
};

class MarkdownMarkup final : public ReportMarkup {
 public:
  explicit MarkdownMarkup(std::vector<ReportPicture>& pictures) : pictures_(pictures) {}

  std::string Section(std::string_view heading, const std::string& contents) override {
    return fmt::format("\n## {}\n{}", heading, contents);
  }
  std::string SubHeading(std::string_view heading) override {
    return fmt::format("\n### {}\n", heading);
  }
  std::string Paragraph(std::string_view text) override { return fmt::format("\n{}\n", text); }
  std::string Table(const ReportTable& table) override {
    std::string text = "\n";
    text += Row(table.headings);
    std::vector<std::string> rule(table.headings.size(), "--:");
    rule.front() = "---";
    text += Row(rule);
    for (const auto& row : table.rows) text += Row(row);
    return text;
  }
  std::string Figure(const ReportPicture& picture, std::string_view caption) override {
    return Picture(picture, caption, caption);
  }
  std::string Panels(const std::vector<ReportPicture>& pictures,
                     const std::vector<std::string>& descriptions) override {
    std::string text = "\n";
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      pictures_.push_back(pictures[i]);
      text += fmt::format("<img alt=\"{}\" src=\"{}\" width=\"340\">\n", descriptions[i],
                          pictures[i].name);
    }
    return text;
  }
  std::string Film(const ReportPicture& picture, std::string_view description,
                   std::string_view caption) override {
    return Picture(picture, description, caption);
  }
  std::string Details(std::string_view summary, const std::vector<std::string>& pre) override {
    std::string text = fmt::format("\n<details><summary>{}</summary>\n", summary);
    for (const std::string& each : pre) {
      text += fmt::format("\n```\n{}{}```\n", each, each.ends_with('\n') ? "" : "\n");
    }
    return text + "\n</details>\n";
  }
  std::string Document(std::string_view title, std::string_view summary,
                       const std::string& contents) override {
    return fmt::format("# {}\n\n{}\n{}", title, summary, contents);
  }

 private:
  static std::string Row(const std::vector<std::string>& cells) {
    std::vector<std::string> escaped;
    escaped.reserve(cells.size());
    for (const std::string& cell : cells) {
      escaped.push_back(absl::StrReplaceAll(cell, {{"|", "\\|"}, {"\n", " "}}));
    }
    return fmt::format("| {} |\n", fmt::join(escaped, " | "));
  }
  std::string Picture(const ReportPicture& picture, std::string_view description,
                      std::string_view caption) {
    pictures_.push_back(picture);
    return fmt::format("\n<img alt=\"{}\" src=\"{}\">\n\n{}\n", description, picture.name, caption);
  }

  std::vector<ReportPicture>& pictures_;
};

}  // namespace

std::unique_ptr<ReportMarkup> MakeHtmlMarkup() { return std::make_unique<HtmlMarkup>(); }

std::unique_ptr<ReportMarkup> MakeMarkdownMarkup(std::vector<ReportPicture>& pictures) {
  return std::make_unique<MarkdownMarkup>(pictures);
}

}  // namespace gorila
