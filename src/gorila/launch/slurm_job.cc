#include "gorila/launch/slurm_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "gorila/base/command.h"
#include "gorila/launch/launch_files.h"
#include "gorila/launch/roles.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;

// The options of both components.
std::string ComponentOptions(const Config& config, int tasks) {
  std::string options = fmt::format(
      "#SBATCH --ntasks={} --cpus-per-task={} --mem-per-cpu={}M\n", tasks, config.cluster.cpus,
      (config.cluster.memory_mb + config.cluster.cpus - 1) / config.cluster.cpus);
  return options + SlurmPlacement(config.slurm);
}

std::string Head(const Config& config, const fs::path& run) {
  std::string head = "#!/bin/bash\n";
  head +=
      "# A run of Gorila, made by gorila launch --engine slurm. Submitted again (sbatch), it "
      "goes\n";
  head += "# on from the servers' snapshots.\n";
  // sbatch reads quotes as a shell does, and expands nothing in them.
  head += fmt::format("#SBATCH --job-name={}\n", ShellQuoted("gorila-" + run.filename().string()));
  head += fmt::format(
      "#SBATCH --output={} --open-mode=append\n",
      ShellQuoted(SlurmOutputPattern((LaunchFiles(run).logs() / "slurm.log").string())));
  head += "#SBATCH --requeue\n";
  if (config.slurm.minutes > 0) head += fmt::format("#SBATCH --signal=B:TERM@{}\n", kSlurmWarning);
  head += ComponentOptions(config, CountServers(config) + 1);
  head += "#SBATCH hetjob\n";
  return head + ComponentOptions(config, CountWorkers(config));
}

constexpr char kFunctions[] = R"bash(
# The node of each task of a component, as Slurm laid them out: "2(x3),1" is 2 2 2 1.
slots() { # slots NODE_LIST TASKS_PER_NODE
  local nodes counts count times i node=0
  mapfile -t nodes < <(scontrol show hostnames "$1")
  IFS=, read -ra counts <<<"$2"
  for count in "${counts[@]}"; do
    times=1
    [[ ! $count =~ ^([0-9]+)\(x([0-9]+)\)$ ]] || count=${BASH_REMATCH[1]} times=${BASH_REMATCH[2]}
    for (( ; times > 0; times--, node++)); do
      for ((i = 0; i < count; i++)); do echo "${nodes[node]}"; done
    done
  done
}

# Where Slurm itself reaches the node.
address_of() { # address_of NODE
  scontrol show node "$1" | grep -o 'NodeAddr=[^ ]*' | cut -d= -f2
}

join() { local IFS=,; echo "$*"; }

# Asks a step to end, once. A signal that reaches a child of bash before it has become another
# program is lost, so the child must be some seconds old.
tell() { # tell STARTED STEP
  (($2 != told)) || return 0
  told=$2
  ((SECONDS - $1 >= 2)) || sleep 2
  kill -TERM "$2" 2>/dev/null
}

# Keeps a process running until it ends well (0) or says that it never will (2). One that keeps
# dying ends the job. For the background: its own process exits.
keep() { # keep COMPONENT NODE NAME ARGUMENT...
  local component=$1 node=$2 name=$3 deaths=0 stopping='' step=0 told=0 started=0 status
  shift 3
  trap 'stopping=yes; tell "$started" "$step"' TERM
  while [[ -z $stopping ]]; do
    started=$SECONDS
    srun --het-group="$component" --nodelist="$node" --nodes=1 --ntasks=1 --cpus-per-task="$cpus" \
      --exact --input=none --job-name="$name" --output="$output/$name.log" --open-mode=append \
      "$program" "$@" &
    step=$!
    [[ -z $stopping ]] || tell "$started" "$step" # it came before the step had a number
    wait "$step"
    status=$?
    # A signal ends the wait, not the step.
    while kill -0 "$step" 2>/dev/null; do wait "$step"; status=$?; done
    [[ -z $stopping && $status != 0 ]] || exit "$status"
    ((SECONDS - started < 10)) || deaths=0
    if ((status == 2 || ++deaths > 10)); then
      echo "$name ended with exit status $status; see $run/logs/$name.log"
      kill -USR1 $$
      exit "$status"
    fi
    echo "$name ended with exit status $status; starting it again"
    sleep 1
  done
}

