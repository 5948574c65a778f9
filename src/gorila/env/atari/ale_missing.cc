// Replaces ale_source.cc in a build without the Arcade Learning Environment.
#include "gorila/env/atari/ale_source.h"

namespace gorila::atari {

bool AleIsBuiltIn() { return false; }

StatusOr<std::unique_ptr<FrameSource>> MakeAleSource(std::string_view game,
                                                     const std::filesystem::path&) {
  return InvalidArgument(
      "environment '{}{}' needs the Arcade Learning Environment, which this program was built "
      "without; docs/atari.md says how to install it; the games pixel/... need none",
      "atari/", game);
}

}  // namespace gorila::atari
