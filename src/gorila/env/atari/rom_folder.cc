#include "gorila/env/atari/rom_folder.h"

#include <fmt/format.h>

#include <cstdlib>
#include <system_error>

#include "gorila/env/atari/game_names.h"

namespace gorila::atari {

namespace fs = std::filesystem;

std::string RomFolder(std::string_view configured) {
  const char* const variable = std::getenv(kRomsVariable);
  const bool set = variable != nullptr && *variable != 0;
  return configured == "auto" && set ? std::string(variable) : std::string(configured);
}

fs::path RomFile(const fs::path& rom_folder, std::string_view game) {
  return rom_folder / fmt::format("{}.bin", game);
}

std::vector<std::string_view> GamesIn(const fs::path& rom_folder) {
  std::vector<std::string_view> games;
  if (rom_folder == "auto") return games;
  for (const std::string_view game : kGameNames) {
    std::error_code error;
    if (fs::is_regular_file(RomFile(rom_folder, game), error)) games.push_back(game);
  }
  return games;
}

}  // namespace gorila::atari
