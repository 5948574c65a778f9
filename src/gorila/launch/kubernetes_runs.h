// Many runs, each in one process, as an indexed Job of Kubernetes with a volume for all of them.
#ifndef GORILA_LAUNCH_KUBERNETES_RUNS_H_
#define GORILA_LAUNCH_KUBERNETES_RUNS_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gorila/config/config.h"

namespace gorila {

struct KubernetesRun {
  Config config;
  std::filesystem::path directory;  // below the volume, relative
  // More flags of gorila train; none has a line break.
  std::vector<std::string> arguments = {};
};

struct KubernetesRuns {
  std::string name;  // of the objects; CheckKubernetes() holds
  std::vector<KubernetesRun> runs;
  int at_once = 0;  // 0 = all
  int cpus = 1;     // of each run, and its memory
  std::int64_t memory_mb = 0;
  KubernetesSection kubernetes;
};

// YAML: ConfigMaps with the runs' configurations, a NetworkPolicy that lets nobody in, a volume
// claim that pods on several nodes share, and a Job whose pods begin or resume a run each.
std::string RenderKubernetesRuns(const KubernetesRuns& runs);

}  // namespace gorila

#endif  // GORILA_LAUNCH_KUBERNETES_RUNS_H_
