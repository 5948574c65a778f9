// Tables of text. Pure functions.
#ifndef GORILA_SCORES_TEXT_GRID_H_
#define GORILA_SCORES_TEXT_GRID_H_

#include <cstddef>
#include <string>
#include <vector>

namespace gorila {

using Cells = std::vector<std::string>;

// Rows of as many cells each, the first of them the header. Columns from `numbers_from` on, and
// before `numbers_to`, are numbers, which end below one another.
struct Grid {
  std::vector<Cells> rows;
  std::size_t numbers_from = 1;
  std::size_t numbers_to = static_cast<std::size_t>(-1);

  bool IsNumber(std::size_t column) const { return column >= numbers_from && column < numbers_to; }
};

// Columns two spaces apart, no spaces at the ends of lines.
std::string PlainGrid(const Grid& grid);

std::string MarkdownGrid(const Grid& grid);

}  // namespace gorila

#endif  // GORILA_SCORES_TEXT_GRID_H_
