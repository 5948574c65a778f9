#include "gorila/launch/kubernetes_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "gorila/config/config_keys.h"
#include "gorila/launch/yaml_text.h"

namespace gorila {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kRunsUser = 10001;  // anybody but root; owns the volume
constexpr char kRunsConfigFolder[] = "/etc/gorila/runs";
constexpr char kRunsFolder[] = "/var/lib/gorila";
// kubectl apply keeps a copy of an object in an annotation, which may have 256 KiB.
constexpr std::size_t kMostBytes = 200'000;
// A pod has so long for its last checkpoint.
constexpr int kGraceSeconds = 300;

// A pod finds its run by its index: its folder, and in further lines a flag each.
constexpr char kScript[] =
    "{ read -r run; while IFS= read -r flag; do set -- \"$@\" \"$flag\"; done; } "
    "</etc/gorila/runs/$JOB_COMPLETION_INDEX.run && "
    "exec gorila train --config \"/etc/gorila/runs/$JOB_COMPLETION_INDEX.toml\" "
    "--run-dir \"/var/lib/gorila/$run\" --resume --quiet \"$@\"";

// Every key, without the comments: some forty runs fit into an object then.
std::string CompactToml(const Config& config) {
  std::string text;
  std::string_view section;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.section() != section) text += fmt::format("[{}]\n", key.section());
    section = key.section();
    text += fmt::format("{} = {}\n", key.last_part(), ValueText(key.field, config));
  }
  return text;
}

class RunsRenderer {
 public:
  explicit RunsRenderer(const KubernetesRuns& runs) : runs_(runs) {}

  std::vector<Json> Objects() const {
    std::vector<Json> objects = ConfigMaps();
    Json sources = Json::array();
    for (const Json& map : objects) {
      sources.push_back({{"configMap", {{"name", map["metadata"]["name"]}}}});
    }
    objects.push_back(NetworkPolicy());
    objects.push_back(Volume());
    objects.push_back(Job(std::move(sources)));
    return objects;
  }

 private:
  Json Labels() const {
    return {{"app.kubernetes.io/name", "gorila"}, {"app.kubernetes.io/instance", runs_.name}};
  }
  Json Metadata(const std::string& part) const {
    return {{"name", fmt::format("{}-{}", runs_.name, part)},
            {"namespace", runs_.kubernetes.name_space},
            {"labels", Labels()}};
  }

  std::vector<Json> ConfigMaps() const {
    std::vector<Json> maps;
    std::size_t bytes = kMostBytes;
    for (std::size_t i = 0; i < runs_.runs.size(); ++i) {
      const std::string text = CompactToml(runs_.runs[i].config);
      bytes += text.size();
      if (bytes > kMostBytes) {
        maps.push_back({{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", Metadata(fmt::format("config-{}", maps.size()))},
                        {"data", Json::object()}});
        bytes = text.size();
      }
      maps.back()["data"][fmt::format("{}.toml", i)] = text;
      std::string run = runs_.runs[i].directory.string() + "\n";
      for (const std::string& flag : runs_.runs[i].arguments) run += flag + "\n";
      maps.back()["data"][fmt::format("{}.run", i)] = std::move(run);
    }
    return maps;
  }

  // Nobody needs to reach a run.
  Json NetworkPolicy() const {
    return {{"apiVersion", "networking.k8s.io/v1"},
            {"kind", "NetworkPolicy"},
            {"metadata", Metadata("nobody")},
            {"spec", {{"podSelector", {{"matchLabels", Labels()}}}, {"policyTypes", {"Ingress"}}}}};
  }

  Json Volume() const {
    const auto gigabytes = runs_.kubernetes.storage_gb * std::int64_t(runs_.runs.size());
    Json spec = {{"accessModes", {"ReadWriteMany"}},
                 {"resources", {{"requests", {{"storage", fmt::format("{}Gi", gigabytes)}}}}}};
    if (runs_.kubernetes.storage_class != "default") {
      spec["storageClassName"] = runs_.kubernetes.storage_class;
    }
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolumeClaim"},
            {"metadata", Metadata("runs")},
            {"spec", spec}};
  }

  Json Container() const {
    const Json resources = {{"cpu", std::to_string(runs_.cpus)},
                            {"memory", fmt::format("{}Mi", runs_.memory_mb)}};
    return {{"name", "run"},
            {"image", runs_.kubernetes.image},
            {"command", {"/bin/sh", "-c", kScript}},
            {"resources", {{"requests", resources}, {"limits", resources}}},
            {"securityContext",
             {{"allowPrivilegeEscalation", false},
              {"readOnlyRootFilesystem", true},
              {"capabilities", {{"drop", {"ALL"}}}}}},
            {"volumeMounts",
             {{{"name", "config"}, {"mountPath", kRunsConfigFolder}, {"readOnly", true}},
              {{"name", "runs"}, {"mountPath", kRunsFolder}}}}};
  }

  Json PodSpec(Json sources) const {
    return {{"automountServiceAccountToken", false},
            {"restartPolicy", "Never"},
            {"terminationGracePeriodSeconds", kGraceSeconds},
            {"securityContext",
             {{"runAsNonRoot", true},
              {"runAsUser", kRunsUser},
              {"runAsGroup", kRunsUser},
              {"fsGroup", kRunsUser},
              {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
            {"containers", Json::array({Container()})},
            {"volumes",
             {{{"name", "config"}, {"projected", {{"sources", std::move(sources)}}}},
              {{"name", "runs"},
               {"persistentVolumeClaim", {{"claimName", fmt::format("{}-runs", runs_.name)}}}}}}};
  }

  // A run that fails is tried again a few times, and the others continue; a node's failure does not
  // count, and a request that can never work (exit status 2) is not tried again.
  Json Job(Json sources) const {
    const auto count = static_cast<int>(runs_.runs.size());
    const Json disruption = {
        {"action", "Ignore"},
        {"onPodConditions", Json::array({{{"type", "DisruptionTarget"}, {"status", "True"}}})}};
    const Json hopeless = {
        {"action", "FailIndex"},
        {"onExitCodes", {{"containerName", "run"}, {"operator", "In"}, {"values", {2}}}}};
    return {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"metadata", Metadata("runs")},
            {"spec",
             {{"completionMode", "Indexed"},
              {"completions", count},
              {"parallelism", runs_.at_once > 0 ? std::min(runs_.at_once, count) : count},
              {"backoffLimitPerIndex", 3},
              {"podFailurePolicy", {{"rules", Json::array({disruption, hopeless})}}},
              {"template",
               {{"metadata", {{"labels", Labels()}}}, {"spec", PodSpec(std::move(sources))}}}}}};
  }

  const KubernetesRuns& runs_;
};

}  // namespace

std::string RenderKubernetesRuns(const KubernetesRuns& runs) {
  return YamlText(RunsRenderer(runs).Objects());
}

}  // namespace gorila
