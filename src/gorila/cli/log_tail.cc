#include "gorila/cli/log_tail.h"

#include <algorithm>
#include <fstream>

namespace gorila::cli {
namespace {

constexpr std::uintmax_t kMostBytes = 16384;
constexpr std::size_t kMostLines = 5;
constexpr std::size_t kLongestLine = 500;

}  // namespace

std::vector<std::string> LogTail(const std::filesystem::path& log, std::uintmax_t begin) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(log, error);
  if (error || size <= begin) return {};
  std::ifstream file(log, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(std::max(begin, size - std::min(size, kMostBytes))));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    if (line.find_first_not_of(' ') == line.npos) continue;
    lines.push_back(line.substr(0, kLongestLine));
    if (lines.size() > kMostLines) lines.erase(lines.begin());
  }
  return lines;
}

}  // namespace gorila::cli
