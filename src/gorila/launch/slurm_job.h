// A run as a heterogeneous Slurm job: the servers and the coordinator in its first component, the
// workers in its second.
#ifndef GORILA_LAUNCH_SLURM_JOB_H_
#define GORILA_LAUNCH_SLURM_JOB_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

// InvalidArgument when Slurm cannot write logs below `run`, the run's absolute directory: in paths
// it takes a backslash as its own sign, and its options end with the line.
Status CheckSlurm(const std::filesystem::path& run);

// #SBATCH lines: where a job is placed, and for how long.
std::string SlurmPlacement(const SlurmSection& slurm);

// `path` as the value of --output, in which Slurm replaces %j and the like.
std::string SlurmOutputPattern(std::string_view path);

// Seconds between the warning of the time limit and the limit: state is saved then.
inline constexpr int kSlurmWarning = 120;

// The batch script, for sbatch. `run`: the run's directory (launch_files.h), absolute and on a file
// system that all nodes share; so is `program`. CheckSlurm(run) holds. The script finds addresses
// from the node list that Slurm gives the job, starts again what dies, and stops in order: at the
// end, at the time limit and on scancel --batch --signal=TERM. Requeued or submitted again it goes
// on from the snapshots.
std::string SlurmScript(const Config& config, const std::filesystem::path& run,
                        const std::filesystem::path& program);

// Submits the script with sbatch and returns the job's number. Unavailable with sbatch's message,
// NotFound without sbatch. Blocks.
StatusOr<std::string> SubmitToSlurm(const std::filesystem::path& script);

}  // namespace gorila

#endif  // GORILA_LAUNCH_SLURM_JOB_H_
