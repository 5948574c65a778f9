// One report about one run or several, for a reader who was not there.
#ifndef GORILA_REPORT_REPORT_PAGE_H_
#define GORILA_REPORT_REPORT_PAGE_H_

#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/report/group_statistics.h"
#include "gorila/report/report_markup.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// HTML with its pictures inside: no other file, no network. Every game has figures of its own; runs
// of one group (run_groups.h) are a curve with a 95 % band, and a row of the comparisons. `title`
// may be empty. InvalidArgument without runs, for an unknown baseline, or for text that is not
// UTF-8. Pure.
StatusOr<std::string> RenderHtmlReport(std::span<const RunSummary> runs, const std::string& title,
                                       const ComparisonOptions& options = {});

// The same in GitHub's Markdown, which refers to the pictures by their names; they begin with
// `stem`.
struct MarkdownReport {
  std::string text;
  std::vector<ReportPicture> pictures;
};
StatusOr<MarkdownReport> RenderMarkdownReport(std::span<const RunSummary> runs,
                                              const std::string& title, const std::string& stem,
                                              const ComparisonOptions& options = {});

}  // namespace gorila

#endif  // GORILA_REPORT_REPORT_PAGE_H_
