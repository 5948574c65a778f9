// The table of MinAtar scores as text. Pure functions.
#ifndef GORILA_SCORES_MINATAR_TEXT_H_
#define GORILA_SCORES_MINATAR_TEXT_H_

#include <span>
#include <string>

#include "gorila/scores/minatar_table.h"

namespace gorila {

// For a terminal: what is compared, then a block for each game and measure.
std::string MinAtarTableText(std::span<const MinAtarSection> sections);

// The same as Markdown tables.
std::string MinAtarTableMarkdown(std::span<const MinAtarSection> sections);

// One line a row, comma-separated, with a header; texts in quotes where they need them. Empty cells
// where something is unknown.
std::string MinAtarTableCsv(std::span<const MinAtarSection> sections);

}  // namespace gorila

#endif  // GORILA_SCORES_MINATAR_TEXT_H_
