#include "gorila/cli/run_engines.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "gorila/base/command.h"
#include "gorila/base/file.h"
#include "gorila/cli/exit_status.h"
#include "gorila/cli/parallel_runs.h"
#include "gorila/cli/run_jobs.h"
#include "gorila/cli/run_scoring.h"
#include "gorila/cli/this_program.h"
#include "gorila/launch/kubernetes_manifests.h"
#include "gorila/launch/kubernetes_runs.h"
#include "gorila/launch/slurm_array.h"
#include "gorila/launch/slurm_job.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;

// Those that have no final evaluation.
std::vector<const PlannedRun*> Untrained(const RunPlan& plan) {
  std::vector<const PlannedRun*> runs;
  for (const PlannedRun& run : plan.runs) {
    if (!IsDone(run, {})) runs.push_back(&run);
  }
  return runs;
}

// --- local

Status CheckHere(const RunPlan& plan, const ManyRunsOptions& options) {
  const std::string& cpus = plan.runs.front().config.run.cpus;
  if (options.jobs.value_or(1) == 1 || cpus == "any") return OkStatus();
  return InvalidArgument(
      "--jobs is {}, and run.cpus is {}: runs that train at once would share these cores; expected "
      "--jobs 1, or run.cpus any",
      *options.jobs, cpus);
}

StatusOr<int> PrintLocal(const RunPlan& plan, const ManyRunsOptions&) {
  GORILA_ASSIGN_OR_RETURN(const fs::path program, ThisProgram());
  for (const PlannedRun* const run : Untrained(plan)) {
    fmt::print("{}\n", ShellQuoted(RunCommandLine(program, *run)));
  }
  std::cerr << "gorila: these commands read settings.toml files, which are written when training "
               "begins (without --print)\n";
  return kSuccess;
}

// --- slurm

// Also of "sweeps/a/" and ".", so that the last part is the sweep's name.
fs::path AbsoluteFolder(const fs::path& folder) {
  const fs::path path = fs::absolute(folder).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

Status CheckOnSlurm(const RunPlan&, const ManyRunsOptions& options) {
  return CheckSlurm(AbsoluteFolder(options.folder));
}

// What the largest run takes: a scheduler gives all the same.
struct Resources {
  int cpus = 1;
  std::int64_t memory_mb = 0;
};

StatusOr<Resources> ResourcesOf(const std::vector<const PlannedRun*>& runs) {
  Resources most;
  for (const PlannedRun* const run : runs) {
    GORILA_ASSIGN_OR_RETURN(const RunCost cost, CostOf(run->config));
    most.cpus = std::max({most.cpus, run->config.cluster.cpus, cost.threads});
    most.memory_mb = std::max({most.memory_mb, std::int64_t{run->config.cluster.memory_mb},
                               cost.bytes / (std::int64_t{1} << 20) + 1});
  }
  return most;
}

StatusOr<SlurmArray> MakeArray(const RunPlan& plan, const ManyRunsOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const fs::path program, ThisProgram());
  const std::vector<const PlannedRun*> runs = Untrained(plan);
  GORILA_ASSIGN_OR_RETURN(const Resources resources, ResourcesOf(runs));
  SlurmArray array{.verb = options.verb,
                   .folder = AbsoluteFolder(options.folder),
                   .tasks = {},
                   .at_once = options.jobs.value_or(0),
                   .cpus = resources.cpus,
                   .memory_mb = resources.memory_mb,
                   .slurm = plan.runs.front().config.slurm};
  for (const PlannedRun* const run : runs) {
    PlannedRun there = *run;
    there.directory = fs::absolute(run->directory).lexically_normal();
    array.tasks.push_back({.command = RunCommandLine(program, there), .log = there.log()});
  }
  return array;
}

StatusOr<int> PrintSlurm(const RunPlan& plan, const ManyRunsOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const SlurmArray array, MakeArray(plan, options));
  fmt::print("{}", SlurmArrayScript(array));
  return kSuccess;
}

