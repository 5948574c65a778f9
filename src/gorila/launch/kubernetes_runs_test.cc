#include "gorila/launch/kubernetes_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/config/config_keys.h"

namespace gorila {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

KubernetesRuns Runs(int count) {
  KubernetesRuns runs{
      .name = "a", .runs = {}, .at_once = 0, .cpus = 2, .memory_mb = 700, .kubernetes = {}};
  for (int i = 0; i < count; ++i) {
    KubernetesRun run{.config = {}, .directory = fmt::format("game/n_step-{}/seed1", i + 1)};
    run.config.replay.options.transition.n_step = i + 1;
    runs.runs.push_back(run);
  }
  return runs;
}

int Count(const std::string& text, const std::string& part) {
  int count = 0;
  for (std::size_t i = text.find(part); i != text.npos; i = text.find(part, i + 1)) ++count;
  return count;
}

TEST(KubernetesRunsTest, APodForEachRun) {
  KubernetesRuns runs = Runs(3);
  const std::string text = RenderKubernetesRuns(runs);
  EXPECT_THAT(text, HasSubstr("completions: 3\n"));
  EXPECT_THAT(text, HasSubstr("parallelism: 3\n"));
  EXPECT_THAT(text, HasSubstr("storage: \"6Gi\"\n"));
  EXPECT_THAT(text, HasSubstr("memory: \"700Mi\"\n"));
  EXPECT_THAT(text, HasSubstr("name: a-runs\n"));
  EXPECT_THAT(text, Not(HasSubstr("storageClassName")));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(text, HasSubstr(fmt::format("n_step = {}\n", i + 1)));
    EXPECT_THAT(text, HasSubstr(fmt::format("game/n_step-{}/seed1\n", i + 1)));
  }
  runs.at_once = 2;
  runs.kubernetes.storage_class = "fast";
  EXPECT_THAT(RenderKubernetesRuns(runs), HasSubstr("parallelism: 2\n"));
  EXPECT_THAT(RenderKubernetesRuns(runs), HasSubstr("storageClassName: fast\n"));
  runs.at_once = 5;
  EXPECT_THAT(RenderKubernetesRuns(runs), HasSubstr("parallelism: 3\n"));
}

TEST(KubernetesRunsTest, ManyRunsAreSpreadOverObjectsThatKubectlTakes) {
  const std::string text = RenderKubernetesRuns(Runs(200));
  const int maps = Count(text, "kind: \"ConfigMap\"\n");
  EXPECT_GT(maps, 1);
  // The volume has all of them.
  EXPECT_EQ(Count(text, "configMap:\n"), maps);
  std::size_t begin = 0;
  for (std::size_t end = 0; end != text.npos; begin = end + 1) {
    end = text.find("kind: ", begin);
    EXPECT_LT((end == text.npos ? text.size() : end) - begin, std::size_t{256} << 10);
  }
}

}  // namespace
}  // namespace gorila
