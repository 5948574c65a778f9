#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/role_flags.h"
#include "gorila/cli/verb.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/runtime/config_keys.h"
#include "gorila/runtime/distributed/shard_process.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kFlags[] = {
    kEnvFlag,
    kSeedFlag,
    kFramesFlag,
    kBundlesFlag,
    {"--shards", "parameter_server.shards", "N", "Parts that the parameter vector is split into"}};

struct ParameterServerOptions {
  ConfigFlags config;
  CredentialFlags credentials;
  std::string listen = "127.0.0.1:0";
  int shard = 0;
  std::filesystem::path state_folder;
  std::filesystem::path address_file;
  bool insecure = false;
};

StatusOr<int> Serve(const ParameterServerOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  ShardProcessOptions shard;
  shard.index = options.shard;
  shard.insecure = options.insecure;
  shard.state_folder = options.state_folder;
  shard.address_file = options.address_file;
  GORILA_ASSIGN_OR_RETURN(shard.listen,
                          rpc::ParseEndpoint(options.listen, /*may_be_any_port=*/true));
  GORILA_ASSIGN_OR_RETURN(shard.credentials, options.credentials.Load());
  GORILA_RETURN_IF_ERROR(RunShardProcess(config, shard, MakeRoleHooks()));
  return kSuccess;
}

constexpr CommandText kText = {
    .name = "parameter-server",
    .summary = "Serve one shard of the parameters to other processes",
    .details =
        R"(Goes on from the newest snapshot in --state-dir, or begins a new run. Snapshots are taken every
checkpoint.every_seconds and when it is stopped (Ctrl-C, SIGTERM). All processes of a run need the
same configuration. Off loopback it starts only with certificates, or with --insecure.
)",
    .examples =
        R"(gorila parameter-server --config run.toml --shard 0 --state-dir shard-0 --listen 127.0.0.1:7100
gorila parameter-server --config run.toml --shard 1 --state-dir shard-1 --listen 0.0.0.0:7100 \
  --token-file token --tls-cert parameter-server.crt --tls-key parameter-server.key --tls-ca ca.crt
)"};

}  // namespace

Verb AddParameterServerVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kText);
  const auto options = std::make_shared<ParameterServerOptions>();
  app->add_option("--shard", options->shard, "Which shard this is, from 0")->type_name("N");
  app->add_option("--state-dir", options->state_folder, "Folder of this shard's snapshots")
      ->required()
      ->type_name("DIR");
  app->add_option("--listen", options->listen,
                  "host:port or unix:/path (default: any free port of 127.0.0.1)")
      ->type_name("ADDRESS");
  app->add_option("--address-file", options->address_file,
                  "Write where it listens into this file once it serves")
      ->type_name("FILE");
  app->add_flag("--insecure", options->insecure,
                "Listen off loopback without certificates: anybody there can read and write");
  options->credentials.AddTo(*app);
  options->config.AddKeys(*app, kFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return Serve(*options); }};
}

}  // namespace gorila::cli
