// The folder of ROM files, and the files in it.
#ifndef GORILA_ENV_ATARI_ROM_FOLDER_H_
#define GORILA_ENV_ATARI_ROM_FOLDER_H_

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace gorila::atari {

inline constexpr const char* kRomsVariable = "ALE_ROMS_DIR";  // ALE's own

// AtariOptions::rom_folder as configured, or what ALE_ROMS_DIR names if that is "auto"; "auto" if
// nothing does.
std::string RomFolder(std::string_view configured = "auto");

// The file of the game called `game` ("pong") in `rom_folder`.
std::filesystem::path RomFile(const std::filesystem::path& rom_folder, std::string_view game);

// The games that ALE knows and whose files are in `rom_folder`, ascending; their checksums are not
// looked at. None for "auto".
std::vector<std::string_view> GamesIn(const std::filesystem::path& rom_folder);

}  // namespace gorila::atari

#endif  // GORILA_ENV_ATARI_ROM_FOLDER_H_
