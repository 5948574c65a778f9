#include "gorila/evaluation/start_points.h"

#include <algorithm>

#include "gorila/agent/frame_stacker.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/base/json.h"
#include "gorila/env/registry.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "gorila start points";
constexpr int kVersion = 1;

Status DecodeHeader(const Json& json, StartPoints& points) {
  if (json.at("format") != kFormat || json.at("version") != kVersion) {
    return DataLoss("the first line is not that of start points, version {}", kVersion);
  }
  points.environment = json.at("environment");
  points.action_repeat = json.at("action_repeat");
  points.action_names = json.at("actions").get<std::vector<std::string>>();
  return OkStatus();
}

Status DecodeStart(const Json& json, StartPoints& points) {
  StartPoint start{.seed = json.at("seed"), .episode = json.at("episode"), .actions = {}};
  start.actions = json.at("actions").get<std::vector<int>>();
  const int count = static_cast<int>(points.action_names.size());
  for (const int action : start.actions) {
    if (action < 0 || action >= count) {
      return DataLoss("action {}; expected 0 to {}", action, count - 1);
    }
  }
  points.starts.push_back(std::move(start));
  return OkStatus();
}

Status DecodeLine(std::string_view line, bool first, StartPoints& points) {
  try {
    const Json json = ParseJsonOrThrow<Json>(line);
    return first ? DecodeHeader(json, points) : DecodeStart(json, points);
  } catch (const nlohmann::json::exception& error) {
    return DataLoss("{}", error.what());
  }
}

// For each action of the file the environment's.
StatusOr<std::vector<int>> MatchActions(const StartPoints& points, const EnvironmentSpec& spec) {
  std::vector<int> matched;
  for (const std::string& name : points.action_names) {
    const auto found = std::find(spec.action_names.begin(), spec.action_names.end(), name);
    matched.push_back(found == spec.action_names.end()
                          ? -1
                          : static_cast<int>(found - spec.action_names.begin()));
  }
  for (const StartPoint& start : points.starts) {
    for (const int action : start.actions) {
      if (matched[static_cast<std::size_t>(action)] >= 0) continue;
      return InvalidArgument(
          "start points use the action '{}', which {} has not here; set "
          "environment.minimal_actions as when they were recorded",
          points.action_names[static_cast<std::size_t>(action)], spec.name);
    }
  }
  return matched;
}

}  // namespace

std::string EncodeStartPoints(const StartPoints& points) {
  const Json header = {{"format", kFormat},
                       {"version", kVersion},
                       {"environment", points.environment},
                       {"action_repeat", points.action_repeat},
                       {"actions", points.action_names}};
  std::string text = DumpJson(header) + "\n";
  for (const StartPoint& start : points.starts) {
    const Json json = {
        {"seed", start.seed}, {"episode", start.episode}, {"actions", start.actions}};
    text += DumpJson(json) + "\n";
  }
  return text;
}

StatusOr<StartPoints> DecodeStartPoints(std::string_view text) {
  StartPoints points;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    ++number;
    const Status decoded = DecodeLine(text.substr(0, end), number == 1, points);
    if (!decoded.ok()) return Annotate(decoded, fmt::format("line {}", number));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (points.starts.empty()) return DataLoss("no start points");
  return points;
}

StatusOr<StartPoints> ReadStartPoints(const std::filesystem::path& path) {
  GORILA_ASSIGN_OR_RETURN(const std::string text, ReadFileOf(kResultFile, path));
  StatusOr<StartPoints> points = DecodeStartPoints(text);
  if (!points.ok()) return Annotate(points.status(), fmt::format("'{}'", path.string()));
  return points;
}

EnvironmentOptions StartPointOptions(const EnvironmentOptions& options) {
  EnvironmentOptions plain = options;
  plain.sticky_actions = 0;
  plain.atari.life_loss_ends_episode = false;
  plain.atari.noop_max = 0;
  plain.atari.repeat_action_probability = 0;
  return plain;
}

StatusOr<std::unique_ptr<Environment>> MakeAtStart(
    const StartPoints& points, const StartPoint& start, std::string_view environment,
    const EnvironmentOptions& options, EnvironmentFactory& factory, std::span<std::byte> stacked) {
  if (points.environment != environment) {
    return InvalidArgument("the start points are for '{}'; expected '{}'", points.environment,
                           environment);
  }
  if (IsConsoleGame(environment) && points.action_repeat != options.atari.action_repeat) {
    return InvalidArgument("start points have {} frames a step; atari.action_repeat is {}",
                           points.action_repeat, options.atari.action_repeat);
  }
  GORILA_ASSIGN_OR_RETURN(std::unique_ptr<Environment> made,
                          factory.Make(MakeRandomDraws(RandomStream::Derive(
                              start.seed, "play environment", start.episode))));
  GORILA_ASSIGN_OR_RETURN(const std::vector<int> actions, MatchActions(points, made->spec()));
  FrameStacker stacker(made->spec().observation, stacked);
  GORILA_RETURN_IF_ERROR(made->Reset(stacker.BeginEpisode()).status());
  for (std::size_t i = 0; i < start.actions.size(); ++i) {
    const int action = actions[static_cast<std::size_t>(start.actions[i])];
    GORILA_ASSIGN_OR_RETURN(const TimeStep step, made->Step(action, stacker.Advance()));
    if (!step.last()) continue;
    return InvalidArgument("a start point of {} steps ends its game at step {}",
                           start.actions.size(), i + 1);
  }
  return made;
}

}  // namespace gorila
