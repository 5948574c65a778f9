#include "gorila/evaluation/start_recorder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/random.h"

namespace gorila {

StartRecorder::StartRecorder(std::string_view environment, const EnvironmentOptions& options,
                             std::uint64_t seed, int per_episode)
    : seed_(seed), per_episode_(per_episode) {
  points_.environment = std::string(environment);
  points_.action_repeat = options.atari.action_repeat;
}

void StartRecorder::BeginEpisode(std::uint64_t episode, const EnvironmentSpec& spec) {
  episode_ = episode;
  points_.action_names = spec.action_names;
  actions_.clear();
}

void StartRecorder::EndEpisode() {
  // After the last step the game may be over.
  const auto choices = actions_.empty() ? 0 : static_cast<int>(actions_.size()) - 1;
  RandomStream random = RandomStream::Derive(seed_, "start points", episode_);
  const auto wanted = static_cast<std::size_t>(std::min(per_episode_, choices));
  std::set<int> lengths;
  while (lengths.size() < wanted) lengths.insert(random.Integer(1, choices + 1));
  for (const int length : lengths) {
    points_.starts.push_back({.seed = seed_,
                              .episode = episode_,
                              .actions = {actions_.begin(), actions_.begin() + length}});
  }
  actions_.clear();
}

Status StartRecorder::Write(const std::filesystem::path& path) const {
  if (points_.starts.empty()) {
    return InvalidArgument("'{}' is not written: no episode had two steps", path.string());
  }
  return WriteFileAtomically(path, EncodeStartPoints(points_));
}

}  // namespace gorila
