#ifndef GORILA_CLI_LOG_TAIL_H_
#define GORILA_CLI_LOG_TAIL_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gorila::cli {

// The last few lines of a log from the byte `begin` on, without control characters and not longer
// than a line of a message; empty when it cannot be read. Blocks on the disk.
std::vector<std::string> LogTail(const std::filesystem::path& log, std::uintmax_t begin);

}  // namespace gorila::cli

#endif  // GORILA_CLI_LOG_TAIL_H_
