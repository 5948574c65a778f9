// One page about one run or several: no other file, no network, for a reader who was not there.
#ifndef GORILA_RUNTIME_HTML_REPORT_H_
#define GORILA_RUNTIME_HTML_REPORT_H_

#include <span>
#include <string>

#include "gorila/base/status.h"
#include "gorila/runtime/run_summary.h"

namespace gorila {

// HTML with its pictures inside. Runs with one label are one group: a curve with a 95 % band, and a
// row of the comparison. `title` may be empty. InvalidArgument without runs or for text that is not
// UTF-8. Pure.
StatusOr<std::string> RenderHtmlReport(std::span<const RunSummary> runs, const std::string& title);

}  // namespace gorila

#endif  // GORILA_RUNTIME_HTML_REPORT_H_
