#include "gorila/cli/keyboard_player.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
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
  KeyboardPlayer(const EnvironmentSpec& environment, std::unique_ptr<Keyboard> keyboard,
                 std::chrono::milliseconds delay)
      : keyboard_(std::move(keyboard)), delay_(delay) {
    constexpr std::array kKeyNames = {"left", "right", "up", "down", "fire"};
    for (std::size_t i = 0; i < kKeyNames.size(); ++i) {
      actions_[i] = FindAction(environment, kKeyNames[i]);
    }
    idle_ = std::max(FindAction(environment, "no-op"), FindAction(environment, "stay"));
    previous_ = std::max(idle_, 0);
  }

  void Look(std::span<const std::byte>) override {}
  std::optional<int> Act() override {
    const auto key = keyboard_->ReadUntil(std::chrono::steady_clock::now() + delay_);
    if (key == Key::kQuit) return std::nullopt;
    const int wanted = key.has_value() ? actions_[static_cast<std::size_t>(*key)] : -1;
    if (wanted >= 0) {
      previous_ = wanted;
    } else if (idle_ >= 0) {
      previous_ = idle_;
    }
    return previous_;
  }

  std::vector<std::string> Panel() const override {
    return {"arrows move, space fires", "q quits"};
  }
  std::string Describe() const override { return "keyboard"; }

 private:
  const std::unique_ptr<Keyboard> keyboard_;
  const std::chrono::milliseconds delay_;
  std::array<int, 5> actions_{};  // of the keys in the order of Key; -1 = the game has none
  int idle_ = -1;
  int previous_ = 0;
};

}  // namespace

StatusOr<std::unique_ptr<Player>> MakeKeyboardPlayer(const EnvironmentSpec& environment,
                                                     int delay_milliseconds) {
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Keyboard> keyboard, Keyboard::Open());
  return std::make_unique<KeyboardPlayer>(environment, std::move(keyboard),
                                          std::chrono::milliseconds(delay_milliseconds));
}

}  // namespace gorila::cli
