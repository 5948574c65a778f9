// Atari 2600 games by the Arcade Learning Environment (ALE), where the program was built with it.
#ifndef GORILA_ENV_ATARI_ALE_SOURCE_H_
#define GORILA_ENV_ATARI_ALE_SOURCE_H_

#include <filesystem>
#include <memory>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/env/atari/frame_source.h"

namespace gorila::atari {

// Whether the program has ALE in it.
bool AleIsBuiltIn();

// How to get it.
inline constexpr std::string_view kAleInstallAdvice =
    "build the Arcade Learning Environment 0.10 or newer with -DBUILD_PYTHON_LIB=OFF, install it, "
    "and build gorila again with -DCMAKE_PREFIX_PATH naming where; docs/atari.md has the commands";

// Where ROMs come from.
inline constexpr std::string_view kRomAdvice =
    "ROMs come with the Python package ale-py, in its folder ale_py/roms; name their folder by "
    "atari.rom_folder or ALE_ROMS_DIR";

// An emulator with the game called `game` ("pong"): the file <game>.bin of `rom_folder`, whose
// checksum ALE must know. Emulators are independent: one for each thread is fine. ALE's own
// randomness is off (its repeat_action_probability is 0: AtariEnvironment has that), so that a game
// depends on its actions only. InvalidArgument without ALE, without the ROM, or for another file
// than ALE knows under that name.
StatusOr<std::unique_ptr<FrameSource>> MakeAleSource(std::string_view game,
                                                     const std::filesystem::path& rom_folder);

}  // namespace gorila::atari

#endif  // GORILA_ENV_ATARI_ALE_SOURCE_H_
