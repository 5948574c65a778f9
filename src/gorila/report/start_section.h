// How a run came about: every command that trained it, and what each changed.
#ifndef GORILA_REPORT_START_SECTION_H_
#define GORILA_REPORT_START_SECTION_H_

#include <span>
#include <string>

#include "gorila/report/report_markup.h"
#include "gorila/report/run_summary.h"

namespace gorila {

// A section of the report. Of one run what is known of its starts; of several only those that were
// resumed. Empty where nothing is known.
std::string StartSection(ReportMarkup& markup, std::span<const RunSummary> runs);

}  // namespace gorila

#endif  // GORILA_REPORT_START_SECTION_H_
