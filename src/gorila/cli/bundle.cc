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
#include "gorila/config/games.h"
#include "gorila/launch/bundle_process.h"
#include "gorila/launch/role_cores.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/run/trainer.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kBundleFlags[] = {
    kEnvFlag,
    kSeedFlag,
    kFramesFlag,
    {"--bundles", "run.bundles", "N", "Bundle processes of the run"}};

struct BundleOptions {
  ConfigFlags config;
  RoleFlags role;
  std::string parameter_servers;
  std::string members;
  int index = 0;
};

StatusOr<int> TrainBundle(const BundleOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  BundleProcessOptions bundle;
  bundle.index = options.index;
  GORILA_ASSIGN_OR_RETURN(bundle.parameter_servers, rpc::ParseEndpoints(options.parameter_servers));
  if (!options.members.empty()) {
    GORILA_ASSIGN_OR_RETURN(bundle.members, ParseMembers(options.members));
  }
  config.parameter_server.shards = static_cast<int>(bundle.parameter_servers.size());
  Config own = config;  // other bundles have their replay memory on other machines
  own.run.bundles = 1;
  own.cluster = {};
  FitEnvironments(own);  // all bundles together play the games equally
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_RETURN_IF_ERROR(Trainer::Check(own));
  GORILA_ASSIGN_OR_RETURN(const auto pinned, PinProcess(config, Role::kBundle, bundle.index));
  GORILA_ASSIGN_OR_RETURN(bundle.credentials, options.role.Load());
  GORILA_ASSIGN_OR_RETURN(const auto metrics, options.role.StartMetrics());
  GORILA_RETURN_IF_ERROR(RunBundleProcess(config, bundle, MakeRoleHooks(metrics->board)));
  return kSuccess;
}

constexpr CommandText kBundleText = {
    .name = "bundle",
    .summary = "Train with an actor, a replay memory and a learner around parameter servers",
    .details =
        R"(Ends when the run has its frames; exits with status 130 when stopped earlier (Ctrl-C, SIGTERM). It
keeps no state, so it can be killed and restarted at any time. It waits for parameter servers that
are down. All processes of a run need the same configuration.
)",
    .examples =
        R"(gorila bundle --config run.toml --bundle-index 0 --parameter-servers 127.0.0.1:7100,127.0.0.1:7101
)"};

}  // namespace

Verb AddBundleVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kBundleText);
  const auto options = std::make_shared<BundleOptions>();
  app->add_option("--parameter-servers", options->parameter_servers,
                  "Addresses of all shards, in their order")
      ->required()
      ->type_name("ADDRESS,...");
  RemoteFlags::AddMembersTo(*app, options->members);
  AddNumber(*app, "--bundle-index", options->index, {.units = false},
            "Which bundle this is, from 0");
  options->role.AddTo(*app, kInsecureMetrics);
  options->config.AddKeys(*app, kBundleFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return TrainBundle(*options); }};
}

}  // namespace gorila::cli
