// Options of environments that are not ours: gymnasium:..., python:..., plugin:...
#ifndef GORILA_ENV_EXTERNAL_EXTERNAL_OPTIONS_H_
#define GORILA_ENV_EXTERNAL_EXTERNAL_OPTIONS_H_

#include <string>

namespace gorila {

// What the sides of an observation of three dimensions are.
enum class PictureLayout {
  kAuto,  // the last side is the channels where only it is at most 4; likewise the first
  kHwc,   // height, width, channels: what Gymnasium's pictures are
  kChw    // channels, height, width: what the network takes
};

// auto: where a picture of uint8 is larger than kLargestPlainPicture.
enum class Choice { kAuto, kNo, kYes };

inline constexpr int kLargestPlainPicture = 64;  // pixels a side
inline constexpr int kAutoPictureSize = 84;      // DQN's
inline constexpr int kAutoPictureStack = 4;
inline constexpr int kLargestPicture = 1024;  // that `picture_size` may ask for
inline constexpr int kMostPerWorker = 1024;

struct ExternalOptions {
  // The Python interpreter; "auto": that of $VIRTUAL_ENV, else python3 on the PATH.
  std::string python = "auto";
  // Folders searched for modules before Python's own, with ':' between; "none".
  std::string python_path = "none";
  // A JSON object: the constructor's keyword arguments, or the options of a plug-in.
  std::string kwargs = "{}";
  // Wrappers around it, "module:Class" each with ',' between, the innermost first; "none".
  std::string wrappers = "none";
  int per_worker = 8;  // environments of a worker process: a round trip steps all of them
  // An environment is seeded anew at the first reset after so many steps; 0 = at every reset.
  int reseed_steps = 10000;
  double step_seconds = 60;    // a step that takes longer counts as a hang
  double start_seconds = 300;  // likewise the start of a worker, and a reset
  PictureLayout layout = PictureLayout::kAuto;
  Choice grey = Choice::kAuto;
  int picture_size = 0;   // pixels a side of what the agent sees; 0: 84 of a large picture
  int picture_stack = 0;  // observations that the network sees at once; 0: 4 of a large picture
  // What the environment said of itself when the run began (environment_record.h); "none". With it
  // a network is made without starting anything.
  std::string record = "none";

  // Not for users: set by what makes the environment.
  bool pictures = false;  // whether Render will be called
  bool exact = false;     // deterministic runs: state that does not come back the same is an error

  bool operator==(const ExternalOptions&) const = default;
};

}  // namespace gorila

#endif  // GORILA_ENV_EXTERNAL_EXTERNAL_OPTIONS_H_
