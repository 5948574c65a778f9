#include <CLI/App.hpp>
#include <memory>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/role_flags.h"
#include "gorila/cli/serving_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/launch/replay_process.h"
#include "gorila/launch/role_cores.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kReplayFlags[] = {
    kEnvFlag,
    kSeedFlag,
    {"--capacity", "replay.capacity", "N", "Frames that this shard stores"},
    {"--byte-budget", "replay.byte_budget", "N",
     "Memory for them in bytes; 0 = four fifths of this machine's memory"}};

struct ReplayOptions {
  ConfigFlags config;
  ServingFlags serving;
};

StatusOr<int> ServeReplay(const ReplayOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_ASSIGN_OR_RETURN(const ServingOptions serving, options.serving.Load());
  GORILA_ASSIGN_OR_RETURN(const auto pinned, PinProcess(config, Role::kReplay, serving.index));
  GORILA_ASSIGN_OR_RETURN(const auto metrics, options.serving.StartMetrics());
  GORILA_RETURN_IF_ERROR(RunReplayProcess(config, serving, MakeRoleHooks(metrics->board)));
  return kSuccess;
}

constexpr CommandText kReplayText = {
    .name = "replay",
    .summary = "Serve one shard of a global replay memory to other processes",
    .details =
        R"(Stores the frames of actors and serves minibatches to learners. Continues from the newest snapshot
in --state-dir, or starts empty. It takes snapshots every checkpoint.every_seconds and when stopped
(Ctrl-C, SIGTERM). The [replay] section applies to each shard. Off loopback it starts only
with certificates, or with --insecure.
)",
    .examples =
        R"(gorila replay --config run.toml --replay-index 0 --state-dir replay-0 --listen 127.0.0.1:7200
)"};

}  // namespace

Verb AddReplayVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kReplayText);
  const auto options = std::make_shared<ReplayOptions>();
  options->serving.AddTo(*app, "--replay-index");
  options->config.AddKeys(*app, kReplayFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return ServeReplay(*options); }};
}

}  // namespace gorila::cli
