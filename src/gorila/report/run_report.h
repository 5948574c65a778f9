// What a run leaves for its readers when it finishes, in its folder:
//
//   curve.png, curve.svg     training return over frames, and the evaluations (run_charts.h)
//   report.md, report.json   what was run, how fast, how good (report_files.h)
//   evaluation.json          the final evaluation with the return of every episode; its presence
//                            means that the run is finished (evaluation_record.h)
//   report.html              all of it as one page (report_page.h); made of the others, so written
//                            last
#ifndef GORILA_REPORT_RUN_REPORT_H_
#define GORILA_REPORT_RUN_REPORT_H_

#include <filesystem>
#include <string>

#include "gorila/base/status.h"
#include "gorila/run/trainer.h"

namespace gorila {

// Who made the run, for the report.
struct RunReportSource {
  std::string command;  // as it was typed
  std::string version;
  std::string machine;  // in one line
};

// Writes all the files above for a finished run. Each is written aside and renamed. Blocks on the
// disk. After an error, also in reading the log, the other files are written all the same, from
// what could be read.
Status WriteRunReport(const std::filesystem::path& directory, const Config& config,
                      const TrainingOutcome& outcome, const RunReportSource& source);

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_REPORT_H_
