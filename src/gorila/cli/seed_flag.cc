#include "gorila/cli/seed_flag.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <string>

namespace gorila::cli {

CLI::Validator SeedRange() {
  // Rewritten, because CLI11 reads 010 as 8 and makes 2^64 - 1 of everything that is larger.
  const auto check = [](std::string& text) -> std::string {
    std::uint64_t seed = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, seed);
    if (read.ec != std::errc() || read.ptr != end) {
      return fmt::format("'{}'; expected a whole number from 0 to 2^64 - 1", text);
    }
    text = std::to_string(seed);
    return {};
  };
  return {check, ""};
}

}  // namespace gorila::cli
