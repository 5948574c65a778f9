#include "gorila/launch/kubernetes_manifests.h"

#include <absl/strings/escaping.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "gorila/base/command.h"
#include "gorila/base/file.h"
#include "gorila/base/file_kind.h"
#include "gorila/config/config_keys.h"
#include "gorila/launch/launch_files.h"
#include "gorila/launch/roles.h"
#include "gorila/launch/yaml_text.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kPort = 7100;
constexpr int kUser = 10001;  // anybody but root; owns the volumes
// A label of a StatefulSet's pods is its name and eleven more characters, at most 63 in all; the
// longest name ends with "-parameter-server".
constexpr std::size_t kMaxName = 35;
constexpr std::size_t kMaxLabel = 63;  // of a namespace
constexpr char kConfigFolder[] = "/etc/gorila/config";
constexpr char kSecretFolder[] = "/etc/gorila/secret";
constexpr char kStateFolder[] = "/var/lib/gorila";

// All objects of one run.
class Renderer {
 public:
  Renderer(const Config& config, std::string name) : config_(config), name_(std::move(name)) {}

  std::vector<Json> Manifests() const {
    std::vector<Json> objects = {ConfigMap(), NetworkPolicy()};
    for (const RoleRow& row : RoleTable()) {
      if (row.count(config_) == 0) continue;
      if (row.serves) objects.push_back(Service(row));
      objects.push_back(row.serves ? StatefulSet(row) : IndexedJob(row));
    }
    objects.push_back(RunVolume());
    objects.push_back(CoordinatorJob());
    return objects;
  }

  // One for each certificate that a process uses.
  StatusOr<std::vector<Json>> Secrets(const fs::path& folder) const {
    std::vector<Json> secrets;
    for (const std::string& role : SecretRoles()) {
      Json data;
      for (const auto& [key, file] : SecretFiles(role)) {
        std::string contents;
        if (!folder.empty()) {
          GORILA_ASSIGN_OR_RETURN(contents, ReadFileOf(kSecretFile, folder / file));
        }
        data[key] = absl::Base64Escape(contents);
      }
      secrets.push_back({{"apiVersion", "v1"},
                         {"kind", "Secret"},
                         {"metadata", Metadata(Object(role))},
                         {"type", "Opaque"},
                         {"data", data}});
    }
    return secrets;
  }

 private:
  using NamedFile = std::pair<std::string, fs::path>;

  std::string Object(std::string_view part) const { return fmt::format("{}-{}", name_, part); }

  Json Labels() const {
    return {{"app.kubernetes.io/name", "gorila"}, {"app.kubernetes.io/instance", name_}};
  }
  Json RoleLabels(std::string_view role) const {
    Json labels = Labels();
    labels["app.kubernetes.io/component"] = role;
    return labels;
  }
  Json Metadata(const std::string& name) const {
    return {{"name", name}, {"namespace", config_.kubernetes.name_space}, {"labels", Labels()}};
  }

  std::vector<std::string> SecretRoles() const {
    std::vector<std::string> roles;
    for (const RoleRow& row : RoleTable()) {
      if (row.count(config_) > 0) roles.emplace_back(row.name);
    }
    roles.emplace_back(kOperatorName);
    return roles;
  }
  static std::vector<NamedFile> SecretFiles(const std::string& role) {
    return {{"token", "token"},
            {"ca.crt", fs::path("certs") / "ca.crt"},
            {role + ".crt", fs::path("certs") / (role + ".crt")},
            {role + ".key", fs::path("certs") / (role + ".key")}};
  }

  int metrics_port() const { return config_.cluster.metrics_port; }

  // A pod's metadata. The annotations tell Prometheus where to scrape, as its common configuration
  // expects.
  Json PodMetadata(std::string_view role) const {
    Json metadata = {{"labels", RoleLabels(role)}};
    if (metrics_port() > 0) {
      metadata["annotations"] = {{"prometheus.io/scrape", "true"},
                                 {"prometheus.io/scheme", "https"},
                                 {"prometheus.io/port", std::to_string(metrics_port())},
                                 {"prometheus.io/path", "/metrics"}};
    }
    return metadata;
  }

