// Many runs, each in one process, as an array job of Slurm.
#ifndef GORILA_LAUNCH_SLURM_ARRAY_H_
#define GORILA_LAUNCH_SLURM_ARRAY_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gorila/config/config.h"

namespace gorila {

struct SlurmTask {
  std::vector<std::string>
      command;                // begins or resumes a run, and ends with a checkpoint on SIGTERM
  std::filesystem::path log;  // its stdout and stderr are appended here
};

struct SlurmArray {
  std::string verb;              // of the program, which made the script
  std::filesystem::path folder;  // absolute, on a file system that all nodes share
  std::vector<SlurmTask> tasks;
  int at_once = 0;  // 0 = as many as Slurm places
  int cpus = 1;     // of each task, and its memory
  std::int64_t memory_mb = 0;
  SlurmSection slurm;
};

// The batch script, for sbatch (SubmitToSlurm); CheckSlurm(folder) holds. A task that is requeued
// resumes its run. At the time limit and on scancel --batch --signal=TERM a run ends with a
// checkpoint.
std::string SlurmArrayScript(const SlurmArray& array);

}  // namespace gorila

#endif  // GORILA_LAUNCH_SLURM_ARRAY_H_
