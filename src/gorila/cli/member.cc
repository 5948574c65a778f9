#include <CLI/App.hpp>
#include <memory>
#include <string>

#include "gorila/cli/command.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/role_flags.h"
#include "gorila/cli/serving_flags.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_keys.h"
#include "gorila/launch/member_process.h"
#include "gorila/launch/role_cores.h"
#include "gorila/rpc/endpoint.h"

namespace gorila::cli {
namespace {

constexpr KeyFlag kMemberFlags[] = {
    kEnvFlag,
    kSeedFlag,
    {"--bundles", "run.bundles", "N", "Bundle processes of the run"},
    {"--learners", "cluster.learners", "N", "Learner processes of the run"},
    {"--members", "learner.members", "N", "Members of each group, with the bundle or learner"}};

struct MemberOptions {
  ConfigFlags config;
  ServingFlags serving;
  std::string parameter_servers;
};

StatusOr<int> ServeMember(const MemberOptions& options) {
  CatchStopSignals();
  GORILA_ASSIGN_OR_RETURN(Config config, options.config.Load());
  MemberProcessOptions member;
  GORILA_ASSIGN_OR_RETURN(member.parameter_servers, rpc::ParseEndpoints(options.parameter_servers));
  config.parameter_server.shards = static_cast<int>(member.parameter_servers.size());
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_ASSIGN_OR_RETURN(member.serving, options.serving.Load());
  GORILA_ASSIGN_OR_RETURN(const auto pinned,
                          PinProcess(config, Role::kMember, member.serving.index));
  GORILA_ASSIGN_OR_RETURN(const auto metrics, options.serving.StartMetrics());
  GORILA_RETURN_IF_ERROR(RunMemberProcess(config, member, MakeRoleHooks(metrics->board)));
  return kSuccess;
}

constexpr CommandText kMemberText = {
    .name = "member",
    .summary = "Compute a part of a bundle's or learner's network for it",
    .details =
        R"(With learner.members above 1 each bundle and learner computes its network together with that many
members less one, each of which has some units of the wide layers: it pulls, keeps and pushes their
parameters alone. It keeps no state, so it can be killed and restarted at any time: what is lost is
the gradient of that moment, or with learner.push_every the sum. It serves until it is stopped
(Ctrl-C, SIGTERM). Off loopback it starts only with certificates, or with --insecure.
)",
    .examples =
        R"(gorila member --config run.toml --member-index 0 --parameter-servers 127.0.0.1:7100
)"};

}  // namespace

Verb AddMemberVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kMemberText);
  const auto options = std::make_shared<MemberOptions>();
  app->add_option("--parameter-servers", options->parameter_servers,
                  "Addresses of all shards, in their order")
      ->required()
      ->type_name("ADDRESS,...");
  options->serving.AddTo(*app, "--member-index", ServingFlags::State::kNone);
  options->config.AddKeys(*app, kMemberFlags);
  options->config.AddSources(*app);
  options->config.AddSets(*app);
  return {app, [options](const Invocation&) { return ServeMember(*options); }};
}

}  // namespace gorila::cli
