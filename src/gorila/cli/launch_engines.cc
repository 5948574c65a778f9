#include "gorila/cli/launch_engines.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/base/command.h"
#include "gorila/base/file.h"
#include "gorila/base/nearest.h"
#include "gorila/cli/training_session.h"
#include "gorila/launch/kubernetes_manifests.h"
#include "gorila/launch/launcher.h"
#include "gorila/launch/role_cores.h"
#include "gorila/launch/slurm_job.h"
#include "gorila/rpc/certificates.h"
#include "gorila/rpc/run_identity.h"
#include "gorila/run/logged_progress.h"
#include "gorila/run/run_starts.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kCertificateDays = 365;

StartSettings SettingsOf(const Config& config, const LaunchRequest& request) {
  return {.now = config, .before = request.before == nullptr ? config : *request.before};
}

// Where the coordinator, which records its own start, runs elsewhere: the command that had it
// started, and what it changed.
Status RecordSubmission(const Config& config, const RunDirectory& directory,
                        const LaunchRequest& request) {
  GORILA_ASSIGN_OR_RETURN(const LoggedProgress logged, ReadLoggedProgress(directory.metrics()));
  RunStart start = DescribeStart(request.invocation);
  start.frames = logged.frames;
  start.seconds = logged.seconds;
  return AppendRunStart(directory.path(), start, SettingsOf(config, request));
}

// --- local

StatusOr<int> PrintLocal(const Config& config, const fs::path& run, const LaunchRequest& request) {
  const LaunchFiles files(run);
  const LocalAddresses any = AnyLocalAddresses(config);  // the servers choose their ports
  for (const auto& commands : {LocalServers(request.program, config, files, any),
                               LocalMembers(request.program, config, files, any),
                               LocalWorkers(request.program, config, files, any)}) {
    for (const ChildCommand& command : commands) {
      fmt::print("{}\n", ShellQuoted(command.arguments));
    }
  }
  return kSuccess;
}

StatusOr<int> RunLocal(const Config& config, std::unique_ptr<RunDirectory> directory,
                       const LaunchRequest& request) {
  const fs::path path = directory->path();
  GORILA_ASSIGN_OR_RETURN(const auto launcher,
                          Launcher::Open(config, std::move(directory), request.program));
  if (!request.quiet) GORILA_RETURN_IF_ERROR(PrintPlan(config, NumberOfShards(config), path));
  GORILA_RETURN_IF_ERROR(request.watch->Start(path, config, nullptr, request.quiet));
  TrainingConsole console(request.quiet);
  TrainerHooks hooks = console.Hooks();
  hooks.progress = request.watch->Showing(std::move(hooks.progress));
  RecordStart(path, request.invocation, SettingsOf(config, request), hooks);
  console.BeginWith(path, config);
  GORILA_ASSIGN_OR_RETURN(const TrainingOutcome outcome, launcher->Run(hooks));
  return EndRun(path, config, outcome, request.invocation,
                "gorila launch --resume " + ShellQuotedPath(path.string()));
}

Status CheckHere(const Config& config, const fs::path&) { return CheckLocalLaunch(config); }

// --- slurm and kubernetes: processes on several machines, so certificates for all of them

Status MakeCertificatesOnce(const LaunchFiles& files) {
  std::error_code error;
  if (fs::exists(files.certificates(), error)) return OkStatus();
  // Renamed when complete, so that an interrupted launch leaves no folder with only some of them.
  fs::path incomplete = files.certificates();
  incomplete += ".tmp";
  GORILA_RETURN_IF_ERROR(RemovePathAndBelow(incomplete));
  GORILA_RETURN_IF_ERROR(rpc::WriteCertificates(incomplete, CertificateNames(), kCertificateDays));
  return RenamePath(incomplete, files.certificates());
}

