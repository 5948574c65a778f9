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
#include "gorila/launch/learner_process.h"
#include "gorila/launch/role_cores.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kLearnerFlags[] = {kEnvFlag, kSeedFlag, kFramesFlag};

struct LearnerRoleOptions {
  ConfigFlags config;
  RemoteFlags remote;
  int index = 0;
};

StatusOr<int> Learn(const LearnerRoleOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  LearnerProcessOptions learner{.index = options.index, .parts = {}};
  GORILA_ASSIGN_OR_RETURN(learner.parts, options.remote.Load());
  config.parameter_server.shards = static_cast<int>(learner.parts.parameter_servers.size());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_ASSIGN_OR_RETURN(const auto pinned, PinProcess(config, Role::kLearner, learner.index));
  GORILA_ASSIGN_OR_RETURN(const auto metrics, options.remote.StartMetrics());
  GORILA_RETURN_IF_ERROR(RunLearnerProcess(config, learner, MakeRoleHooks(metrics->board)));
  return kSuccess;
}

constexpr CommandText kLearnerText = {
    .name = "learner",
    .summary = "Learn from a global replay memory that actors in other processes fill",
    .details =
        R"(Samples replay shards and pushes gradients to the parameter servers. Ends when the run
has its frames; exits with status 130 when stopped earlier (Ctrl-C, SIGTERM). It keeps no state, so
it can be killed and restarted at any time. It waits for servers that are down, but skips a replay
shard that is down while another one answers.
)",
    .examples =
        R"(gorila learner --config run.toml --parameter-servers 127.0.0.1:7100 --replays 127.0.0.1:7200
)"};

}  // namespace

Verb AddLearnerVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kLearnerText);
  const auto options = std::make_shared<LearnerRoleOptions>();
  AddNumber(*app, "--learner-index", options->index, {.units = false},
            "Which learner this is, from 0");
  options->remote.AddTo(*app, RemoteFlags::Learns::kYes);
  options->config.AddKeys(*app, kLearnerFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return Learn(*options); }};
}

}  // namespace gorila::cli
