// The table of scores as text. Pure functions.
#ifndef GORILA_SCORES_SCORE_TEXT_H_
#define GORILA_SCORES_SCORE_TEXT_H_

#include <string>

#include "gorila/scores/score_table.h"

namespace gorila {

// For a terminal: a block for each kind of starts, games in rows, the aggregates below; then what
// has no published score. Percentages say what they are divided by.
std::string ScoreTableText(const ScoreTable& table);

// The same as Markdown tables.
std::string ScoreTableMarkdown(const ScoreTable& table);

// One line a game, comma-separated, the columns of data/atari/atari_scores.csv first; then ours
// (mean over runs), the number of runs and the normalised scores, for each kind of starts. Empty
// cells where there is no score. Games without published scores are left out.
std::string ScoreTableCsv(const ScoreTable& table);

}  // namespace gorila

#endif  // GORILA_SCORES_SCORE_TEXT_H_