// Also of "run/" and ".", so that the last part is the run's name.
fs::path AbsoluteRun(const fs::path& run) {
  const fs::path path = fs::absolute(run).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

Status CheckOnSlurm(const Config& config, const fs::path& run) {
  GORILA_RETURN_IF_ERROR(CheckLaunch(config));
  GORILA_RETURN_IF_ERROR(CheckEnginePlaces(config, "slurm"));
  return CheckSlurm(AbsoluteRun(run));
}

StatusOr<int> PrintSlurm(const Config& config, const fs::path& run, const LaunchRequest& request) {
  fmt::print("{}", SlurmScript(config, AbsoluteRun(run), request.program));
  return kSuccess;
}

StatusOr<int> RunOnSlurm(const Config& config, std::unique_ptr<RunDirectory> directory,
                         const LaunchRequest& request) {
  const LaunchFiles files(AbsoluteRun(directory->path()));
  GORILA_RETURN_IF_ERROR(RecordSubmission(config, *directory, request));
  directory.reset();  // the coordinator will hold it
  GORILA_RETURN_IF_ERROR(MakeCertificatesOnce(files));
  const fs::path script = files.run / "job.sh";
  GORILA_RETURN_IF_ERROR(
      WriteFileAtomically(script, SlurmScript(config, files.run, request.program)));
  GORILA_ASSIGN_OR_RETURN(const std::string job, SubmitToSlurm(script));
  const std::string run = ShellQuoted(files.run.string());
  const fs::path log = files.logs() / fmt::format("{}.log", kCoordinatorName);
  fmt::print("submitted job {}\n", job);
  fmt::print("watch it:  tail -f {}  |  gorila status {}\n", ShellQuoted(log.string()), run);
  fmt::print("stop it:   scancel --batch --signal=TERM {}  (with snapshots)\n", job);
  fmt::print("resume:    gorila launch --engine slurm --resume {}\n", run);
  return kSuccess;
}

Status CheckOnKubernetes(const Config& config, const fs::path& run) {
  GORILA_RETURN_IF_ERROR(CheckLaunch(config));
  GORILA_RETURN_IF_ERROR(CheckEnginePlaces(config, "kubernetes"));
  if (config.network.init_from != "none") {
    return InvalidArgument(
        "network.init_from is {} with --engine kubernetes, whose parameter servers do not see this "
        "machine's files; expected none, or --engine local or slurm",
        config.network.init_from);
  }
  return CheckKubernetes(config, AbsoluteRun(run).filename().string());
}

StatusOr<int> PrintKubernetes(const Config& config, const fs::path& run, const LaunchRequest&) {
  GORILA_ASSIGN_OR_RETURN(const KubernetesFiles files,
                          RenderKubernetes(config, AbsoluteRun(run).filename().string(), {}));
  fmt::print("{}# The values of the secrets are made at submission.\n{}", files.manifests,
             files.secrets);
  return kSuccess;
}

StatusOr<int> RunOnKubernetes(const Config& config, std::unique_ptr<RunDirectory> directory,
                              const LaunchRequest& request) {
  const LaunchFiles files(AbsoluteRun(directory->path()));
  GORILA_RETURN_IF_ERROR(RecordSubmission(config, *directory, request));
  GORILA_RETURN_IF_ERROR(MakeCertificatesOnce(files));
  const std::string name = files.run.filename().string();
  GORILA_ASSIGN_OR_RETURN(const KubernetesFiles rendered,
                          RenderKubernetes(config, name, files.run));
  const fs::path manifests = files.run / "manifests.yaml";
  const fs::path secrets = files.run / "secrets.yaml";
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(manifests, rendered.manifests));
  std::error_code error;
  fs::remove(secrets, error);
  GORILA_RETURN_IF_ERROR(rpc::WriteSecretFile(secrets, rendered.secrets));
  GORILA_ASSIGN_OR_RETURN(const std::string said, ApplyToKubernetes({secrets, manifests}));
  const std::string& name_space = config.kubernetes.name_space;
  fmt::print("{}", said);
  fmt::print("watch it:  kubectl --namespace {} logs --follow job/{}-coordinator\n", name_space,
             name);
  fmt::print(
      "end it:    kubectl --namespace {} delete all,configmap,secret,networkpolicy,pvc"
      " --selector app.kubernetes.io/instance={}  (volumes too)\n",
      name_space, name);
  return kSuccess;
}

constexpr std::array kEngines = {
    LaunchEngine{"local", true, &CheckHere, &PrintLocal, &RunLocal},
    LaunchEngine{"slurm", false, &CheckOnSlurm, &PrintSlurm, &RunOnSlurm},
    LaunchEngine{"kubernetes", false, &CheckOnKubernetes, &PrintKubernetes, &RunOnKubernetes},
};

}  // namespace

StatusOr<LaunchEngine> FindLaunchEngine(std::string_view name) {
  std::vector<std::string_view> names;
  for (const LaunchEngine& engine : kEngines) {
    if (engine.name == name) return engine;
    names.push_back(engine.name);
  }
  return InvalidArgument(
      "--engine: unknown name '{}'; did you mean {}? 'gorila help launch' lists all", name,
      NearestNamesText(name, names));
}

}  // namespace gorila::cli
