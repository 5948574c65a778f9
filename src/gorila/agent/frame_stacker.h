// The last few frames of an episode as the network sees them.
#ifndef GORILA_AGENT_FRAME_STACKER_H_
#define GORILA_AGENT_FRAME_STACKER_H_

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

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

// The stacks of several environments in one piece, as a network computes them together.
class FrameStacks {
 public:
  FrameStacks(const ObservationSpec& spec, std::size_t environments)
      : spec_(spec), bytes_(environments * spec.stacked_bytes()) {}

  // Of environment i. Valid as long as this object stays where it is.
  FrameStacker stacker(std::size_t i) { return {spec_, stack(i)}; }
  std::span<std::byte> stack(std::size_t i) {
    return std::span(bytes_).subspan(i * spec_.stacked_bytes(), spec_.stacked_bytes());
  }

  std::span<const std::byte> all() const { return bytes_; }
  std::span<const std::byte> first(std::size_t environments) const {
    return all().first(environments * spec_.stacked_bytes());
  }

  // Makes the stack of environment `to` that of `from`.
  void Copy(std::size_t from, std::size_t to) {
    const std::span<const std::byte> source = stack(from);
    std::copy(source.begin(), source.end(), stack(to).begin());
  }
  // Takes back what all() once gave.
  void Assign(std::span<const std::byte> all) {
    GORILA_CHECK(all.size() == bytes_.size(), "{} bytes, expected {}", all.size(), bytes_.size());
    std::copy(all.begin(), all.end(), bytes_.begin());
  }

 private:
  const ObservationSpec spec_;
  std::vector<std::byte> bytes_;
};

}  // namespace gorila

#endif  // GORILA_AGENT_FRAME_STACKER_H_
