// The table of scores as a picture: bars of human-normalised scores on a logarithmic axis, a row a
// game, as in the figures of the DQN and Gorila papers.
#ifndef GORILA_SCORES_SCORE_CHART_H_
#define GORILA_SCORES_SCORE_CHART_H_

#include <filesystem>
#include <string>

#include "gorila/base/status.h"
#include "gorila/scores/score_table.h"

namespace gorila {

// The bytes of a picture with a panel for each section of the table, side by side. Games are in the
// order of our score where we have any, else of Gorila's, the highest first; a game's name has the
// colour of the agent with the highest score. Where a bar would be shorter than 1 % of human the
// row says so. InvalidArgument for a table without sections or a game's name that is not UTF-8.
// Thread-safe.
StatusOr<std::string> RenderScoreChartPng(const ScoreTable& table);
StatusOr<std::string> RenderScoreChartSvg(const ScoreTable& table);

// As `path` ends, ".png" or ".svg" (else InvalidArgument); written aside and renamed. Blocks on the
// disk.
Status WriteScoreChart(const std::filesystem::path& path, const ScoreTable& table);

}  // namespace gorila

#endif  // GORILA_SCORES_SCORE_CHART_H_
