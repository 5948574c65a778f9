// The person's terminal while a game is shown.
#ifndef GORILA_CLI_TERMINAL_H_
#define GORILA_CLI_TERMINAL_H_

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gorila/base/status.h"

namespace gorila::cli {

// Draws a picture of text in place on stdout, with the cursor hidden.
class TextScreen {
 public:
  TextScreen();
  ~TextScreen();  // leaves the last picture, the cursor below it
  TextScreen(const TextScreen&) = delete;
  TextScreen& operator=(const TextScreen&) = delete;

  // Overwrites the picture before. Lines must fit into the terminal.
  void Draw(const std::vector<std::string>& lines);

 private:
  std::size_t shown_ = 0;  // lines on the screen
};

enum class Key { kLeft, kRight, kUp, kDown, kSpace, kQuit };

// Reads single keys from stdin without echo. At most one at a time exists.
class Keyboard {
 public:
  // InvalidArgument when stdin is not a terminal.
  static StatusOr<std::unique_ptr<Keyboard>> Open();
  ~Keyboard();  // restores the terminal
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  // Blocks until `deadline`; the last known key pressed until then, kQuit at once.
  std::optional<Key> ReadUntil(std::chrono::steady_clock::time_point deadline);

 private:
  Keyboard() = default;
};

// Undoes what the two classes did to the terminal, wherever they are. For another thread that
// ends the process.
void RestoreTerminal();

}  // namespace gorila::cli

#endif  // GORILA_CLI_TERMINAL_H_
