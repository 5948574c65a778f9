#include "gorila/cli/terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string_view>

#include "gorila/cli/stop_signal.h"

namespace gorila::cli {
namespace {

constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";

// Read by RestoreTerminal in another thread: written before the flags are set.
termios settings_before;
std::atomic<bool> settings_changed{false};
std::atomic<bool> cursor_hidden{false};

void WriteOut(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::optional<Key> ArrowKey(char last) {
  switch (last) {
    case 'A':
      return Key::kUp;
    case 'B':
      return Key::kDown;
    case 'C':
      return Key::kRight;
    case 'D':
      return Key::kLeft;
    default:
      return std::nullopt;
  }
}

// The last key of what one read gave: characters, and arrows as ESC [ A or ESC O A.
std::optional<Key> ParseKeys(std::string_view bytes) {
  std::optional<Key> key;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == 'q' || bytes[i] == 'Q') return Key::kQuit;
    if (bytes[i] == ' ') key = Key::kSpace;
    const bool arrow =
        bytes[i] == '\x1b' && i + 2 < bytes.size() && (bytes[i + 1] == '[' || bytes[i + 1] == 'O');
    if (!arrow) continue;
    if (const auto arrow_key = ArrowKey(bytes[i + 2])) key = arrow_key;
    i += 2;
  }
  return key;
}

}  // namespace

TextScreen::TextScreen() {
  cursor_hidden = true;
  WriteOut(kHideCursor);
}

TextScreen::~TextScreen() {
  WriteOut(kShowCursor);
  cursor_hidden = false;
}

void TextScreen::Draw(const std::vector<std::string>& lines) {
  std::string text = shown_ == 0 ? "" : fmt::format("\x1b[{}A", shown_);
  for (const std::string& line : lines) text += line + "\x1b[K\n";
  text += "\x1b[J";
  shown_ = lines.size();
  WriteOut(text);
}

StatusOr<std::unique_ptr<Keyboard>> Keyboard::Open() {
  if (::tcgetattr(STDIN_FILENO, &settings_before) != 0) {
    return InvalidArgument("--keyboard needs a terminal to read keys from");
  }
  termios settings = settings_before;
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  settings.c_cc[VMIN] = 0;
  settings.c_cc[VTIME] = 0;
  settings_changed = true;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &settings) != 0) {
    settings_changed = false;
    return Unavailable("cannot set up the terminal for single keys");
  }
  return std::unique_ptr<Keyboard>(new Keyboard());
}

Keyboard::~Keyboard() {
  ::tcsetattr(STDIN_FILENO, TCSANOW, &settings_before);
  settings_changed = false;
}

std::optional<Key> Keyboard::ReadUntil(std::chrono::steady_clock::time_point deadline) {
  std::optional<Key> key;
  while (!StopRequested()) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return key;
    pollfd wanted{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) continue;
    char buffer[64];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count <= 0) return Key::kQuit;  // the terminal is gone
    const auto read = ParseKeys({buffer, static_cast<std::size_t>(count)});
    if (read == Key::kQuit) return read;
    if (read.has_value()) key = read;
  }
  return Key::kQuit;
}

void RestoreTerminal() {
  if (settings_changed) ::tcsetattr(STDIN_FILENO, TCSANOW, &settings_before);
  if (cursor_hidden) {
    // Nothing is left to do when it fails: the process ends.
    [[maybe_unused]] const ssize_t written =
        ::write(STDOUT_FILENO, kShowCursor.data(), kShowCursor.size());
  }
}

}  // namespace gorila::cli
