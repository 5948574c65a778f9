// Frames of a film: the game, and beside it what the agent thinks of each action.
#ifndef GORILA_EVALUATION_FILM_H_
#define GORILA_EVALUATION_FILM_H_

#include <map>
#include <span>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/evaluation/value_scale.h"

namespace gorila {

// Draws a panel of bars, one an action, to the right of pictures of a game. The bars begin at zero
// and share one scale (value_scale.h); the chosen action's bar stands out. Text is drawn once, so
// that a frame costs little. Not thread-safe.
class ActionPanel {
 public:
  // Unavailable when text cannot be drawn.
  static StatusOr<ActionPanel> Make(std::span<const std::string> action_names, ActionBars bars);

  // `game` with the panel; `values` has one for each action, `chosen` is one of them. All frames of
  // one game have the same size.
  RgbImage Frame(const RgbImage& game, std::span<const float> values, int chosen);

  static constexpr int kWidth = 200;  // pixels

 private:
  explicit ActionPanel(ActionBars bars) : scale_(bars) {}

  int height() const;
  void DrawNumber(RgbImage& frame, double value, int right, int top) const;

  int actions_ = 0;
  RgbImage labels_;                  // the empty panel
  std::map<char, RgbImage> glyphs_;  // of numbers
  ValueScale scale_;
};

}  // namespace gorila

#endif  // GORILA_EVALUATION_FILM_H_
