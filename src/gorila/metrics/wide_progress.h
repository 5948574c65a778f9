// What a wide terminal shows of a run below its other figures.
#ifndef GORILA_METRICS_WIDE_PROGRESS_H_
#define GORILA_METRICS_WIDE_PROGRESS_H_

#include "gorila/metrics/progress.h"
#include "gorila/metrics/progress_history.h"
#include "gorila/metrics/text_line.h"

namespace gorila {

// Columns from which on a terminal is wide, and how many are used at most.
inline constexpr int kWideColumns = 100;
inline constexpr int kMostColumns = 120;

// The most games that have a curve each; of more only their newest returns are shown.
inline constexpr std::size_t kMostGameCurves = 8;

// A curve of the return, or of each game's, and one of the evaluations if there are any.
void AppendCurveLines(const ProgressSnapshot& snapshot, const ProgressHistory& history, int columns,
                      bool utf8, TextLines& lines);

// A line for each bundle, actor and learner; of more than `most` lines the first, and how many are
// left out.
void AppendWorkerLines(const ProgressSnapshot& snapshot, int columns, int most, TextLines& lines);

}  // namespace gorila

#endif  // GORILA_METRICS_WIDE_PROGRESS_H_
