#include "gorila/env/atari/ale_source.h"

#include <ale/ale_interface.hpp>
#include <ale/common/ColourPalette.hpp>
#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/mutex.h"
#include "gorila/env/atari/rom_folder.h"

namespace gorila::atari {
namespace {

namespace fs = std::filesystem;

// ALE's colours are even numbers; odd ones are the same in grey.
std::uint8_t IndexOf(std::uint8_t ale_colour) { return ale_colour >> 1; }

std::vector<Joystick> Positions(const ale::ActionVect& actions) {
  std::vector<Joystick> positions;
  for (const ale::Action action : actions) {
    if (action < ale::PLAYER_B_NOOP) positions.push_back(static_cast<Joystick>(action));
  }
  std::sort(positions.begin(), positions.end());
  return positions;
}

class AleSource final : public FrameSource {
 public:
  AleSource(std::string_view game, const fs::path& rom) {
    // Output of its own and state shared by all emulators while one is made.
    static Mutex mutex;
    const MutexLock lock(mutex);
    ale::Logger::setMode(ale::Logger::Error);
    ale_ = std::make_unique<ale::ALEInterface>();
    ale_->setInt("random_seed", 0);
    ale_->setFloat("repeat_action_probability", 0.0F);
    ale_->setInt("frame_skip", 1);
    ale_->setBool("color_averaging", false);
    ale_->loadROM(rom);
    spec_.name = "atari/" + std::string(game);
    spec_.height = static_cast<int>(ale_->getScreen().height());
    spec_.legal_actions = Positions(ale_->getLegalActionSet());
    spec_.minimal_actions = Positions(ale_->getMinimalActionSet());
    for (std::size_t i = 0; i < kColours; ++i) {
      int red = 0, green = 0, blue = 0;
      ale_->theOSystem->colourPalette().getRGB(static_cast<int>(2 * i), red, green, blue);
      spec_.palette[i] = {static_cast<std::uint8_t>(red), static_cast<std::uint8_t>(green),
                          static_cast<std::uint8_t>(blue)};
    }
    restored_screen_.reserve(spec_.screen_size());
  }

  const ConsoleSpec& spec() const override { return spec_; }

  void Reset(DrawSource&) override {
    ale_->reset_game();
    restored_screen_.clear();
  }

  float Act(Joystick position, DrawSource&) override {
    if (ale_->game_over()) return 0;
    restored_screen_.clear();
    return static_cast<float>(ale_->act(static_cast<ale::Action>(position)));
  }

  bool game_over() const override { return ale_->game_over(); }
  int lives() const override { return ale_->lives(); }

  void ReadScreen(std::span<std::uint8_t> screen) const override {
    GORILA_CHECK(screen.size() == spec_.screen_size());
    if (!restored_screen_.empty()) {
      std::copy(restored_screen_.begin(), restored_screen_.end(), screen.begin());
      return;
    }
    const std::uint8_t* const shown = ale_->getScreen().getArray();
    std::transform(shown, shown + screen.size(), screen.begin(), &IndexOf);
  }

  // An emulator's state has no screen: that is kept beside it.
  void SaveState(StateWriter& writer) const override {
    std::vector<std::uint8_t> screen(spec_.screen_size());
    ReadScreen(screen);
    const std::string state = ale_->cloneState(/*include_rng=*/true).serialize();
    writer.WriteString(state);
    writer.WriteSpan<std::uint8_t>(screen);
    writer.Write(Crc32(state));
  }

  Status RestoreState(StateReader& reader) override {
    std::string state;
    std::vector<std::uint8_t> screen;
    std::uint32_t checksum = 0;
    GORILA_RETURN_IF_ERROR(reader.ReadString(state));
    GORILA_RETURN_IF_ERROR(reader.ReadVector(screen));
    GORILA_RETURN_IF_ERROR(reader.Read(checksum));
    if (screen.size() != spec_.screen_size() || checksum != Crc32(state)) {
      return DataLoss("state of the emulator of {} is damaged", spec_.name);
    }
    try {
      ale_->restoreState(ale::ALEState(state));
    } catch (const std::exception& error) {
      return DataLoss("state of the emulator of {}: {}", spec_.name, error.what());
    }
    restored_screen_.assign(screen.begin(), screen.end());
    return OkStatus();
  }

 private:
  ConsoleSpec spec_;
  std::unique_ptr<ale::ALEInterface> ale_;
  std::vector<std::uint8_t> restored_screen_;  // shown until the next frame; empty: ALE's own
};

// ALE ends the process for a ROM that it cannot load, so everything that it may reject is checked
// first.
Status CheckRom(std::string_view game, const fs::path& rom) {
  std::error_code error;
  if (!fs::is_regular_file(rom, error)) {
    return InvalidArgument(
        "environment 'atari/{}': no ROM '{}'; set atari.rom_folder or ALE_ROMS_DIR to the folder "
        "that has it (docs/atari.md says where ROMs come from)",
        game, rom.string());
  }
  try {
    const std::optional<std::string> known = ale::ALEInterface::isSupportedROM(rom);
    if (known == game) return OkStatus();
    return InvalidArgument(
        "environment 'atari/{}': '{}' does not have the checksum that the Arcade Learning "
        "Environment expects for this game{}",
        game, rom.string(), known.has_value() ? "; it is " + *known : "");
  } catch (const std::exception& failure) {
    return Unavailable("'{}': {}", rom.string(), failure.what());
  }
}

}  // namespace

bool AleIsBuiltIn() { return true; }

StatusOr<std::unique_ptr<FrameSource>> MakeAleSource(std::string_view game,
                                                     const fs::path& rom_folder) {
  if (rom_folder == "auto") {
    return InvalidArgument(
        "environment 'atari/{}': no folder of ROMs; set atari.rom_folder or ALE_ROMS_DIR "
        "(docs/atari.md says where ROMs come from)",
        game);
  }
  const fs::path rom = RomFile(rom_folder, game);
  GORILA_RETURN_IF_ERROR(CheckRom(game, rom));
  try {
    return std::make_unique<AleSource>(game, rom);
  } catch (const std::exception& error) {
    return Unavailable("'{}': {}", rom.string(), error.what());
  }
}

}  // namespace gorila::atari
