// The person's terminal while a game is shown.
#ifndef GORILA_CLI_TERMINAL_H_
#define GORILA_CLI_TERMINAL_H_

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/metrics/progress.h"

namespace gorila::cli {

// How many columns a line takes on the screen: of UTF-8 text with control sequences for colours.
int DisplayColumns(std::string_view line);

// Draws a picture of text in place on stdout, with the cursor hidden.
class TextScreen {
 public:
  TextScreen();
  ~TextScreen();  // leaves the last picture, the cursor below it
  TextScreen(const TextScreen&) = delete;
  TextScreen& operator=(const TextScreen&) = delete;

  // Overwrites the picture before, also after the terminal was resized. Lines must fit into it.
  void Draw(const std::vector<std::string>& lines);

  // Somebody else has written: the next picture is drawn below that.
  void Forget() { widths_.clear(); }

 private:
  std::vector<int> widths_;  // columns of each line on the screen
  TerminalSize drawn_;       // that they were drawn in
};

enum class Key {
  kLeft,
  kRight,
  kUp,
  kDown,
  kSpace,
  kPause,
  kStep,
  kFaster,
  kSlower,
  kSuspend,
  kQuit
};

// The keys in what one read gave: q, space, p, s, + and -, arrows as ESC [ A or ESC O A, Ctrl-Z and
// Ctrl-\. Others are passed over.
std::vector<Key> ParseKeys(std::string_view bytes);

// Reads single keys from stdin without echo. At most one at a time exists. However the program ends
// but by SIGKILL or a crash, the terminal is as before.
class Keyboard {
 public:
  // InvalidArgument when stdin is not a terminal, FailedPrecondition when this process is in the
  // background of one.
  static StatusOr<std::unique_ptr<Keyboard>> Open();
  ~Keyboard();  // restores the terminal
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  // Blocks until a key is pressed; nullopt at `deadline`, kQuit after a stop signal.
  std::optional<Key> ReadUntil(std::chrono::steady_clock::time_point deadline);

  // What Ctrl-Z does elsewhere: gives the terminal back and stops until the shell continues this.
  void Suspend();

 private:
  Keyboard() = default;

  std::deque<Key> pressed_;  // and not returned yet
};

// Undoes what the two classes did to the terminal, wherever they are. For another thread that
// ends the process.
void RestoreTerminal();

}  // namespace gorila::cli

#endif  // GORILA_CLI_TERMINAL_H_
