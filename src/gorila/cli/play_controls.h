// The keys by which people steer a game on the screen, whoever plays it.
#ifndef GORILA_CLI_PLAY_CONTROLS_H_
#define GORILA_CLI_PLAY_CONTROLS_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gorila/cli/terminal.h"

namespace gorila::cli {

// The pace of a game: how long each state is shown, and whether it is paused.
class PlayPace {
 public:
  // `person`: a person plays, whose arrows and space are the game's.
  PlayPace(bool person, std::chrono::milliseconds delay) : person_(person), delay_(delay) {}

  enum class Does { kNothing, kChangesPace, kSteps };
  // What the key does to the pace. kSteps: the next state is due, whatever the delay.
  Does Press(Key key);

  bool paused() const { return paused_; }
  std::chrono::milliseconds delay() const { return delay_; }
  // What the keys do now, in at most 80 characters of ASCII.
  std::string Hint() const;

 private:
  bool IsForGame(Key key) const;

  const bool person_;
  std::chrono::milliseconds delay_;
  bool paused_ = false;
};

// One thread.
class PlayControls {
 public:
  // Without a `keyboard` nobody steers.
  PlayControls(std::unique_ptr<Keyboard> keyboard, bool person, std::chrono::milliseconds delay)
      : keyboard_(std::move(keyboard)), pace_(person, delay) {}

  // Lets the state on the screen be looked at. `redraw` is called when Hint has changed; with true
  // where something else has written to the terminal. False: the person quits, or a stop was
  // requested.
  bool Wait(const std::function<void(bool afresh)>& redraw);

  // The last of the game's keys that was pressed while waiting.
  std::optional<Key> key() const { return key_; }
  std::string Hint() const { return keyboard_ == nullptr ? "" : pace_.Hint(); }

 private:
  const std::unique_ptr<Keyboard> keyboard_;
  PlayPace pace_;
  std::optional<Key> key_;
};

}  // namespace gorila::cli

#endif  // GORILA_CLI_PLAY_CONTROLS_H_
