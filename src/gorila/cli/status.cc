#include <fmt/format.h>

#include <CLI/App.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "gorila/cli/command.h"
#include "gorila/cli/role_flags.h"
#include "gorila/cli/status_table.h"
#include "gorila/cli/verb.h"
#include "gorila/config/config_load.h"
#include "gorila/launch/launch_files.h"
#include "gorila/parameter_server/remote/shard_service.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/rpc/call_threads.h"
#include "gorila/rpc/channel.h"

namespace gorila::cli {
namespace {

constexpr std::chrono::milliseconds kTimeout{3000};

struct StatusOptions {
  std::filesystem::path run;
  std::string parameter_servers;
  std::string replays;
  CredentialFlags credentials;
  double interval = 1;
};

struct Target {
  std::vector<rpc::Endpoint> shards;
  std::vector<rpc::Endpoint> replays;
  RoleCredentials credentials;
};

StatusOr<Target> FindTarget(const StatusOptions& options) {
  if (options.run.empty() == options.parameter_servers.empty()) {
    return InvalidArgument(
        "expected either the directory of a launched run or --parameter-servers");
  }
  Target target;
  GORILA_ASSIGN_OR_RETURN(target.credentials, options.credentials.Load());
  if (!options.replays.empty()) {
    GORILA_ASSIGN_OR_RETURN(target.replays, rpc::ParseEndpoints(options.replays));
  }
  if (options.run.empty()) {
    GORILA_ASSIGN_OR_RETURN(target.shards, rpc::ParseEndpoints(options.parameter_servers));
    return target;
  }
  const LaunchFiles files(options.run);
  GORILA_ASSIGN_OR_RETURN(const Config config, LoadRunConfig(files.config()));
  GORILA_ASSIGN_OR_RETURN(target.shards, ReadAddresses(files, config, Role::kParameterServer));
  GORILA_ASSIGN_OR_RETURN(target.replays, ReadAddresses(files, config, Role::kReplay));
  GORILA_ASSIGN_OR_RETURN(target.credentials, OperatorCredentials(files));
  return target;
}

// Servers that do not answer are named on stderr; the others are shown.
std::vector<v1::RoleStatus> AskAll(const std::vector<std::unique_ptr<rpc::Channel>>& channels,
                                   bool say, int& silent) {
  std::vector<v1::RoleStatus> roles;
  silent = 0;
  for (const std::unique_ptr<rpc::Channel>& channel : channels) {
    const auto response = rpc::AskStatus(*channel, kTimeout);
    if (!response.ok()) {
      ++silent;
      if (say) {
        fmt::print(stderr, "gorila: {} does not answer: {}\n", rpc::ToString(channel->endpoint()),
                   std::string(response.status().message()));
      }
      continue;
    }
    roles.insert(roles.end(), response->roles().begin(), response->roles().end());
  }
  return roles;
}

StatusOr<int> ShowStatus(const StatusOptions& options) {
  if (!(options.interval > 0 && options.interval <= 3600)) {
    return InvalidArgument("--interval is {}; expected more than 0 and at most 3600",
                           options.interval);
  }
  GORILA_ASSIGN_OR_RETURN(const Target target, FindTarget(options));
  GORILA_RETURN_IF_ERROR(rpc::CheckCallThreads());
  std::vector<std::unique_ptr<rpc::Channel>> channels;
  const auto add = [&](const std::vector<rpc::Endpoint>& endpoints, const char* role) {
    for (const rpc::Endpoint& endpoint : endpoints) {
      channels.push_back(std::make_unique<rpc::Channel>(
          rpc::ChannelOptions{.endpoint = endpoint,
                              .role = role,
                              .tls = target.credentials.tls,
                              .identity = {.token = target.credentials.token, .layout = {}}}));
    }
  };
  add(target.shards, kParameterServerRole);
  add(target.replays, kReplayRole);
  int silent = 0;
  StatusSamples samples{.before = AskAll(channels, /*say=*/false, silent), .after = {}};
  rpc::SleepUnlessStopped(
      std::chrono::milliseconds(static_cast<std::int64_t>(options.interval * 1000)), {});
  samples.after = AskAll(channels, /*say=*/true, silent);
  if (!samples.after.empty()) fmt::print("{}", FormatStatus(samples));
  return silent == 0 ? kSuccess : kFailure;
}

constexpr CommandText kStatusText = {
    .name = "status",
    .summary = "Show the health of a distributed run",
    .details =
        R"(Asks every parameter server and replay shard; bundles, actors and learners are shown as of their
last report to shard 0. Rates are over --interval. Exit status 1 when a server does not answer.
)",
    .examples = R"(gorila status runs/cluster
gorila status --parameter-servers host-a:7100,host-b:7100 --token-file token \
  --tls-cert operator.crt --tls-key operator.key --tls-ca ca.crt
)"};

}  // namespace

Verb AddStatusVerb(CLI::App& gorila) {
  CLI::App* const app = AddCommand(gorila, kStatusText);
  const auto options = std::make_shared<StatusOptions>();
  app->add_option("RUN", options->run, "Directory of a launched run")->type_name("");
  app->add_option("--parameter-servers", options->parameter_servers,
                  "Addresses of all shards, in their order")
      ->type_name("ADDRESS,...");
  app->add_option("--replays", options->replays, "Addresses of the replay shards, if there are any")
      ->type_name("ADDRESS,...");
  app->add_option("--interval", options->interval, "Seconds over which rates are measured")
      ->type_name("N");
  options->credentials.AddTo(*app);
  return {app, [options](const Invocation&) { return ShowStatus(*options); }};
}

}  // namespace gorila::cli