  Json ConfigMap() const {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", Metadata(Object("config"))},
            {"data", {{"config.toml", ToToml(config_)}}}};
  }

  // Only the run's own processes may reach its servers; anyone who has the token may reach
  // /metrics.
  Json NetworkPolicy() const {
    const Json own = {{"podSelector", {{"matchLabels", Labels()}}}};
    Json ingress = Json::array({{{"from", Json::array({own})}}});
    if (metrics_port() > 0) {
      ingress.push_back({{"ports", Json::array({{{"port", metrics_port()}}})}});
    }
    return {{"apiVersion", "networking.k8s.io/v1"},
            {"kind", "NetworkPolicy"},
            {"metadata", Metadata(Object("own-processes"))},
            {"spec",
             {{"podSelector", {{"matchLabels", Labels()}}},
              {"policyTypes", {"Ingress"}},
              {"ingress", ingress}}}};
  }

  // Headless, so that every server has its own name, even before it is ready: clients wait for it.
  Json Service(const RoleRow& row) const {
    return {{"apiVersion", "v1"},
            {"kind", "Service"},
            {"metadata", Metadata(Object(row.name))},
            {"spec",
             {{"clusterIP", "None"},
              {"publishNotReadyAddresses", true},
              {"selector", RoleLabels(row.name)},
              {"ports", Json::array({{{"name", "grpc"}, {"port", kPort}}})}}}};
  }

  std::string Addresses(Role role) const {
    const RoleRow& row = RowOf(role);
    const int count = row.count(config_);
    std::vector<std::string> addresses;
    addresses.reserve(count);
    for (int i = 0; i < count; ++i) {
      addresses.push_back(fmt::format("{}-{}.{}.{}.svc:{}", Object(row.name), i, Object(row.name),
                                      config_.kubernetes.name_space, kPort));
    }
    return fmt::format("{}", fmt::join(addresses, ","));
  }
  RoleContext Context() const {
    return {.program = "gorila",
            .config = fmt::format("{}/config.toml", kConfigFolder),
            .token = fmt::format("{}/token", kSecretFolder),
            .tls_folder = kSecretFolder,
            .parameter_servers = Addresses(Role::kParameterServer),
            .replays = Addresses(Role::kReplay),
            .members = Addresses(Role::kMember),
            .metrics = metrics_port() > 0 ? fmt::format("0.0.0.0:{}", metrics_port()) : ""};
  }

  // `command`: as of roles.h; the image's entry point is the program.
  Json Container(const std::string& name, std::vector<std::string> command) const {
    command.erase(command.begin());
    Json ports = Json::array();
    if (metrics_port() > 0) {
      ports.push_back({{"name", "metrics"}, {"containerPort", metrics_port()}});
    }
    const Json resources = {{"cpu", std::to_string(config_.cluster.cpus)},
                            {"memory", fmt::format("{}Mi", config_.cluster.memory_mb)}};
    return {{"name", name},
            {"image", config_.kubernetes.image},
            {"args", command},
            {"ports", ports},
            {"resources", {{"requests", resources}, {"limits", resources}}},
            {"securityContext",
             {{"allowPrivilegeEscalation", false},
              {"readOnlyRootFilesystem", true},
              {"capabilities", {{"drop", {"ALL"}}}}}},
            {"volumeMounts",
             {{{"name", "config"}, {"mountPath", kConfigFolder}, {"readOnly", true}},
              {{"name", "secret"}, {"mountPath", kSecretFolder}, {"readOnly", true}}}}};
  }

  Json PodSpec(const std::string& secret_role, Json container) const {
    return {{"automountServiceAccountToken", false},
            {"securityContext",
             {{"runAsNonRoot", true},
              {"runAsUser", kUser},
              {"runAsGroup", kUser},
              {"fsGroup", kUser},
              {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
            {"containers", Json::array({std::move(container)})},
            {"volumes",
             {{{"name", "config"}, {"configMap", {{"name", Object("config")}}}},
              {{"name", "secret"},
               {"secret", {{"secretName", Object(secret_role)}, {"defaultMode", 0440}}}}}}};
  }

  Json VolumeClaim() const {
    Json spec = {
        {"accessModes", {"ReadWriteOnce"}},
        {"resources",
         {{"requests", {{"storage", fmt::format("{}Gi", config_.kubernetes.storage_gb)}}}}}};
    if (config_.kubernetes.storage_class != "default") {
      spec["storageClassName"] = config_.kubernetes.storage_class;
    }
    return spec;
  }

  Json StatefulSet(const RoleRow& row) const {
    const ServerContext server{.listen = fmt::format("0.0.0.0:{}", kPort),
                               .state_folder = fmt::format("{}/state", kStateFolder),
                               .address_file = {}};
    Json container = Container(std::string(row.name),
                               ServerCommand(Context(), row.role, "$(SERVER_INDEX)", server));
    const Json index = {{"fieldPath", "metadata.labels['apps.kubernetes.io/pod-index']"}};
    container["env"] =
        Json::array({{{"name", "SERVER_INDEX"}, {"valueFrom", {{"fieldRef", index}}}}});
    container["ports"].push_back({{"name", "grpc"}, {"containerPort", kPort}});
    const Json connects = {{"tcpSocket", {{"port", "grpc"}}}};
    container["startupProbe"] = connects;
    container["startupProbe"]["failureThreshold"] = 60;
    container["startupProbe"]["periodSeconds"] = 5;
    container["readinessProbe"] = connects;
    container["livenessProbe"] = connects;
    const bool has_state = row.role != Role::kMember;
    if (has_state) {
      container["volumeMounts"].push_back({{"name", "state"}, {"mountPath", kStateFolder}});
    }
    Json pod = PodSpec(std::string(row.name), std::move(container));
    if (has_state) pod["terminationGracePeriodSeconds"] = 60;  // for the last snapshot
    Json spec = {{"serviceName", Object(row.name)},
                 {"replicas", row.count(config_)},
                 {"podManagementPolicy", "Parallel"},
                 {"selector", {{"matchLabels", RoleLabels(row.name)}}},
                 {"template", {{"metadata", PodMetadata(row.name)}, {"spec", pod}}}};
    if (has_state) {
      spec["volumeClaimTemplates"] =
          Json::array({{{"metadata", {{"name", "state"}}}, {"spec", VolumeClaim()}}});
    }
    return {{"apiVersion", "apps/v1"},
            {"kind", "StatefulSet"},
            {"metadata", Metadata(Object(row.name))},
            {"spec", spec}};
  }

  Json Job(const std::string& role, int count, Json pod) const {
    pod["restartPolicy"] = "OnFailure";
    return {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"metadata", Metadata(Object(role))},
            {"spec",
             {{"completionMode", "Indexed"},
              {"completions", count},
              {"parallelism", count},
              {"backoffLimit", 1000},  // workers may die as often as nodes do
              {"template", {{"metadata", PodMetadata(role)}, {"spec", pod}}}}}};
  }

  Json IndexedJob(const RoleRow& row) const {
    const std::string role(row.name);
    return Job(role, row.count(config_),
               PodSpec(role, Container(role, WorkerCommand(Context(), config_, row.role,
                                                           "$(JOB_COMPLETION_INDEX)"))));
  }

  Json RunVolume() const {
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolumeClaim"},
            {"metadata", Metadata(Object("run"))},
            {"spec", VolumeClaim()}};
  }

  Json CoordinatorJob() const {
    Json container = Container(kCoordinatorName,
                               CoordinatorCommand(Context(), fmt::format("{}/run", kStateFolder)));
    container["volumeMounts"].push_back({{"name", "run"}, {"mountPath", kStateFolder}});
    Json pod = PodSpec(kOperatorName, std::move(container));
    pod["volumes"].push_back(
        {{"name", "run"}, {"persistentVolumeClaim", {{"claimName", Object("run")}}}});
    return Job(kCoordinatorName, 1, std::move(pod));
  }

  const Config& config_;
  const std::string name_;
};

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }

