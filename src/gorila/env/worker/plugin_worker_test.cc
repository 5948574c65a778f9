#include "gorila/env/worker/plugin_worker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gorila/env/worker/testing.h"

namespace gorila {
namespace {

using testing::HasSubstr;
using testing_worker::Walker;

class PluginWorkerTest : public testing_worker::WorkerEnvironmentTest {};

constexpr std::string_view kPlugins = GORILA_PLUGIN_FOLDER;

std::string Plugin(std::string_view library, std::string_view prefix = "plugin-process:") {
  return fmt::format("{}{}/lib{}.so", prefix, kPlugins, library);
}

TEST_F(PluginWorkerTest, APluginInItsProcessIsThePluginInThisOne) {
  EnvironmentOptions options = Options(R"({"length":7})");
  const auto here = Factory(Plugin("test_plugin", "plugin:"), options);
  const auto there = Factory(Plugin("test_plugin"), options);
  Walker one(Make(*here, 5));
  Walker other(Make(*there, 5));
  EXPECT_EQ(one.Play(200), other.Play(200));
  EXPECT_EQ(one.environment().spec().action_names, other.environment().spec().action_names);
  Walker restored(Make(*there, 6));
  other.CopyStateTo(restored);
  EXPECT_EQ(other.Play(50), restored.Play(50));
}

TEST_F(PluginWorkerTest, APluginThatWritesBeyondItsBufferIsToldSo) {
  const auto factory = Factory(Plugin("test_plugin"), Options(R"({"overflow_at":4})"));
  Walker walker(Make(*factory, 1));
  EXPECT_EQ(walker.Play(4).size(), 4U);
  walker.Submit();
  EXPECT_THAT(std::string(walker.Step().status().message()),
              HasSubstr("step wrote beyond its observation of 16 bytes"));
}

TEST_F(PluginWorkerTest, APluginThatCrashesLosesItsEpisodeAlone) {
  const auto factory = Factory(Plugin("test_plugin"), Options(R"({"crash_at":4})"));
  Walker walker(Make(*factory, 1));
  EXPECT_EQ(walker.Play(4).size(), 4U);
  walker.Submit();
  EXPECT_TRUE(IsEpisodeLost(walker.Step().status()));
  walker.BeginAnew();
  EXPECT_EQ(walker.Play(4).size(), 4U);
}

TEST_F(PluginWorkerTest, APluginThatNeedsAProcessHasOne) {
  const auto factory = Factory(Plugin("test_plugin_own_process"), Options());
  const auto plain = Factory(Plugin("test_plugin"), Options());
  for (std::uint64_t i = 0; i < 3; ++i) {
    Walker own(Make(*factory, i));
    Walker expected(Make(*plain, i));
    EXPECT_EQ(own.Play(50), expected.Play(50));
  }
  EXPECT_THAT(Refused(Plugin("test_plugin_own_process", "plugin:"), Options()),
              HasSubstr("plugin-process:"));
}

TEST_F(PluginWorkerTest, WhatIsNoPluginIsRefusedByItsProcess) {
  EXPECT_THAT(Refused(Plugin("no_such"), Options()), HasSubstr("libno_such.so"));
  EXPECT_THAT(Refused(Plugin("test_plugin_no_symbol"), Options()), HasSubstr("gorila_env_get_api"));
  EXPECT_THAT(Refused(Plugin("test_plugin"), Options(R"({"refuse_spec":1})")),
              HasSubstr("no such"));
}

}  // namespace
}  // namespace gorila
