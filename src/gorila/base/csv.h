// Lines of comma-separated values without quotes, as the project writes them.
#ifndef GORILA_BASE_CSV_H_
#define GORILA_BASE_CSV_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gorila {

// The parts of `text` between `separator`s; one more than there are separators.
std::vector<std::string_view> SplitAt(std::string_view text, char separator);

// The lines, without their ends (also those of Windows); empty lines are left out.
std::vector<std::string_view> SplitLines(std::string_view text);

// All of `text` as a finite number.
std::optional<double> ParseNumber(std::string_view text);

// `text` as one cell for other programs: in quotes where it has a comma, a quote or a line end.
std::string CsvCell(std::string_view text);

}  // namespace gorila

#endif  // GORILA_BASE_CSV_H_
