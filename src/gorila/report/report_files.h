// A run's report: report.md for people, report.json with the same contents for programs.
#ifndef GORILA_REPORT_REPORT_FILES_H_
#define GORILA_REPORT_REPORT_FILES_H_

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// The result of playing one set of episodes without learning. Returns are undiscounted.
struct EvaluationReport {
  std::string network = {};  // which one: "last", "best of 24 evaluations" say
  std::string protocol;      // its name, "MinAtar, sticky actions" say
  std::uint64_t episodes = 0;
  double mean = 0;
  double standard_error = 0;  // of the mean; NaN for a single episode
  double minimum = 0;
  double maximum = 0;
  double median = 0;
  double sticky_actions = 0;  // probability in [0,1]
  double epsilon = 0;         // of the epsilon-greedy policy, in [0,1]
};

// The training of one of a run's several games. NaN = unknown.
struct ReportGame {
  std::string name;  // as in the registry
  std::uint64_t frames = 0;
  std::uint64_t episodes = 0;
  // Means of as many episodes as RunReport::training_return.
  double training_return = std::numeric_limits<double>::quiet_NaN();
  double highest_training_return = std::numeric_limits<double>::quiet_NaN();
  double evaluation = std::numeric_limits<double>::quiet_NaN();  // mean of the last one
};

struct ReportCounter {
  std::string name;  // "stale gradients" say
  std::uint64_t count = 0;
};

struct ReportFile {
  std::string what;  // "last checkpoint" say
  std::string path;  // relative to the report's folder, with / between names
};

// Texts are UTF-8. Rates are means over the run.
struct RunReport {
  std::string command;  // as it was typed
  std::string version;
  std::uint64_t seed = 0;
  std::string environment;  // as in the registry, "minatar/breakout"
  std::string machine;      // in one line
  double wall_seconds = 0;
  double cpu_seconds = 0;  // processor time of the program
  double joules =
      std::numeric_limits<double>::quiet_NaN();  // of the machine's processors; NaN = not measured
  std::uint64_t frames = 0;                      // of the environment
  std::uint64_t updates = 0;                     // of the parameters
  double frames_per_second = 0;
  double updates_per_second = 0;
  std::vector<EvaluationReport> evaluations;  // empty: none was requested
  double training_return =
      std::numeric_limits<double>::quiet_NaN();  // mean of the last episodes; NaN = unknown
  std::vector<std::string> warnings = {};        // why the evaluations may mislead
  std::vector<ReportGame> games = {};            // empty of a run with one
  std::vector<ReportCounter> counters;
  std::vector<ReportFile> files;
  std::string curve_picture;  // path as in ReportFile, embedded in report.md; empty = none
};

// Markdown (CommonMark with tables). Pure.
std::string RenderReportMarkdown(const RunReport& report);

// One JSON object, keys as the fields above; numbers that are not finite are null, bytes that are
// not UTF-8 U+FFFD. Pure.
std::string RenderReportJson(const RunReport& report);

// Writes report.md and report.json into `folder`, which must exist; each is written aside and
// renamed. Blocks on the disk.
Status WriteReport(const std::filesystem::path& folder, const RunReport& report);

}  // namespace gorila

#endif  // GORILA_REPORT_REPORT_FILES_H_
