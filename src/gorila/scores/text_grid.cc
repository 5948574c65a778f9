#include "gorila/scores/text_grid.h"

#include <fmt/format.h>

#include <algorithm>

namespace gorila {
namespace {

std::vector<std::size_t> ColumnWidths(const Grid& grid) {
  std::vector<std::size_t> widths(grid.rows.front().size(), 0);
  for (const Cells& row : grid.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  return widths;
}

// A bar would end the cell.
std::string MarkdownCell(const std::string& cell) {
  std::string text;
  for (const char c : cell) text += c == '|' ? std::string("\\|") : std::string(1, c);
  return text;
}

}  // namespace

std::string PlainGrid(const Grid& grid) {
  const std::vector<std::size_t> widths = ColumnWidths(grid);
  std::string text;
  for (const Cells& row : grid.rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += grid.IsNumber(i) ? fmt::format("{:>{}}  ", row[i], widths[i])
                               : fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string MarkdownGrid(const Grid& grid) {
  std::string text;
  for (std::size_t r = 0; r < grid.rows.size(); ++r) {
    Cells cells;
    for (const std::string& cell : grid.rows[r]) cells.push_back(MarkdownCell(cell));
    text += fmt::format("| {} |\n", fmt::join(cells, " | "));
    if (r > 0) continue;
    for (std::size_t i = 0; i < grid.rows[r].size(); ++i) {
      text += grid.IsNumber(i) ? "| ---: " : "| --- ";
    }
    text += "|\n";
  }
  return text;
}

}  // namespace gorila
