#include "gorila/launch/kubernetes_manifests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>

#include "gorila/config/config_keys.h"
#include "gorila/config/testing.h"
#include "gorila/launch/roles.h"
#include "gorila/launch/yaml_text.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

Config ClusterConfig() {
  Config config = testing_config::SmallConfig();
  config.run.deterministic = false;
  config.parameter_server.shards = 2;
  config.cluster = {.actors = 3, .learners = 1, .replays = 2, .cpus = 2, .memory_mb = 512};
  return config;
}

// Objects by "kind/name".
std::map<std::string, YAML::Node> Objects(const std::string& text) {
  std::map<std::string, YAML::Node> objects;
  for (const YAML::Node& object : YAML::LoadAll(text)) {
    objects[object["kind"].as<std::string>() + "/" + object["metadata"]["name"].as<std::string>()] =
        object;
  }
  return objects;
}

std::map<std::string, YAML::Node> Manifests(const Config& config) {
  return Objects(RenderKubernetes(config, "run", {}).value().manifests);
}

std::vector<std::string> Arguments(const YAML::Node& object) {
  return object["spec"]["template"]["spec"]["containers"][0]["args"].as<std::vector<std::string>>();
}

TEST(KubernetesTest, EveryRoleHasItsObject) {
  const auto objects = Manifests(ClusterConfig());
  EXPECT_EQ(objects.size(), 11u);
  EXPECT_EQ(objects.at("StatefulSet/run-parameter-server")["spec"]["replicas"].as<int>(), 2);
  EXPECT_EQ(objects.at("StatefulSet/run-replay")["spec"]["replicas"].as<int>(), 2);
  EXPECT_EQ(objects.at("Service/run-replay")["spec"]["clusterIP"].as<std::string>(), "None");
  EXPECT_EQ(objects.at("Job/run-actor")["spec"]["completions"].as<int>(), 3);
  EXPECT_EQ(objects.at("Job/run-bundle")["spec"]["completions"].as<int>(), 2);
  for (const char* const name :
       {"ConfigMap/run-config", "NetworkPolicy/run-own-processes", "Service/run-parameter-server",
        "Job/run-learner", "PersistentVolumeClaim/run-run", "Job/run-coordinator"}) {
    EXPECT_EQ(objects.count(name), 1u) << name;
  }
}

TEST(KubernetesTest, ProcessesKnowTheirIndexAndTheServersNames) {
  const auto objects = Manifests(ClusterConfig());
  const auto server = Arguments(objects.at("StatefulSet/run-replay"));
  EXPECT_EQ(server.front(), "replay");
  EXPECT_THAT(server, Contains("$(SERVER_INDEX)"));
  const auto actor = Arguments(objects.at("Job/run-actor"));
  EXPECT_THAT(actor, Contains("$(JOB_COMPLETION_INDEX)"));
  EXPECT_THAT(actor, Contains("run-parameter-server-0.run-parameter-server.default.svc:7100,"
                              "run-parameter-server-1.run-parameter-server.default.svc:7100"));
}

TEST(KubernetesTest, PodsHaveNoMoreRightsThanTheyNeed) {
  int pods = 0;
  for (const auto& [name, object] : Manifests(ClusterConfig())) {
    if (!object["spec"].IsDefined() || !object["spec"]["template"].IsDefined()) continue;
    const YAML::Node pod = object["spec"]["template"]["spec"];
    ++pods;
    EXPECT_TRUE(pod["securityContext"]["runAsNonRoot"].as<bool>()) << name;
    EXPECT_FALSE(pod["automountServiceAccountToken"].as<bool>()) << name;
    const YAML::Node container = pod["containers"][0];
    EXPECT_TRUE(container["securityContext"]["readOnlyRootFilesystem"].as<bool>()) << name;
    EXPECT_EQ(container["resources"]["requests"]["memory"].as<std::string>(), "512Mi") << name;
    EXPECT_EQ(container["resources"]["limits"]["cpu"].as<std::string>(), "2") << name;
  }
  EXPECT_EQ(pods, 6);
}

TEST(KubernetesTest, EveryPodServesMetricsWhenAskedTo) {
  Config config = ClusterConfig();
  config.cluster.metrics_port = 9100;
  int pods = 0;
  for (const auto& [name, object] : Manifests(config)) {
    if (!object["spec"].IsDefined() || !object["spec"]["template"].IsDefined()) continue;
    ++pods;
    EXPECT_THAT(Arguments(object), Contains("0.0.0.0:9100")) << name;
    const YAML::Node annotations = object["spec"]["template"]["metadata"]["annotations"];
    EXPECT_EQ(annotations["prometheus.io/port"].as<std::string>(), "9100") << name;
  }
  EXPECT_EQ(pods, 6);
  config.cluster.metrics_port = 7100;
  EXPECT_EQ(CheckKubernetes(config, "run").message(),
            "cluster.metrics_port is 7100; expected another port: on Kubernetes, servers listen on "
            "this one");
}

