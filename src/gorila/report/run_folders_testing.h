// Folders of runs for tests of what reads them.
#ifndef GORILA_REPORT_RUN_FOLDERS_TESTING_H_
#define GORILA_REPORT_RUN_FOLDERS_TESTING_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "gorila/config/config_load.h"
#include "gorila/config/presets.h"
#include "gorila/report/evaluation_record.h"

namespace gorila {

// A folder that is removed with the fixture.
class RunFoldersTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(testing::TempDir()) /
            fmt::format("{}_{}_{}", test->test_suite_name(), test->name(), ::getpid());
    std::filesystem::create_directories(root_);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  static Config CatchConfig(std::uint64_t seed = 1) {
    Config config = *LoadPreset("minatar");
    config.environment.name = "classic/catch";
    config.run.seed = seed;
    config.run.frames = 1000;
    return config;
  }

  // Held last by a process of this machine, so that its state is known.
  std::filesystem::path MakeRun(const std::string& name, const Config& config,
                                const std::string& log = "") const {
    const std::filesystem::path run = root_ / name;
    std::filesystem::create_directories(run);
    char host[256] = {};
    ::gethostname(host, sizeof(host) - 1);
    std::ofstream(run / ".lock") << host << "\n";
    std::ofstream(run / "config.toml") << RunConfigText(config);
    if (!log.empty()) std::ofstream(run / "metrics.jsonl") << log;
    return run;
  }

  static std::string TrainingRow(int frames, double mean, int episodes = 100,
                                 const std::string& more = "") {
    return fmt::format(
        R"({{"kind":"training","frames":{},"updates":{},"return_episodes":{},"return_mean":{}{}}})"
        "\n",
        frames, frames, episodes, mean, more);
  }
  static std::string EvaluationRow(int frames, double mean) {
    return fmt::format(R"({{"kind":"evaluation","frames":{},"protocol":"greedy","return_mean":{},)"
                       R"("standard_error":0.5}})"
                       "\n",
                       frames, mean);
  }

  // Both episodes have the return `mean`.
  static void Finish(const std::filesystem::path& run, double mean,
                     const std::string& problem = "") {
    EvaluationResult result;
    result.protocol = "greedy";
    result.returns = {mean, mean};
    result.summary = SummariseReturns(result.returns);
    ScoreContext context;
    context.problem = problem;
    std::ofstream(run / "evaluation.json") << EncodeEvaluation({.environment = "classic/catch",
                                                                .seed = 1,
                                                                .frames = 1000,
                                                                .result = result,
                                                                .context = context});
  }

  std::filesystem::path root_;
};

}  // namespace gorila

#endif  // GORILA_REPORT_RUN_FOLDERS_TESTING_H_