stop() { # stop PROCESS...
  (($# > 0)) || return 0
  ((SECONDS >= 2)) || sleep 2 # as in tell
  kill -TERM "$@" 2>/dev/null
  # bash may wait for ever for several processes of which one is gone.
  while kill -0 "$@" 2>/dev/null; do sleep 0.2; done
}
)bash";

constexpr char kPlaces[] = R"bash(
failed= stopped=
trap 'failed=yes' USR1 # of a process that gave up
trap 'stopped=yes' TERM
mapfile -t server_nodes < <(slots "$SLURM_JOB_NODELIST_HET_GROUP_0" "$SLURM_TASKS_PER_NODE_HET_GROUP_0")
mapfile -t worker_nodes < <(slots "$SLURM_JOB_NODELIST_HET_GROUP_1" "$SLURM_TASKS_PER_NODE_HET_GROUP_1")
ports=$((${#server_nodes[@]} > 64 ? ${#server_nodes[@]} : 64)) # so that the next jobs have others
port=$((20000 + SLURM_JOB_ID % (12000 / ports) * ports)) # below those that systems give to clients
addresses=()
for i in "${!server_nodes[@]}"; do
  addresses+=("$(address_of "${server_nodes[i]}"):$((port + i))")
done
)bash";

constexpr char kEnd[] = R"bash(
# Until the coordinator has scored the run, somebody gave up, or the job is to stop.
status=0
while [[ -z $failed$stopped ]] && kill -0 "$coordinator" 2>/dev/null; do
  wait "$coordinator"
  status=$?
done
stop "$coordinator"
stop "${workers[@]}"
stop "${servers[@]}"
[[ -z $failed ]] || exit 1
[[ -z $stopped ]] || exit 130
exit "$status"
)bash";

// In double quotes: the arguments name variables of the script.
std::string Expanded(const std::vector<std::string>& command) {
  std::string text;
  for (std::size_t i = 1; i < command.size(); ++i) text += fmt::format(" \"{}\"", command[i]);
  return text;
}

// Starts all processes of a role, each in the next slot of its component.
std::string StartRole(RoleContext context, const Config& config, const RoleRow& row) {
  if (config.cluster.metrics_port > 0) {
    context.metrics = fmt::format("0.0.0.0:$(({} + index))",
                                  config.cluster.metrics_port + MetricsPlace(config, row.role, 0));
  }
  const std::string name = fmt::format("{}-$index", row.name);
  const std::vector<std::string> command =
      row.serves ? ServerCommand(context, row.role, "$index",
                                 {.listen = "${addresses[slot]}",
                                  .state_folder = "$run/servers/" + name,
                                  .address_file = "$run/addresses/" + name})
                 : WorkerCommand(context, config, row.role, "$index");
  const std::string_view group = row.serves ? "server" : "worker";
  return fmt::format(
      "for ((index = 0; index < {}; index++)); do\n"
      "  keep {} \"${{{}_nodes[slot]}}\" \"{}\"{} &\n"
      "  {}s+=($!) slot=$((slot + 1))\n"
      "done\n",
      row.count(config), row.serves ? 0 : 1, group, name, Expanded(command), group);
}

std::string StartAll(RoleContext context, const Config& config) {
  std::string servers = "servers=() slot=0\n";
  std::string workers = "workers=() slot=0\n";
  for (const RoleRow& row : RoleTable()) {
    if (row.count(config) == 0) continue;
    (row.serves ? servers : workers) += StartRole(context, config, row);
  }
  if (config.cluster.metrics_port > 0) {
    context.metrics = fmt::format("0.0.0.0:{}", config.cluster.metrics_port);
  }
  servers += fmt::format("keep 0 \"${{server_nodes[slot]}}\" {}{} &\ncoordinator=$!\n",
                         kCoordinatorName, Expanded(CoordinatorCommand(context, "$run")));
  return servers + workers;
}

// From "JOB" or "JOB;CLUSTER", the last line: warnings may come before it.
StatusOr<std::string> JobNumber(std::string_view said) {
  const std::size_t end = said.find_last_not_of('\n') + 1;
  std::string_view line = said.substr(0, end);
  line = line.substr(line.find_last_of('\n') + 1);
  const std::string_view job = line.substr(0, line.find(';'));
  if (!job.empty() && job.find_first_not_of("0123456789") == job.npos) return std::string(job);
  return Unavailable("sbatch said '{}'; expected the number of the job", said);
}

}  // namespace

std::string SlurmPlacement(const SlurmSection& slurm) {
  std::string options;
  if (slurm.partition != "default") {
    options += fmt::format("#SBATCH --partition={}\n", ShellQuoted(slurm.partition));
  }
  if (slurm.account != "default") {
    options += fmt::format("#SBATCH --account={}\n", ShellQuoted(slurm.account));
  }
  if (slurm.minutes > 0) options += fmt::format("#SBATCH --time={}\n", slurm.minutes);
  return options;
}

// %% is one %.
std::string SlurmOutputPattern(std::string_view path) {
  std::string pattern;
  for (const char c : path) pattern.append(c == '%' ? 2 : 1, c);
  return pattern;
}

std::string SlurmScript(const Config& config, const fs::path& run, const fs::path& program) {
  const int shards = NumberOfShards(config);
  const RoleContext context{.program = "gorila",
                            .config = "$run/config.toml",
                            .token = "$run/token",
                            .tls_folder = "$run/certs",
                            .parameter_servers = "$parameter_servers",
                            .replays = config.cluster.replays > 0 ? "$replays" : "",
                            .members = "$members"};
  std::string script = Head(config, run);
  script += fmt::format("\nset -u\nrun={}\nprogram={}\n", ShellQuoted(run.string()),
                        ShellQuoted(program.string()));
  script += fmt::format("output={} # %% is one % to srun\n",
                        ShellQuoted(SlurmOutputPattern(LaunchFiles(run).logs().string())));
  // Since Slurm 22.05, steps do not inherit it from the job.
  script += fmt::format("cpus={}\n", config.cluster.cpus);
  script += kFunctions;
  script += kPlaces;
  script += fmt::format("parameter_servers=$(join \"${{addresses[@]:0:{}}}\")\n", shards);
  script +=
      fmt::format("replays=$(join \"${{addresses[@]:{}:{}}}\")\n", shards, config.cluster.replays);
  if (const int members = RowOf(Role::kMember).count(config); members > 0) {
    script += fmt::format("members=$(join \"${{addresses[@]:{}:{}}}\")\n",
                          shards + config.cluster.replays, members);
  }
  script += "\n";
  return script + StartAll(context, config) + kEnd;
}

Status CheckSlurm(const fs::path& run) {
  const std::string name = run.string();
  const bool possible = std::none_of(name.begin(), name.end(), [](char c) {
    return c == '\\' || (c >= 0 && c < ' ') || c == 0x7f;
  });
  if (possible) return OkStatus();
  return InvalidArgument(
      "'{}', the run's folder, is in the paths of Slurm's logs; expected any characters but "
      "backslashes, line breaks, tabs and other control characters",
      name);
}

StatusOr<std::string> SubmitToSlurm(const fs::path& script) {
  GORILA_ASSIGN_OR_RETURN(const CommandOutcome outcome,
                          RunCommand({"sbatch", "--parsable", script.string()}));
  if (outcome.exit_status != 0) {
    return Unavailable("sbatch ended with exit status {}: {}", outcome.exit_status, outcome.output);
  }
  return JobNumber(outcome.output);
}

}  // namespace gorila