StatusOr<int> SubmitSlurm(const RunPlan& plan, const ManyRunsOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const SlurmArray array, MakeArray(plan, options));
  GORILA_RETURN_IF_ERROR(WriteRunSettings(Untrained(plan)));
  const fs::path script = array.folder / "job.sh";
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(script, SlurmArrayScript(array)));
  GORILA_ASSIGN_OR_RETURN(const std::string job, SubmitToSlurm(script));
  fmt::print("submitted job {}: an array of {} tasks, a run each; {}\n", job, array.tasks.size(),
             script.string());
  fmt::print("watch it:  squeue --job {}  |  gorila dashboard {}\n", job,
             ShellQuotedPath(options.folder.string()));
  fmt::print("stop it:   scancel --batch --signal=TERM {}  (with checkpoints)\n", job);
  fmt::print("resume:    the same command, when the job has ended\n");
  fmt::print("results:   the same command with --engine local, when all runs are finished\n");
  return kSuccess;
}

// --- kubernetes

// A run in one process has no ports, and ends after run.seconds by itself.
Status CheckOnKubernetes(const RunPlan& plan, const ManyRunsOptions& options) {
  Config config = plan.runs.front().config;
  if (config.network.init_from != "none") {
    return InvalidArgument(
        "network.init_from is {} with --engine kubernetes, whose pods do not see this file; "
        "expected "
        "none",
        config.network.init_from);
  }
  config.run.seconds = 0;
  config.cluster.metrics_port = 0;
  return CheckKubernetes(config, AbsoluteFolder(options.folder).filename().string());
}

StatusOr<std::string> MakeManifests(const RunPlan& plan, const ManyRunsOptions& options) {
  const std::vector<const PlannedRun*> untrained = Untrained(plan);
  GORILA_ASSIGN_OR_RETURN(const Resources resources, ResourcesOf(untrained));
  KubernetesRuns runs{.name = AbsoluteFolder(options.folder).filename().string(),
                      .runs = {},
                      .at_once = options.jobs.value_or(0),
                      .cpus = resources.cpus,
                      .memory_mb = resources.memory_mb,
                      .kubernetes = plan.runs.front().config.kubernetes};
  for (const PlannedRun* const run : untrained) {
    runs.runs.push_back({.config = run->config,
                         .directory = run->directory.lexically_relative(options.folder),
                         .arguments = LabelArguments(run->labels)});
  }
  return RenderKubernetesRuns(runs);
}

StatusOr<int> PrintKubernetes(const RunPlan& plan, const ManyRunsOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const std::string manifests, MakeManifests(plan, options));
  fmt::print("{}", manifests);
  return kSuccess;
}

StatusOr<int> SubmitKubernetes(const RunPlan& plan, const ManyRunsOptions& options) {
  GORILA_ASSIGN_OR_RETURN(const std::string manifests, MakeManifests(plan, options));
  const fs::path folder = AbsoluteFolder(options.folder);
  const fs::path file = folder / "manifests.yaml";
  GORILA_RETURN_IF_ERROR(WriteFileAtomically(file, manifests));
  GORILA_ASSIGN_OR_RETURN(const std::string said, ApplyToKubernetes({file}));
  const std::string name = folder.filename().string();
  const std::string kubectl =
      fmt::format("kubectl --namespace {}", plan.runs.front().config.kubernetes.name_space);
  fmt::print("{}", said);
  fmt::print("watch it:  {} get pods --selector app.kubernetes.io/instance={}\n", kubectl, name);
  fmt::print("resume:    {} delete job {}-runs, and the same command\n", kubectl, name);
  fmt::print(
      "results:   copy what the volume claim {}-runs has into '{}'; then the same command with "
      "--engine local\n",
      name, options.folder.string());
  return kSuccess;
}

constexpr std::array kRunEngines = {
    RunEngine{"local", &CheckHere, &PrintLocal, nullptr},
    RunEngine{"slurm", &CheckOnSlurm, &PrintSlurm, &SubmitSlurm},
    RunEngine{"kubernetes", &CheckOnKubernetes, &PrintKubernetes, &SubmitKubernetes},
};

}  // namespace

StatusOr<RunEngine> FindRunEngine(const ManyRunsOptions& options) {
  std::vector<std::string_view> names;
  for (const RunEngine& engine : kRunEngines) {
    if (engine.name == options.engine) return engine;
    names.push_back(engine.name);
  }
  return InvalidArgument("--engine: unknown name '{}'; expected {}", options.engine,
                         fmt::join(names, ", "));
}

bool AllTrained(const RunPlan& plan) { return Untrained(plan).empty(); }

}  // namespace gorila::cli
