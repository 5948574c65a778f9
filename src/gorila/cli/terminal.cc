#include "gorila/cli/terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>  // kill is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "gorila/cli/stop_signal.h"

namespace gorila::cli {
namespace {

constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
constexpr auto kStopLook = std::chrono::milliseconds(50);
constexpr char kSuspendKey = '\x1a';
constexpr char kQuitKey = '\x1c';

// Read by RestoreTerminal in another thread: written before the flags are set.
termios settings_before;
termios settings_of_keys;
std::atomic<bool> settings_changed{false};
std::atomic<bool> cursor_hidden{false};
std::terminate_handler terminate_before = nullptr;

void WriteOut(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// An exception that nobody catches, or exit() in a plug-in, runs no destructor.
void RestoreAtEveryEnd() {
  [[maybe_unused]] static const bool once = [] {
    std::atexit(&RestoreTerminal);
    terminate_before = std::set_terminate([] {
      RestoreTerminal();
      terminate_before();
    });
    return true;
  }();
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

std::optional<Key> CharacterKey(char character) {
  switch (character) {
    case 'q':
    case 'Q':
    case kQuitKey:
      return Key::kQuit;
    case ' ':
      return Key::kSpace;
    case 'p':
    case 'P':
      return Key::kPause;
    case 's':
    case 'S':
      return Key::kStep;
    case '+':
    case '=':  // the key of + without shift
      return Key::kFaster;
    case '-':
      return Key::kSlower;
    case kSuspendKey:
      return Key::kSuspend;
    default:
      return std::nullopt;
  }
}

}  // namespace

int DisplayColumns(std::string_view line) {
  int columns = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line.substr(i).starts_with("\x1b[")) {
      while (i + 1 < line.size() && line[i] != 'm') ++i;
    } else if ((static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) {
      ++columns;
    }
  }
  return columns;
}

TextScreen::TextScreen() {
  RestoreAtEveryEnd();
  cursor_hidden = true;
  WriteOut(kHideCursor);
}

TextScreen::~TextScreen() {
  WriteOut(kShowCursor);
  cursor_hidden = false;
}

// Written over, with the rest of each line cleared after its text, so that nothing flickers.
void TextScreen::Draw(const std::vector<std::string>& lines) {
  const TerminalSize size = TerminalSizeOf(STDOUT_FILENO);
  const int columns = std::max(1, size.columns);
  int rows = 0;  // a terminal that has become narrower has folded the lines
  for (const int width : widths_) rows += std::max(1, (width + columns - 1) / columns);
  std::string text = rows == 0 ? "" : fmt::format("\r\x1b[{}A", rows);
  if (rows > 0 && size != drawn_) text += "\x1b[J";
  widths_.clear();
  for (const std::string& line : lines) {
    widths_.push_back(DisplayColumns(line));
    text += line + (widths_.back() < columns ? "\x1b[K\n" : "\n");
  }
  text += "\x1b[J";
  drawn_ = size;
  WriteOut(text);
}

std::vector<Key> ParseKeys(std::string_view bytes) {
  std::vector<Key> keys;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::optional<Key> key = CharacterKey(bytes[i]);
    const bool arrow =
        bytes[i] == '\x1b' && i + 2 < bytes.size() && (bytes[i + 1] == '[' || bytes[i + 1] == 'O');
    if (arrow) {
      key = ArrowKey(bytes[i + 2]);
      i += 2;
    }
    if (key.has_value()) keys.push_back(*key);
  }
  return keys;
}

StatusOr<std::unique_ptr<Keyboard>> Keyboard::Open() {
  if (::tcgetattr(STDIN_FILENO, &settings_before) != 0) {
    return InvalidArgument("--keyboard needs a terminal to read keys from");
  }
  const pid_t owner = ::tcgetpgrp(STDIN_FILENO);  // fails where it is not this session's terminal
  if (owner >= 0 && owner != ::getpgrp()) {
    return absl::FailedPreconditionError("--keyboard: this process is in the background");
  }
  settings_of_keys = settings_before;
  settings_of_keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  settings_of_keys.c_cc[VMIN] = 0;
  settings_of_keys.c_cc[VTIME] = 0;
  // They would stop or end the process with the terminal as it is.
  settings_of_keys.c_cc[VSUSP] = _POSIX_VDISABLE;
  settings_of_keys.c_cc[VQUIT] = _POSIX_VDISABLE;
  RestoreAtEveryEnd();
  settings_changed = true;
  if (::tcsetattr(STDIN_FILENO, TCSANOW, &settings_of_keys) != 0) {
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
  while (!StopRequested()) {
    if (!pressed_.empty()) {
      const Key key = pressed_.front();
      pressed_.pop_front();
      return key;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd wanted{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, static_cast<int>(std::min(left, kStopLook).count())) <= 0) continue;
    char buffer[64];
    const ssize_t count = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (count <= 0) return Key::kQuit;  // the terminal is gone
    const std::vector<Key> keys = ParseKeys({buffer, static_cast<std::size_t>(count)});
    pressed_.insert(pressed_.end(), keys.begin(), keys.end());
  }
  return Key::kQuit;
}

void Keyboard::Suspend() {
  RestoreTerminal();
  ::kill(0, SIGTSTP);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &settings_of_keys);
  if (cursor_hidden) WriteOut(kHideCursor);
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
