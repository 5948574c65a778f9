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
#include "gorila/runtime/distributed/replay_process.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kFlags[] = {
    kEnvFlag,
    kSeedFlag,
    {"--capacity", "replay.capacity", "N", "Frames that this shard holds"},
    {"--byte-budget", "replay.byte_budget", "N",
     "Bytes for them; 0 = four fifths of this machine's memory"}};

struct ReplayOptions {
  ConfigFlags config;
  CredentialFlags credentials;
  std::string listen = "127.0.0.1:0";
  int index = 0;
  std::filesystem::path state_folder;
  std::filesystem::path address_file;
  bool insecure = false;
};

StatusOr<int> Serve(const ReplayOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const Config config, options.config.Load());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  ReplayProcessOptions replay;
  replay.index = options.index;
  replay.insecure = options.insecure;
  replay.state_folder = options.state_folder;
  replay.address_file = options.address_file;
  GORILA_ASSIGN_OR_RETURN(replay.listen,
                          rpc::ParseEndpoint(options.listen, /*may_be_any_port=*/true));
  GORILA_ASSIGN_OR_RETURN(replay.credentials, options.credentials.Load());
  GORILA_RETURN_IF_ERROR(RunReplayProcess(config, replay, MakeRoleHooks()));
  return kSuccess;
}

constexpr CommandText kText = {
    .name = "replay",
    .summary = "Serve one shard of a global replay memory to other processes",
    .details =
        R"(Keeps the frames of actors and gives minibatches to learners. Goes on from the newest snapshot in
--state-dir, or begins empty. Snapshots are taken every checkpoint.every_seconds and when it is
stopped (Ctrl-C, SIGTERM). The [replay] section holds for each shard. Off loopback it starts only
with certificates, or with --insecure.
)",
    .examples =
        R"(gorila replay --config run.toml --replay-index 0 --state-dir replay-0 --listen 127.0.0.1:7200
)"};

}  // namespace

Verb AddReplayVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kText);
  const auto options = std::make_shared<ReplayOptions>();
  app->add_option("--replay-index", options->index, "Which replay shard this is, from 0")
      ->type_name("N");
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
