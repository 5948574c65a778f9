#include "gorila/cli/play_controls.h"

#include <fmt/format.h>

#include <algorithm>

#include "gorila/cli/stop_signal.h"
#include "gorila/rpc/retry.h"

namespace gorila::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kShortestDelay{5};
constexpr milliseconds kLongestDelay{10'000};

// While paused; nobody waits for its end.
constexpr std::chrono::hours kForever{1};

}  // namespace

bool PlayPace::IsForGame(Key key) const {
  return person_ && (key == Key::kLeft || key == Key::kRight || key == Key::kUp ||
                     key == Key::kDown || key == Key::kSpace);
}

PlayPace::Does PlayPace::Press(Key key) {
  if (IsForGame(key)) return paused_ ? Does::kSteps : Does::kNothing;
  switch (key) {
    case Key::kPause:
    case Key::kSpace:
      paused_ = !paused_;
      return Does::kChangesPace;
    case Key::kStep:
      return paused_ ? Does::kSteps : Does::kNothing;
    case Key::kFaster:
      delay_ = std::max(kShortestDelay, delay_ / 2);
      return Does::kChangesPace;
    case Key::kSlower:
      delay_ = std::min(kLongestDelay, delay_ * 2);
      return Does::kChangesPace;
    default:
      return Does::kNothing;
  }
}

std::string PlayPace::Hint() const {
  if (paused_) {
    return person_ ? "paused   p continues, s or an arrow takes one step, q quits"
                   : "paused   space continues, s takes one step, q quits";
  }
  const std::string speed = fmt::format("{:.3g} steps/s", 1000.0 / double(delay_.count()));
  return person_ ? speed + "   arrows and space play, p pauses, + - change speed, q quits"
                 : speed + "   q quits, space pauses, + - change speed";
}

bool PlayControls::Wait(const std::function<void(bool afresh)>& redraw) {
  key_.reset();
  if (keyboard_ == nullptr) {
    return rpc::SleepUnlessStopped(pace_.delay(), &StopRequested);
  }
  const auto began = Clock::now();
  for (;;) {
    const auto deadline = pace_.paused() ? Clock::now() + kForever : began + pace_.delay();
    const std::optional<Key> key = keyboard_->ReadUntil(deadline);
    if (!key.has_value()) {
      if (pace_.paused()) continue;
      return true;
    }
    if (*key == Key::kQuit) return false;
    if (*key == Key::kSuspend) {
      keyboard_->Suspend();
      redraw(true);
      continue;
    }
    const PlayPace::Does does = pace_.Press(*key);
    if (does == PlayPace::Does::kChangesPace) redraw(false);
    if (does != PlayPace::Does::kChangesPace && *key != Key::kStep) key_ = key;
    if (does == PlayPace::Does::kSteps) return true;
  }
}

}  // namespace gorila::cli
