#include "gorila/launch/slurm_array.h"

#include <fmt/format.h>

#include "gorila/base/command.h"
#include "gorila/launch/slurm_job.h"

namespace gorila {
namespace {

std::string Head(const SlurmArray& array) {
  std::string head = "#!/bin/bash\n";
  head +=
      fmt::format("# Runs of Gorila, a task each, made by gorila {} --engine slurm.\n", array.verb);
  // sbatch reads quotes as a shell does, and expands nothing in them.
  head += fmt::format("#SBATCH --job-name={}\n",
                      ShellQuoted("gorila-" + array.folder.filename().string()));
  head += fmt::format("#SBATCH --array=0-{}{}\n", array.tasks.size() - 1,
                      array.at_once > 0 ? fmt::format("%{}", array.at_once) : "");
  head += fmt::format("#SBATCH --output={} --open-mode=append\n",
                      ShellQuoted(SlurmOutputPattern((array.folder / "slurm.log").string())));
  head += "#SBATCH --requeue\n";
  if (array.slurm.minutes > 0) head += fmt::format("#SBATCH --signal=B:TERM@{}\n", kSlurmWarning);
  head +=
      fmt::format("#SBATCH --ntasks=1 --cpus-per-task={} --mem={}M\n", array.cpus, array.memory_mb);
  return head + SlurmPlacement(array.slurm);
}

}  // namespace

std::string SlurmArrayScript(const SlurmArray& array) {
  std::string script = Head(array);
  // exec: signals to the batch shell reach the run itself.
  script += "\nrun() { # run LOG COMMAND...\n  exec >>\"$1\" 2>&1\n  shift\n  exec \"$@\"\n}\n";
  script += "case $SLURM_ARRAY_TASK_ID in\n";
  for (std::size_t i = 0; i < array.tasks.size(); ++i) {
    const SlurmTask& task = array.tasks[i];
    script += fmt::format("{}) run {} {} ;;\n", i, ShellQuoted(task.log.string()),
                          ShellQuoted(task.command));
  }
  return script + "*) echo \"no run for task '$SLURM_ARRAY_TASK_ID'\"; exit 2 ;;\nesac\n";
}

}  // namespace gorila
