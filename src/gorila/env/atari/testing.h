// A console for tests whose every frame shows and pays what the test can compute.
#ifndef GORILA_ENV_ATARI_TESTING_H_
#define GORILA_ENV_ATARI_TESTING_H_

#include <algorithm>
#include <span>
#include <vector>

#include "gorila/env/atari/frame_source.h"

namespace gorila::atari {

// Frame n of a game shows one colour, n % 100 + 1, of a palette whose colour c is the grey level
// 2 * c. The game is over after `length` frames; a life is lost in the frames of `life_losses`.
// Every frame with the fire button pays a point.
class CountingConsole final : public FrameSource {
 public:
  struct Script {
    int length = 1000;
    int lives = 3;
    std::vector<int> life_losses = {};
  };

  explicit CountingConsole(Script script) : script_(std::move(script)) {
    spec_.name = "test/counting";
    for (std::size_t i = 0; i < kColours; ++i) {
      const auto level = static_cast<std::uint8_t>(2 * i);
      spec_.palette[i] = {level, level, level};
    }
    spec_.legal_actions = {Joystick::kNoOp, Joystick::kFire, Joystick::kUp};
    spec_.minimal_actions = {Joystick::kNoOp, Joystick::kFire};
  }

  const ConsoleSpec& spec() const override { return spec_; }
  void Reset(DrawSource&) override {
    ++games_;
    frame_ = 0;
    lives_ = script_.lives;
    held_.clear();
  }
  float Act(Joystick position, DrawSource&) override {
    if (game_over()) return 0;
    ++frame_;
    held_.push_back(position);
    const auto& losses = script_.life_losses;
    if (std::find(losses.begin(), losses.end(), frame_) != losses.end()) --lives_;
    return position == Joystick::kFire ? 1.0F : 0.0F;
  }
  bool game_over() const override { return frame_ >= script_.length; }
  int lives() const override { return lives_; }
  void ReadScreen(std::span<std::uint8_t> screen) const override {
    std::fill(screen.begin(), screen.end(), ColourOf(frame_));
  }
  void SaveState(StateWriter& writer) const override { writer.Write(frame_); }
  Status RestoreState(StateReader& reader) override { return reader.Read(frame_); }

  static std::uint8_t ColourOf(int frame) { return static_cast<std::uint8_t>(frame % 100 + 1); }
  static int GreyOf(int frame) { return 2 * ColourOf(frame); }

  int frame() const { return frame_; }
  int games() const { return games_; }
  const std::vector<Joystick>& held() const { return held_; }  // of the present game

 private:
  const Script script_;
  ConsoleSpec spec_;
  int frame_ = 0;
  int games_ = 0;
  int lives_ = 0;
  std::vector<Joystick> held_;
};

}  // namespace gorila::atari

#endif  // GORILA_ENV_ATARI_TESTING_H_
