#include "gorila/env/external/external_name.h"

#include <gtest/gtest.h>

namespace gorila {
namespace {

bool Fits(std::string_view name) { return CheckExternalName(ParseExternalName(name).value()).ok(); }

TEST(ExternalNameTest, ThePrefixSaysTheKind) {
  const auto name = ParseExternalName("gymnasium:ale_py:ALE/Breakout-v5");
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->kind, ExternalKind::kGymnasium);
  EXPECT_EQ(name->target, "ale_py:ALE/Breakout-v5");
  EXPECT_EQ(ParseExternalName("plugin:./a.so")->kind, ExternalKind::kPlugin);
  EXPECT_EQ(ParseExternalName("plugin-process:./a.so")->kind, ExternalKind::kPluginProcess);
  EXPECT_EQ(ParseExternalName("python:a:B")->kind, ExternalKind::kPython);
  for (const char* const ours : {"minatar/breakout", "gymnasium", "Gymnasium:X", ""}) {
    EXPECT_FALSE(ParseExternalName(ours).has_value()) << ours;
  }
}

TEST(ExternalNameTest, ChecksWhatFollowsThePrefix) {
  EXPECT_TRUE(Fits("gymnasium:CartPole-v1"));
  EXPECT_FALSE(Fits("gymnasium:"));
  EXPECT_TRUE(Fits("python:my.module:Maze"));
  for (const char* const wrong : {"python:", "python:module", "python:module:", "python::Maze"}) {
    EXPECT_FALSE(Fits(wrong)) << wrong;
  }
  EXPECT_TRUE(Fits("plugin:./libmaze.so"));
  EXPECT_TRUE(Fits("plugin-process:/opt/libmaze.so"));
  for (const char* const wrong : {"plugin:", "plugin:libmaze.so", "plugin-process:folder/"}) {
    EXPECT_FALSE(Fits(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace gorila
