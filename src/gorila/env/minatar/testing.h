// Helpers of the tests of MinAtar games.
#ifndef GORILA_ENV_MINATAR_TESTING_H_
#define GORILA_ENV_MINATAR_TESTING_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/base/serialise.h"
#include "gorila/env/environment.h"
#include "gorila/env/minatar/game.h"
#include "gorila/env/registry.h"

namespace gorila::minatar {

// Draws that a test spells out, in order. Expects each to be asked for with its kind and bounds,
// and that none is left when it is destroyed.
class FixedDraws final : public DrawSource {
 public:
  ~FixedDraws() override { EXPECT_EQ(next_, draws_.size()) << "draws that were not made"; }

  FixedDraws& U(double value) {
    draws_.push_back({.value = value});
    return *this;
  }
  FixedDraws& I(int low, int high, int value) {
    draws_.push_back({.low = low, .high = high, .value = static_cast<double>(value)});
    return *this;
  }

  double Uniform() override { return Next(0, 0); }
  int Integer(int low, int high) override { return static_cast<int>(Next(low, high)); }
  void SaveState(StateWriter&) const override {}
  Status RestoreState(StateReader&) override { return OkStatus(); }

 private:
  struct Draw {
    int low = 0;  // low == high: a uniform
    int high = 0;
    double value = 0;
  };
  double Next(int low, int high) {
    if (next_ >= draws_.size()) {
      ADD_FAILURE() << "a draw too many: (" << low << ", " << high << ")";
      return low;
    }
    const Draw draw = draws_[next_++];
    EXPECT_EQ(draw.low, low);
    EXPECT_EQ(draw.high, high);
    return draw.value;
  }

  std::vector<Draw> draws_;
  std::size_t next_ = 0;
};

using Cell = std::pair<int, int>;  // row, column

// A game's current observation.
class View {
 public:
  explicit View(const Game& game) : cells_(game.info().channels.size() * kCells, 77) {
    game.Observe(cells_);
  }
  std::vector<Cell> Cells(int channel) const {
    std::vector<Cell> found;
    for (int i = 0; i < kCells; ++i) {
      const std::uint8_t value = cells_[static_cast<std::size_t>(channel * kCells + i)];
      EXPECT_LE(value, 1);
      if (value == 1) found.emplace_back(i / kGridSize, i % kGridSize);
    }
    return found;
  }
  bool operator==(const View&) const = default;

 private:
  std::vector<std::uint8_t> cells_;
};

inline void WriteInts(StateWriter& writer, std::initializer_list<std::int32_t> values) {
  for (const std::int32_t value : values) writer.Write(value);
}

// The state of a running episode; the game's fields follow.
inline StateWriter RunningState() {
  StateWriter writer;
  writer.Write<std::uint8_t>(0);
  return writer;
}

inline void RestoreFrom(Game& game, const StateWriter& writer) {
  StateReader reader(writer.bytes());
  const Status status = game.RestoreState(reader);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_TRUE(reader.Finish().ok()) << reader.Finish();
}

// Acts where no draw is expected.
inline Outcome ActWithoutDraws(Game& game, int action) {
  FixedDraws none;
  return game.Act(action, none);
}

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_TESTING_H_
