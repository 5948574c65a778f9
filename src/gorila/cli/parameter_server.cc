#include <CLI/App.hpp>
#include <memory>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/role_flags.h"
#include "gorila/cli/serving_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/launch/role_cores.h"
#include "gorila/launch/shard_process.h"
#include "gorila/run/initial_network.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kParameterServerFlags[] = {
    kEnvFlag,
    kSeedFlag,
    kFramesFlag,
    kBundlesFlag,
    {"--shards", "parameter_server.shards", "N", "Parts that the parameter vector is split into"}};

struct ParameterServerOptions {
  ConfigFlags config;
  ServingFlags serving;
};

StatusOr<int> ServeShard(const ParameterServerOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_ASSIGN_OR_RETURN(ServingOptions serving, options.serving.Load());
  // Beside the configuration of a launched run.
  const auto initial = InitialNetworkFile(options.config.file().parent_path());
  std::error_code error;
  if (!options.config.file().empty() && std::filesystem::exists(initial, error)) {
    serving.initial = initial;
  }
  GORILA_ASSIGN_OR_RETURN(const auto pinned,
                          PinProcess(config, Role::kParameterServer, serving.index));
  GORILA_ASSIGN_OR_RETURN(const auto metrics, options.serving.StartMetrics());
  GORILA_RETURN_IF_ERROR(RunShardProcess(config, serving, MakeRoleHooks(metrics->board)));
  return kSuccess;
}

constexpr CommandText kParameterServerText = {
    .name = "parameter-server",
    .summary = "Serve one shard of the parameters to other processes",
    .details =
        R"(Continues from the newest snapshot in --state-dir, or starts a new run. It takes snapshots every
checkpoint.every_seconds and when stopped (Ctrl-C, SIGTERM). All processes of a run need the
same configuration. Off loopback it starts only with certificates, or with --insecure.
)",
    .examples =
        R"(gorila parameter-server --config run.toml --shard 0 --state-dir shard-0 --listen 127.0.0.1:7100
gorila parameter-server --config run.toml --shard 1 --state-dir shard-1 --listen 0.0.0.0:7100 \
  --token-file token --tls-ca ca.crt --tls-cert parameter-server.crt \
  --tls-key parameter-server.key
)"};

}  // namespace

Verb AddParameterServerVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kParameterServerText);
  const auto options = std::make_shared<ParameterServerOptions>();
  options->serving.AddTo(*app, "--shard");
  options->config.AddKeys(*app, kParameterServerFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return ServeShard(*options); }};
}

}  // namespace gorila::cli
