#include "gorila/launch/launcher.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gorila/base/control_groups.h"
#include "gorila/base/file.h"
#include "gorila/base/saturating.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/config/resolve.h"
#include "gorila/evaluation/games_evaluation.h"
#include "gorila/launch/remote_parts.h"
#include "gorila/network/q_network.h"
#include "gorila/network/split/split_network.h"
#include "gorila/replay/remote/replay_service.h"
#include "gorila/replay/replay_shard.h"
#include "gorila/run/added_games.h"
#include "gorila/run/agent_parts.h"
#include "gorila/run/initial_network.h"
#include "gorila/run/run_cores.h"
#include "gorila/run/run_results.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr milliseconds kLaunchLook{100};
constexpr milliseconds kStartDeadline{120'000};
// A worker ends after its iteration, a server after its last snapshot.
constexpr milliseconds kWorkerGrace{15'000};
constexpr milliseconds kServerGrace{60'000};

RoleContext LocalContext(const fs::path& program, const Config& config, const LaunchFiles& files,
                         const LocalAddresses& servers, Role role, int index) {
  const int port = config.cluster.metrics_port;
  return {.program = program.string(),
          .config = files.config().string(),
          .token = files.token().string(),
          .tls_folder = {},
          .parameter_servers = JoinEndpoints(servers.parameter_servers),
          .replays = JoinEndpoints(servers.replays),
          .members = JoinEndpoints(servers.members),
          .metrics = port == 0
                         ? ""
                         : fmt::format("127.0.0.1:{}", port + MetricsPlace(config, role, index))};
}

const std::vector<rpc::Endpoint>& OfRole(const LocalAddresses& addresses, Role role) {
  if (role == Role::kMember) return addresses.members;
  return role == Role::kReplay ? addresses.replays : addresses.parameter_servers;
}

ChildKind KindOf(Role role) {
  if (role == Role::kMember) return ChildKind::kMember;
  return RowOf(role).serves ? ChildKind::kServer : ChildKind::kWorker;
}

ChildCommand MakeChild(Role role, int index, std::vector<std::string> arguments,
                       const LaunchFiles& files) {
  const std::string name = ProcessName(role, index);
  return {.name = name,
          .arguments = std::move(arguments),
          .log = files.logs() / (name + ".log"),
          .kind = KindOf(role)};
}

void AppendServers(const fs::path& program, const Config& config, const LaunchFiles& files,
                   const LocalAddresses& listen, const RoleRow& row,
                   std::vector<ChildCommand>& commands) {
  for (int i = 0; i < row.count(config); ++i) {
    const std::string name = ProcessName(row.role, i);
    const RoleContext context = LocalContext(program, config, files, listen, row.role, i);
    const ServerContext server{
        .listen = rpc::ToString(OfRole(listen, row.role)[static_cast<std::size_t>(i)]),
        .state_folder = (files.servers() / name).string(),
        .address_file = (files.addresses() / name).string()};
    commands.push_back(
        MakeChild(row.role, i, ServerCommand(context, row.role, std::to_string(i), server), files));
  }
}

}  // namespace

LocalAddresses AnyLocalAddresses(const Config& config) {
  const rpc::Endpoint any{.host = "127.0.0.1", .port = 0};
  LocalAddresses addresses;
  addresses.parameter_servers.assign(static_cast<std::size_t>(NumberOfShards(config)), any);
  addresses.replays.assign(static_cast<std::size_t>(config.cluster.replays), any);
  const int members = RowOf(Role::kMember).count(config);
  addresses.members.assign(static_cast<std::size_t>(members), any);
  return addresses;
}

std::vector<ChildCommand> LocalServers(const fs::path& program, const Config& config,
                                       const LaunchFiles& files, const LocalAddresses& listen) {
  std::vector<ChildCommand> commands;
  for (const RoleRow& row : RoleTable()) {
    if (row.serves && row.role != Role::kMember) {
      AppendServers(program, config, files, listen, row, commands);
    }
  }
  return commands;
}

std::vector<ChildCommand> LocalMembers(const fs::path& program, const Config& config,
                                       const LaunchFiles& files, const LocalAddresses& listen) {
  std::vector<ChildCommand> commands;
  AppendServers(program, config, files, listen, RowOf(Role::kMember), commands);
  return commands;
}

std::vector<ChildCommand> LocalWorkers(const fs::path& program, const Config& config,
                                       const LaunchFiles& files, const LocalAddresses& servers) {
  std::vector<ChildCommand> commands;
  for (const RoleRow& row : RoleTable()) {
    for (int i = 0; !row.serves && i < row.count(config); ++i) {
      const RoleContext context = LocalContext(program, config, files, servers, row.role, i);
      commands.push_back(MakeChild(
          row.role, i, WorkerCommand(context, config, row.role, std::to_string(i)), files));
    }
  }
  return commands;
}

Status CheckLaunch(const Config& config) {
  if (config.run.deterministic) {
    return InvalidArgument(
        "run.deterministic is true; expected false: processes do not step in a fixed order");
  }
  GORILA_RETURN_IF_ERROR(CheckConfig(config));
  GORILA_RETURN_IF_ERROR(CheckMetricsPorts(config));
  GORILA_RETURN_IF_ERROR(CheckLearning(config));
  GORILA_RETURN_IF_ERROR(CheckEvaluation(config));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_RETURN_IF_ERROR(PlanSplitNetwork(network, config.learner.members).status());
  GORILA_RETURN_IF_ERROR(CheckGroups(config));
  if (config.cluster.replays == 0) return OkStatus();
  return CheckSampleSize(ResolveReplayOptions(config), network.input);
}

Status CheckLocalLaunch(const Config& config) {
  GORILA_RETURN_IF_ERROR(CheckLaunch(config));
  GORILA_RETURN_IF_ERROR(RunCores(config).status());
  GORILA_RETURN_IF_ERROR(CheckBackend(config.network.backend, config.network.device));
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  const ReplayShardOptions shard{.replay = ResolveReplayOptions(config),
                                 .observation = network.input,
                                 .num_actions = network.num_actions};
  const int memories = config.run.bundles + config.cluster.replays;
  const std::int64_t needed =
      SaturatingSum(Trainer::ExpectedReplayBytes(config, network),
                    SaturatingProduct(ReplayShard::ExpectedBytes(shard), config.cluster.replays));
  GORILA_RETURN_IF_ERROR(CheckReplayBytes(
      config, needed,
      fmt::format("{} memories of {} time steps", memories, config.replay.options.capacity)));
  // What a process takes besides, of what others do not share with it.
  constexpr std::int64_t kProcessBytes = std::int64_t{32} << 20;
  const int processes = CountServers(config) + CountWorkers(config);
  return CheckGroupMemory(ReadGroupLimits(),
                          SaturatingSum(needed, SaturatingProduct(kProcessBytes, 1 + processes)),
                          fmt::format("the launcher and {} processes", processes));
}

Status PrepareLaunchedRun(const Config& config, const RunDirectory& directory) {
  const LaunchFiles files(directory.path());
  GORILA_ASSIGN_OR_RETURN(const NetworkSpec network, ResolveNetwork(config));
  GORILA_RETURN_IF_ERROR(
      StoreInitialNetwork(config, MakeParameterLayout(network), directory.path()).status());
  GORILA_RETURN_IF_ERROR(MakeLaunchFolders(files));
  GORILA_ASSIGN_OR_RETURN(const std::string token, rpc::DrawToken());
  GORILA_RETURN_IF_ERROR(rpc::WriteSecretFile(files.token(), token + "\n"));
  // Last: it makes the folder a run.
  return WriteFileAtomically(directory.config(), RunConfigText(config));
}

StatusOr<Config> ReadLaunchedConfig(const RunDirectory& directory) {
  GORILA_RETURN_IF_ERROR(CheckRunKind(directory.path(), RunKind::kLaunched));
  return LoadRunConfig(directory.config());
}

StatusOr<std::vector<std::string>> CheckLaunchResumable(const RunDirectory& directory,
                                                        const Config& before, Config& config) {
  const LaunchFiles files(directory.path());
  GORILA_ASSIGN_OR_RETURN(const MadeWith made_with, ReadMadeWith(files, before));
  // An automatic number stays what it was.
  if (config.parameter_server.shards == 0 && NumberOfShards(config) != NumberOfShards(before)) {
    config.parameter_server.shards = NumberOfShards(before);
  }
  GORILA_ASSIGN_OR_RETURN(std::vector<std::string> added, AddedGames(made_with, config));
  GORILA_RETURN_IF_ERROR(
      CheckResumable(made_with, config, fmt::format("'{}'", files.servers().string()),
                     added.empty() ? FurtherGames::kNone : FurtherGames::kOfLaunched));
  GORILA_ASSIGN_OR_RETURN(const LoggedProgress logged, ReadLoggedProgress(directory.metrics()));
  const std::int64_t frames = logged.frames;
  if (config.run.frames == before.run.frames || frames <= config.run.frames) return added;
  return InvalidArgument("run.frames is {}; expected at least {}, the frames that the run has",
                         config.run.frames, frames);
}

Launcher::Launcher(const Config& config, std::unique_ptr<RunDirectory> directory,
                   const fs::path& program)
    : config_(config),
      directory_(std::move(directory)),
      files_(fs::absolute(directory_->path())),
      program_(program) {}

StatusOr<std::unique_ptr<Launcher>> Launcher::Open(const Config& config,
                                                   std::unique_ptr<RunDirectory> directory,
                                                   const fs::path& program) {
  std::unique_ptr<Launcher> launcher(new Launcher(config, std::move(directory), program));
  GORILA_ASSIGN_OR_RETURN(launcher->pinned_, PinToRunCores(config));
  GORILA_ASSIGN_OR_RETURN(launcher->token_, rpc::ReadToken(launcher->files_.token()));
  GORILA_ASSIGN_OR_RETURN(launcher->coordinator_,
                          Coordinator::Open(config, *launcher->directory_,
                                            [owner = launcher.get()] { return owner->failure(); }));
  return launcher;
}

StatusOr<TrainingOutcome> Launcher::Run(const TrainerHooks& hooks) {
  children_ = std::make_unique<ChildProcesses>(RestartPolicy{}, hooks.message);
  Status status = StartServers(hooks);
  if (status.ok()) status = StartWorkers(hooks);
  if (status.ok()) status = coordinator_->Watch(hooks);
  // Always in this order, so that the servers' last snapshots contain everything workers sent, and
  // members can say what they did.
  children_->Stop(ChildKind::kWorker, kWorkerGrace);
  children_->Stop(ChildKind::kMember, kWorkerGrace);
  TrainingOutcome outcome;
  if (status.ok()) {
    StatusOr<TrainingOutcome> finished = coordinator_->Finish(hooks);
    status = finished.status();
    if (finished.ok()) outcome = *std::move(finished);
  }
  children_->Stop(ChildKind::kServer, kServerGrace);
  if (coordinator_->interrupted() && absl::IsCancelled(status)) return outcome;
  GORILA_RETURN_IF_ERROR(status);
  return outcome;
}

Status Launcher::StartServers(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(MakeLaunchFolders(files_));
  servers_ = AnyLocalAddresses(config_);
  StartAtAnyAddress(LocalServers(program_, config_, files_, servers_));
  GORILA_ASSIGN_OR_RETURN(servers_.parameter_servers,
                          WaitForAddresses(Role::kParameterServer, hooks));
  Pin(&LocalServers);
  GORILA_ASSIGN_OR_RETURN(servers_.replays, WaitForAddresses(Role::kReplay, hooks));
  Pin(&LocalServers);
  StartAtAnyAddress(LocalMembers(program_, config_, files_, servers_));
  GORILA_ASSIGN_OR_RETURN(servers_.members, WaitForAddresses(Role::kMember, hooks));
  Pin(&LocalMembers);
  return OkStatus();
}

void Launcher::Pin(MakeCommands* make) {
  for (const ChildCommand& fixed : make(program_, config_, files_, servers_)) {
    children_->SetArguments(fixed.name, fixed.arguments);
  }
}

void Launcher::StartAtAnyAddress(std::vector<ChildCommand> commands) {
  for (ChildCommand& command : commands) {
    std::error_code error;  // from an earlier process; another may have its address by now
    fs::remove(files_.addresses() / command.name, error);
    children_->Start(std::move(command));
  }
}

StatusOr<std::vector<rpc::Endpoint>> Launcher::WaitForAddresses(Role role,
                                                                const TrainerHooks& hooks) {
  const auto deadline = std::chrono::steady_clock::now() + kStartDeadline;
  for (;;) {
    auto addresses = ReadAddresses(files_, config_, role);
    if (addresses.ok()) return addresses;
    GORILA_RETURN_IF_ERROR(children_->failure());
    if (coordinator_->StopWanted(hooks)) {
      return absl::CancelledError("stopped while the servers were starting");
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      return absl::DeadlineExceededError(fmt::format("a server did not start within {} s; see '{}'",
                                                     kStartDeadline.count() / 1000,
                                                     files_.logs().string()));
    }
    rpc::SleepUnlessStopped(kLaunchLook, {});
  }
}

Status Launcher::StartWorkers(const TrainerHooks& hooks) {
  GORILA_RETURN_IF_ERROR(coordinator_->Connect({.parameter_servers = servers_.parameter_servers,
                                                .replays = servers_.replays,
                                                .credentials = {.token = token_, .tls = {}},
                                                .patience = kStartDeadline},
                                               hooks));
  // Before any worker can train past them.
  GORILA_RETURN_IF_ERROR(RemoveResults(directory_->path()));
  for (ChildCommand& command : LocalWorkers(program_, config_, files_, servers_)) {
    children_->Start(std::move(command));
  }
  return OkStatus();
}

}  // namespace gorila
