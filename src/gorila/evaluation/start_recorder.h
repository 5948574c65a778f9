// Start points of the human-starts protocol, taken from games that are being played.
#ifndef GORILA_EVALUATION_START_RECORDER_H_
#define GORILA_EVALUATION_START_RECORDER_H_

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/evaluation/start_points.h"

namespace gorila {

// Follows the episodes of `gorila play` and takes `per_episode` steps of each, chosen at random, as
// start points. Not thread-safe.
class StartRecorder {
 public:
  StartRecorder(std::string_view environment, const EnvironmentOptions& options, std::uint64_t seed,
                int per_episode);

  void BeginEpisode(std::uint64_t episode, const EnvironmentSpec& spec);
  void Add(int action) { actions_.push_back(action); }
  // Steps at which the game goes on are taken; all of them when there are no more than wanted.
  void EndEpisode();

  const StartPoints& points() const { return points_; }
  // InvalidArgument when nothing was played. Blocks on the disk.
  Status Write(const std::filesystem::path& path) const;

 private:
  const std::uint64_t seed_;
  const int per_episode_;
  StartPoints points_;
  std::uint64_t episode_ = 0;
  std::vector<int> actions_;  // of the present episode
};

}  // namespace gorila

#endif  // GORILA_EVALUATION_START_RECORDER_H_
