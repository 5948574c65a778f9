// The table of environments. Adding one: a .h/.cc pair, a test, one row in registry.cc, one CMake
// line.
#ifndef GORILA_ENV_REGISTRY_H_
#define GORILA_ENV_REGISTRY_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/random.h"
#include "gorila/env/environment.h"
#include "gorila/env/environment_factory.h"
#include "gorila/env/environment_options.h"
#include "gorila/env/external/environment_record.h"
#include "gorila/env/external/external_name.h"

namespace gorila {

struct EnvironmentRow {
  std::string_view name;     // "minatar/breakout"
  std::string_view summary;  // one line for `gorila envs`
  StatusOr<std::unique_ptr<Environment>> (*make)(const EnvironmentOptions& options,
                                                 std::unique_ptr<DrawSource> draws);
  bool sticky_actions;      // whether EnvironmentOptions::sticky_actions means something here
  bool difficulty_ramping;  // likewise
  bool minimal_actions;     // likewise
  bool atari = false;       // whether EnvironmentOptions::atari means something here
};

// All rows, in the order they are listed to people.
std::span<const EnvironmentRow> EnvironmentTable();

// "atari/pong" and its like: the names that MakeEnvironment knows besides the table, ascending.
// Whether they can be made depends on the machine (atari/ale_source.h).
std::vector<std::string_view> AtariNames();

// Both, in that order.
std::vector<std::string_view> EnvironmentNames();

// Whether EnvironmentOptions::atari means something to the environment called `name`.
bool IsConsoleGame(std::string_view name);

// InvalidArgument for an unknown name (with the nearest known one) or an option out of range. A
// name that ParseExternalName takes starts a process, or loads a library; it may block for
// options.external.start_seconds, and errors say what went wrong there.
// Options that the environment has no use for are ignored (the table says which it uses). With
// options.games `name` is one of them, and looks as all of them do together.
StatusOr<std::unique_ptr<Environment>> MakeEnvironment(std::string_view name,
                                                       const EnvironmentOptions& options,
                                                       std::unique_ptr<DrawSource> draws);

// The same for several: errors of the name and of the options come here, and workers are started
// here.
StatusOr<std::unique_ptr<EnvironmentFactory>> MakeEnvironmentFactory(
    std::string_view name, const EnvironmentOptions& options);

// What MakeEnvironment's environment would be like. Of one that is not ours without starting
// anything where options.external.record says it. `name` may be several games, with ',' between
// them (ExpandGames): what they look like together.
StatusOr<EnvironmentSpec> DescribeEnvironment(std::string_view name,
                                              const EnvironmentOptions& options);

// What an environment that is not ours says of itself, and whether it repeats itself; starts it.
// For options.external.record.
StatusOr<EnvironmentRecord> ProbeEnvironment(const ExternalName& name,
                                             const EnvironmentOptions& options);

// Draws from a random stream: what every environment outside the recorded-episode tests uses.
std::unique_ptr<DrawSource> MakeRandomDraws(RandomStream stream);

}  // namespace gorila

#endif  // GORILA_ENV_REGISTRY_H_
