// Recorded MinAtar episodes (data/minatar/README.md states the format): reading them, and replaying
// them against the games, which must match at every step.
#ifndef GORILA_ENV_MINATAR_RECORDING_H_
#define GORILA_ENV_MINATAR_RECORDING_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila::minatar {

// One random draw: Uniform() that gave `uniform`, or Integer(low, high) that gave `integer`.
struct RecordedDraw {
  bool is_uniform = true;
  double uniform = 0;
  int low = 0;
  int high = 0;
  int integer = 0;
};

// What a recording knows of an observation. At least one is there.
struct RecordedState {
  std::optional<std::string> bits;     // PackBits of the observation
  std::optional<std::uint32_t> crc32;  // of those bytes
};

struct RecordedStep {
  int action = 0;  // executed, 0..5
  float reward = 0;
  bool terminal = false;
  std::vector<RecordedDraw> draws;
  RecordedState state;
};

struct RecordedEpisode {
  std::string game;  // "breakout"
  std::vector<RecordedDraw> reset_draws;
  RecordedState initial_state;
  std::vector<RecordedStep> steps;
};

// An observation's cells (bytes 0 or 1) as bits: channel-major, most significant bit first, the
// last byte padded with zeros.
std::string PackBits(std::string_view cells);

// One line of a recording. DataLoss says what is wrong with it.
StatusOr<RecordedEpisode> ParseEpisode(std::string_view line);

struct VerifyReport {
  static constexpr std::size_t kMaxDescriptions = 10;

  std::int64_t episodes = 0;
  std::int64_t steps = 0;       // replayed, resets not counted
  std::int64_t mismatches = 0;  // draws, rewards, terminals and states that differ
  // The first few mismatches: file, line, step (0 = the reset), got and expected.
  std::vector<std::string> descriptions;

  bool ok() const { return mismatches == 0; }
};

// Replays every episode of every *.jsonl file of `folder`. The replay of an episode stops at its
// first step that differs: what follows would only repeat it. Blocks on the disk. Errors: NotFound
// or Unavailable for a folder or file that cannot be read, NotFound for a folder without
// recordings, DataLoss for a malformed line and InvalidArgument for an unknown game; the message
// names the file and line.
StatusOr<VerifyReport> VerifyRecordings(const std::filesystem::path& folder);

}  // namespace gorila::minatar

#endif  // GORILA_ENV_MINATAR_RECORDING_H_