TEST(KubernetesTest, TheConfigurationArrivesAsItIs) {
  const Config config = ClusterConfig();
  const std::string text =
      Manifests(config).at("ConfigMap/run-config")["data"]["config.toml"].as<std::string>();
  EXPECT_EQ(text, ToToml(config));
}

TEST(KubernetesTest, SecretsHoldWhatTheFilesHoldAndManifestsDoNot) {
  const fs::path folder =
      fs::path(testing::TempDir()) / fmt::format("kubernetes_test-{}", ::getpid());
  fs::create_directories(folder / "certs");
  std::ofstream(folder / "token") << "sesame\n";
  std::ofstream(folder / "certs" / "ca.crt") << "authority";
  for (const std::string& name : CertificateNames()) {
    std::ofstream(folder / "certs" / (name + ".crt")) << "certificate of " << name;
    std::ofstream(folder / "certs" / (name + ".key")) << "key of " << name;
  }
  const KubernetesFiles files = RenderKubernetes(ClusterConfig(), "run", folder).value();
  fs::remove_all(folder);
  const auto secrets = Objects(files.secrets);
  EXPECT_EQ(secrets.size(), 6u);
  const YAML::Node data = secrets.at("Secret/run-actor")["data"];
  EXPECT_EQ(data["token"].as<std::string>(), "c2VzYW1lCg==");
  EXPECT_EQ(data["actor.key"].as<std::string>(), "a2V5IG9mIGFjdG9y");
  EXPECT_EQ(data.size(), 4u) << "nobody else's key";
  EXPECT_EQ(files.manifests.find("c2VzYW1l"), std::string::npos);
  EXPECT_TRUE(absl::IsNotFound(RenderKubernetes(ClusterConfig(), "run", folder).status()));
}

TEST(KubernetesTest, NamesMustSuitKubernetes) {
  for (const char* const name : {"run", "a", "run-1", "a23456789b123456789c123456789d12345"}) {
    EXPECT_TRUE(CheckKubernetes(ClusterConfig(), name).ok()) << name;
  }
  for (const std::string name :
       {"", "Run", "1run", "run-", "my run", "run.1", "a23456789b123456789c123456789d123456",
        "-run", "it's", "a\"b", "a\\b", "a\nb", "100%", "$HOME", "$(HOME)", "`id`", "l\u00e4ufe",
        "a\x7f"}) {
    const Status status = CheckKubernetes(ClusterConfig(), name);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("a-z, 0-9 and '-'"));
  }
}

// It is in addresses, and in commands that are printed.
TEST(KubernetesTest, NamespacesMustSuitKubernetes) {
  Config config = ClusterConfig();
  for (const char* const name : {"default", "7", "team-1"}) {
    config.kubernetes.name_space = name;
    EXPECT_TRUE(CheckKubernetes(config, "run").ok()) << name;
  }
  for (const std::string& name :
       {std::string("-x"), std::string("x-"), std::string("a/b"), std::string("Team"),
        std::string("a.b"), std::string(), std::string(64, 'a')}) {
    config.kubernetes.name_space = name;
    const Status status = CheckKubernetes(config, "run");
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("kubernetes.namespace is '"));
  }
}

TEST(KubernetesTest, TimeDoesNotEndARun) {
  Config config = ClusterConfig();
  config.run.seconds = 60;
  const Status status = CheckKubernetes(config, "run");
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("run.seconds"));
}

TEST(YamlTextTest, StringsStayStrings) {
  const nlohmann::ordered_json value = {
      {"a", "1"},    {"b", "true"},     {"c", "x: y"}, {"d", "two\nlines\n"},
      {"e", ""},     {"f", 1},          {"g", true},   {"h", "1e3"},
      {"i", "yes"},  {"j", {"x", "y"}}, {"k", ".inf"}, {"l", "-.inf"},
      {"m", ".nan"}, {"n", "-"}};
  const YAML::Node read = YAML::Load(YamlText({value}));
  for (const char* const key : {"a", "b", "c", "d", "e", "h", "i", "k", "l", "m", "n"}) {
    EXPECT_EQ(read[key].as<std::string>(), value[key].get<std::string>()) << key;
    EXPECT_EQ(read[key].Tag(), "!") << key << " would be read as something else";
  }
  EXPECT_EQ(read["f"].Tag(), "?");
  EXPECT_EQ(read["j"].size(), 2u);
}

}  // namespace
}  // namespace gorila
