#include "gorila/cli/keyboard_player.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/cli/terminal.h"

namespace gorila::cli {
namespace {

int FindAction(const EnvironmentSpec& environment, std::string_view name) {
  const auto& names = environment.action_names;
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

class KeyboardPlayer final : public Player {
 public:
  KeyboardPlayer(const EnvironmentSpec& environment, const PlayControls& controls)
      : controls_(controls) {
    constexpr std::array kKeyNames = {"left", "right", "up", "down", "fire"};
    for (std::size_t i = 0; i < kKeyNames.size(); ++i) {
      actions_[i] = FindAction(environment, kKeyNames[i]);
    }
    idle_ = std::max(FindAction(environment, "no-op"), FindAction(environment, "stay"));
    previous_ = std::max(idle_, 0);
  }

  void Look(std::span<const std::byte>) override {}
  std::optional<int> Act() override {
    const std::optional<Key> key = controls_.key();
    const int wanted = key.has_value() ? ActionOf(*key) : -1;
    if (wanted >= 0) {
      previous_ = wanted;
    } else if (idle_ >= 0) {
      previous_ = idle_;
    }
    return previous_;
  }

  std::vector<std::string> Panel() const override { return {"arrows move, space fires"}; }
  std::string Describe() const override { return "keyboard"; }

 private:
  // -1: not a key of the game, or it has no such action.
  int ActionOf(Key key) const {
    const auto i = static_cast<std::size_t>(key);
    return i < actions_.size() ? actions_[i] : -1;
  }

  const PlayControls& controls_;
  std::array<int, 5> actions_{};  // of the keys in the order of Key; -1 = the game has none
  int idle_ = -1;
  int previous_ = 0;
};

}  // namespace

std::unique_ptr<Player> MakeKeyboardPlayer(const EnvironmentSpec& environment,
                                           const PlayControls& controls) {
  return std::make_unique<KeyboardPlayer>(environment, controls);
}

}  // namespace gorila::cli
