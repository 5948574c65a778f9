// A MinAtar game (Young & Tian 2019, arXiv 1903.03176) without what surrounds it: sticky actions,
// action sets and time limits are the adapter's (minatar_environment.h).
#ifndef GORILA_ENV_MINATAR_GAME_H_
#define GORILA_ENV_MINATAR_GAME_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/env/picture.h"

namespace gorila::minatar {

inline constexpr int kGridSize = 10;  // rows and columns
inline constexpr int kCells = kGridSize * kGridSize;
inline constexpr int kMaxChannels = 10;  // Seaquest's

// The six actions of every game; a game ignores those it has no use for.
enum Action : int { kNoOp = 0, kLeft = 1, kUp = 2, kRight = 3, kDown = 4, kFire = 5 };
inline constexpr int kNumActions = 6;

struct Channel {
  std::string_view name;
  Rgb colour;  // in pictures
};

struct GameInfo {
  std::string_view name;                    // "breakout"
  std::span<const Channel> channels;        // at most kMaxChannels
  std::span<const Action> minimal_actions;  // those the game has a use for, ascending
};

struct Outcome {
  float reward = 0;  // summed over the step
  bool terminal = false;
};

inline bool OnGrid(int x) { return x >= 0 && x < kGridSize; }

// The clamped column one to the left or right when the action says so.
inline int MoveSideways(int x, int action) {
  if (action == kLeft) return std::max(x - 1, 0);
  if (action == kRight) return std::min(x + 1, kGridSize - 1);
  return x;
}

// An observation being written: channel x row x column, bytes 0 or 1. Starts all 0.
class Planes {
 public:
  // `cells` is `channels` * kCells long and must outlive this.
  Planes(std::span<std::uint8_t> cells, std::size_t channels) : cells_(cells) {
    GORILA_CHECK(cells.size() == channels * kCells, "observation of {} bytes, {} channels",
                 cells.size(), channels);
    std::fill(cells.begin(), cells.end(), std::uint8_t{0});
  }
  // (y, x) must be on the grid.
  void Set(int channel, int y, int x) {
    cells_[static_cast<std::size_t>(channel * kCells + y * kGridSize + x)] = 1;
  }

 private:
  std::span<std::uint8_t> cells_;
};

// One game. Deterministic but for its draws; allocates nothing per step. Not thread-safe.
class Game {
 public:
  virtual ~Game() = default;

  virtual const GameInfo& info() const = 0;

  // Starts an episode.
  void Reset(DrawSource& draws);

  // Plays one frame with `action` (0..5). After a terminal outcome nothing happens until Reset:
  // the outcome is then again terminal with reward 0.
  Outcome Act(int action, DrawSource& draws);

  // Writes all channels * 10 * 10 bytes, each 0 or 1, channel-major.
  virtual void Observe(std::span<std::uint8_t> cells) const = 0;

  // Restoring gives DataLoss for truncated or impossible states, and then changes nothing.
  void SaveState(StateWriter& writer) const;
  Status RestoreState(StateReader& reader);

 private:
  virtual void Start(DrawSource& draws) = 0;
  virtual Outcome Play(int action, DrawSource& draws) = 0;
  virtual void SaveFields(StateWriter& writer) const = 0;
  // `over`: whether the state is that of a finished episode.
  virtual Status RestoreFields(StateReader& reader, bool over) = 0;

  bool over_ = true;
};

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_GAME_H_
