// Tables for people: columns as wide as their longest cell.
#ifndef GORILA_CLI_TABLE_TEXT_H_
#define GORILA_CLI_TABLE_TEXT_H_

#include <string>
#include <vector>

namespace gorila::cli {

// Prints `rows`, the heading first, to standard output. All have as many cells.
void PrintTable(const std::vector<std::vector<std::string>>& rows);

}  // namespace gorila::cli

#endif  // GORILA_CLI_TABLE_TEXT_H_
