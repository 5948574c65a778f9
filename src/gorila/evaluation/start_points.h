// Start points of the human-starts protocol: how a person's games began, as recorded actions.
#ifndef GORILA_EVALUATION_START_POINTS_H_
#define GORILA_EVALUATION_START_POINTS_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/env/environment.h"
#include "gorila/env/environment_factory.h"
#include "gorila/env/environment_options.h"

namespace gorila {

// The environment of episode `episode` of `gorila play --seed seed`, played again by its actions.
struct StartPoint {
  std::uint64_t seed = 0;
  std::uint64_t episode = 0;
  std::vector<int> actions;  // indices into StartPoints::action_names, one a step

  bool operator==(const StartPoint&) const = default;
};

// One game's. A file has a JSON object in each line: first what all starts have in common, then one
// for each start.
struct StartPoints {
  std::string environment;  // as in the registry
  int action_repeat = 0;    // emulator frames a step
  std::vector<std::string> action_names;
  std::vector<StartPoint> starts;

  bool operator==(const StartPoints&) const = default;
};

std::string EncodeStartPoints(const StartPoints& points);
// DataLoss with the line for anything that EncodeStartPoints did not write.
StatusOr<StartPoints> DecodeStartPoints(std::string_view text);
// Likewise; names the file. NotFound when there is none. Blocks on the disk.
StatusOr<StartPoints> ReadStartPoints(const std::filesystem::path& path);

// How games are played that start points are taken from and that agents are started in: without
// no-ops, sticky actions and ends of episodes at lost lives, so that the actions decide the game.
EnvironmentOptions StartPointOptions(const EnvironmentOptions& options);

// The environment in the state of the start point. `stacked` (stacked_bytes()) gets the last
// frames. InvalidArgument when the points are another environment's or their actions are not its
// own, or the game ends before the start.
StatusOr<std::unique_ptr<Environment>> MakeAtStart(
    const StartPoints& points, const StartPoint& start, std::string_view environment,
    const EnvironmentOptions& options, EnvironmentFactory& factory, std::span<std::byte> stacked);

}  // namespace gorila

#endif  // GORILA_EVALUATION_START_POINTS_H_
