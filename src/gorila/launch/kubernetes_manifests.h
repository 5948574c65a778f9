// A run as Kubernetes objects: a StatefulSet with a headless Service and volumes for each role that
// serves, an indexed Job for each role that works, a Job for the coordinator.
#ifndef GORILA_LAUNCH_KUBERNETES_MANIFESTS_H_
#define GORILA_LAUNCH_KUBERNETES_MANIFESTS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "gorila/base/status.h"
#include "gorila/config/config.h"

namespace gorila {

struct KubernetesFiles {
  std::string manifests;  // YAML: everything but secrets
  std::string secrets;    // YAML: the token, and each role's certificate and key
};

// InvalidArgument unless `name` can begin the names of objects: a DNS label of at most 35 letters,
// digits and '-'; for a namespace that is not a label either; and for what Kubernetes does not do
// (run.seconds).
Status CheckKubernetes(const Config& config, const std::string& name);

// `name`: of the run. `folder`: holds token and certs (launch_files.h); empty: the secrets have
// empty values, for showing them. Errors of reading those files.
StatusOr<KubernetesFiles> RenderKubernetes(const Config& config, const std::string& name,
                                           const std::filesystem::path& folder);

// kubectl apply, file by file; what it says. Unavailable when it fails, NotFound where there is
// none. Blocks.
StatusOr<std::string> ApplyToKubernetes(const std::vector<std::filesystem::path>& files);

}  // namespace gorila

#endif  // GORILA_LAUNCH_KUBERNETES_MANIFESTS_H_
