// Our MinAtar runs beside published scores of the same protocol. Pure.
#ifndef GORILA_SCORES_MINATAR_TABLE_H_
#define GORILA_SCORES_MINATAR_TABLE_H_

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "gorila/scores/minatar_runs.h"
#include "gorila/scores/minatar_scores.h"

namespace gorila {

// How far our frames may be from a published row's: runs end a few steps late.
inline constexpr double kFramesTolerance = 0.01;

struct MinAtarRow {
  bool ours = false;
  std::string agent;
  std::int64_t least_frames = 0, most_frames = 0;
  std::string runs = {};  // how many; "" = unknown
  // Mean over runs and half of its 95 % confidence interval (Student's t over at least two runs).
  double score = std::numeric_limits<double>::quiet_NaN();
  double half_interval = std::numeric_limits<double>::quiet_NaN();
  double epsilon = std::numeric_limits<double>::quiet_NaN();  // NaN = unknown
  std::string source = {};                                    // a folder or an article
  std::vector<std::string> notes = {};
  // Of ours, why no published row may stand beside it: "sticky actions 0 (published: 0.1)".
  std::vector<std::string> obstacles = {};
};

// One game by one measure. Published rows of one protocol come after ours of that protocol, highest
// score first; ours without any are last.
struct MinAtarSection {
  std::string game;
  MinAtarMeasure measure = MinAtarMeasure::kTraining;
  std::vector<MinAtarRow> rows;
};

// In the order of measure and game. Without runs all published rows; otherwise the games of the
// runs, with the rows that are played as one of ours is. Runs whose settings differ in more than
// the seed are never averaged.
std::vector<MinAtarSection> MakeMinAtarTable(std::span<const PublishedMinAtarScore> published,
                                             const MinAtarRuns& ours);

}  // namespace gorila

#endif  // GORILA_SCORES_MINATAR_TABLE_H_
