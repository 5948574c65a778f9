#include "gorila/env/atari/rom_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "gorila/base/testing.h"

namespace gorila::atari {
namespace {

TEST(RomFolderTest, VariableIsTakenForAutoOnly) {
  const ScopedVariable variable(kRomsVariable, "/roms");
  EXPECT_EQ(RomFolder(), "/roms");
  EXPECT_EQ(RomFolder("auto"), "/roms");
  EXPECT_EQ(RomFolder("mine"), "mine");
}

TEST(RomFolderTest, WithoutVariableAutoIsLeft) {
  for (const auto& value : {std::optional<std::string>(), std::optional<std::string>("")}) {
    const ScopedVariable variable(kRomsVariable, value);
    EXPECT_EQ(RomFolder(), "auto");
    EXPECT_EQ(RomFolder("mine"), "mine");
  }
}

TEST(RomFolderTest, GamesAreThoseWhoseFilesLieThere) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(testing::TempDir()) / "rom_folder_test";
  fs::remove_all(folder);
  fs::create_directories(folder / "breakout.bin");  // a folder is no ROM
  for (const char* name : {"tetris.bin", "pong.bin", "pong.a26", "no_such_game.bin"}) {
    std::ofstream(folder / name) << name;
  }
  EXPECT_EQ(GamesIn(folder), (std::vector<std::string_view>{"pong", "tetris"}));
  EXPECT_EQ(RomFile(folder, "pong"), folder / "pong.bin");
  EXPECT_TRUE(GamesIn(folder / "missing").empty());
  EXPECT_TRUE(GamesIn("auto").empty());
  fs::remove_all(folder);
}

}  // namespace
}  // namespace gorila::atari
