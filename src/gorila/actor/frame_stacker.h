// The last few frames of an episode as the network sees them.
#ifndef GORILA_ACTOR_FRAME_STACKER_H_
#define GORILA_ACTOR_FRAME_STACKER_H_

#include <algorithm>
#include <cstring>
#include <span>

#include "gorila/env/environment.h"

namespace gorila {

// A view of `stacked_bytes()` bytes kept oldest frame first. Frames before the episode's first are
// zero, as replay rebuilds them. Owns nothing.
class FrameStacker {
 public:
  FrameStacker(const ObservationSpec& spec, std::span<std::byte> stacked)
      : frame_bytes_(spec.frame_bytes()), stacked_(stacked) {}

  // Where the environment writes the first frame of an episode.
  std::span<std::byte> BeginEpisode() {
    std::fill(stacked_.begin(), stacked_.end(), std::byte{0});
    return newest();
  }
  // Where the environment writes the next frame.
  std::span<std::byte> Advance() {
    const std::size_t kept = stacked_.size() - frame_bytes_;
    if (kept > 0) std::memmove(stacked_.data(), stacked_.data() + frame_bytes_, kept);
    return newest();
  }
  std::span<std::byte> newest() { return stacked_.last(frame_bytes_); }

 private:
  std::size_t frame_bytes_;
  std::span<std::byte> stacked_;
};

}  // namespace gorila

#endif  // GORILA_ACTOR_FRAME_STACKER_H_
