#include <CLI/App.hpp>
#include <memory>
#include <string>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/number_flag.h"
#include "gorila/cli/remote_flags.h"
#include "gorila/cli/role_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/launch/actor_process.h"
#include "gorila/launch/role_cores.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kActorFlags[] = {kEnvFlag, kSeedFlag, kFramesFlag};

struct ActorRoleOptions {
  ConfigFlags config;
  RemoteFlags remote;
  int index = 0;
  int actors = 1;
};

StatusOr<int> Act(const ActorRoleOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  ActorProcessOptions actor{.index = options.index, .actors = options.actors, .parts = {}};
  GORILA_ASSIGN_OR_RETURN(actor.parts, options.remote.Load());
  config.parameter_server.shards = static_cast<int>(actor.parts.parameter_servers.size());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_ASSIGN_OR_RETURN(const auto pinned, PinProcess(config, Role::kActor, actor.index));
  GORILA_ASSIGN_OR_RETURN(const auto metrics, options.remote.StartMetrics());
  GORILA_RETURN_IF_ERROR(RunActorProcess(config, actor, MakeRoleHooks(metrics->board)));
  return kSuccess;
}

constexpr CommandText kActorText = {
    .name = "actor",
    .summary = "Act for learners in other processes, through a global replay memory",
    .details =
        R"(Steps actor.environments environments and inserts their time steps into the replay shards. Ends when
the run has its frames; exits with status 130 when stopped earlier (Ctrl-C, SIGTERM). It keeps no
state, so it can be killed and restarted at any time. It waits for servers that are down, but skips
a replay shard that is down while another one answers.
)",
    .examples =
        R"(gorila actor --config run.toml --actor-index 0 --actors 4 --parameter-servers 127.0.0.1:7100 \
  --replays 127.0.0.1:7200,127.0.0.1:7201
)"};

}  // namespace

Verb AddActorVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kActorText);
  const auto options = std::make_shared<ActorRoleOptions>();
  AddNumber(*app, "--actor-index", options->index, {.units = false}, "Which actor this is, from 0");
  AddNumber(*app, "--actors", options->actors, {.low = 1}, "Number of actors in the run");
  options->remote.AddTo(*app, RemoteFlags::Learns::kNo);
  options->config.AddKeys(*app, kActorFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return Act(*options); }};
}

}  // namespace gorila::cli
