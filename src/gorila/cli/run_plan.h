// Many runs in one folder, as `gorila suite` and `gorila sweep` plan them.
#ifndef GORILA_CLI_RUN_PLAN_H_
#define GORILA_CLI_RUN_PLAN_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/cli/config_flags.h"
#include "gorila/cli/label_flags.h"
#include "gorila/config/config.h"
#include "gorila/config/sweep_points.h"

namespace gorila::cli {

struct ManyRunsOptions {
  const char* verb = "suite";      // for messages
  std::vector<std::string> games;  // names of lists or environments
  ConfigFlags config;
  LabelFlags labels;
  std::filesystem::path folder;
  int seeds = 1;
  std::vector<std::string> protocols;  // besides the runs' own
  std::optional<int> jobs;             // at once
  std::string engine = "local";
  bool print = false;  // what would be started
  bool quiet = false;
};

// GAME, --folder, --seeds, --protocols, --jobs, --engine, --print, --quiet, labels and the flags of
// the configuration. `jobs`: the help of --jobs.
void AddManyRunsFlags(CLI::App& app, ManyRunsOptions& options, const char* jobs);

// One training run.
struct PlannedRun {
  Config config;
  std::string game;  // as the command or its list names it
  SweepPoint point;  // of a sweep
  std::filesystem::path directory;
  RunLabels labels = {};  // that it begins with

  // All of the run's settings; runs that differ only in the seed share the file.
  std::filesystem::path settings() const { return directory.parent_path() / "settings.toml"; }
  // What the run's process says.
  std::filesystem::path log() const {
    return directory.parent_path() / (directory.filename().string() + ".log");
  }
};

struct RunPlan {
  std::vector<SweepAxis> axes;  // of a sweep
  std::vector<PlannedRun> runs;
};

// The named environments, each once.
std::vector<std::string> ExpandNames(const std::vector<std::string>& names);

inline constexpr std::size_t kMostRuns = 10'000;

// Every game with every point and every seed, all of them checked (Trainer::Check). Blocks where an
// environment of one's own has to be asked what it is like. `reads_initial`: whether
// network.init_from is read, to see that it fits. InvalidArgument before anything is written.
StatusOr<RunPlan> PlanRuns(const ManyRunsOptions& options, const Config& config,
                           std::vector<SweepAxis> axes, const std::vector<SweepPoint>& points,
                           bool reads_initial);

// InvalidArgument where a --set names the game, which GAME does.
Status CheckNoGameIsSet(const ManyRunsOptions& options);

// InvalidArgument unless every protocol is known.
Status CheckProtocols(const ManyRunsOptions& options);

}  // namespace gorila::cli

#endif  // GORILA_CLI_RUN_PLAN_H_