// A DNS label.
bool IsLabel(std::string_view name, std::size_t longest) {
  return !name.empty() && name.size() <= longest && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return IsLower(c) || (c >= '0' && c <= '9') || c == '-'; });
}

// As kubectl reads the values of --filename: between commas, or all that is in quotes.
std::string FlagValue(const fs::path& file) {
  std::string value(1, '"');
  for (const char c : file.string()) value.append(c == '"' ? 2 : 1, c);
  return value + '"';
}

}  // namespace

Status CheckKubernetes(const Config& config, const std::string& name) {
  if (!IsLabel(name, kMaxName) || !IsLower(name.front())) {
    return InvalidArgument(
        "'{}', the last part of the folder, names the Kubernetes objects; expected at most {} "
        "characters a-z, 0-9 and '-', a letter first",
        name, kMaxName);
  }
  const KubernetesSection& kubernetes = config.kubernetes;
  if (!IsLabel(kubernetes.name_space, kMaxLabel)) {
    return InvalidArgument(
        "kubernetes.namespace is '{}'; expected at most {} characters a-z, 0-9 and '-', which is "
        "neither first nor last",
        kubernetes.name_space, kMaxLabel);
  }
  if (config.cluster.metrics_port == kPort) {
    return InvalidArgument(
        "cluster.metrics_port is {}; expected another port: on Kubernetes, servers listen on this "
        "one",
        kPort);
  }
  if (config.run.seconds > 0) {
    return InvalidArgument(
        "run.seconds is {}; expected 0: on Kubernetes run.frames ends a run, for every process",
        config.run.seconds);
  }
  return OkStatus();
}

StatusOr<KubernetesFiles> RenderKubernetes(const Config& config, const std::string& name,
                                           const fs::path& folder) {
  const Renderer renderer(config, name);
  GORILA_ASSIGN_OR_RETURN(const std::vector<Json> secrets, renderer.Secrets(folder));
  return KubernetesFiles{.manifests = YamlText(renderer.Manifests()), .secrets = YamlText(secrets)};
}

StatusOr<std::string> ApplyToKubernetes(const std::vector<fs::path>& files) {
  std::vector<std::string> arguments = {"kubectl", "apply"};
  for (const fs::path& file : files) {
    arguments.emplace_back("--filename");
    arguments.push_back(FlagValue(file));
  }
  GORILA_ASSIGN_OR_RETURN(const CommandOutcome outcome, RunCommand(arguments));
  if (outcome.exit_status != 0) {
    return Unavailable("kubectl ended with exit status {}: {}", outcome.exit_status,
                       outcome.output);
  }
  return outcome.output;
}

}  // namespace gorila
