#include "gorila/config/sweep_axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Values(std::string_view set) {
  const StatusOr<SweepAxis> axis = ParseSweepAxis(Config(), set);
  EXPECT_TRUE(axis.ok()) << axis.status();
  return axis.ok() ? axis->values : std::vector<std::string>();
}

std::string Refusal(std::string_view set) {
  const StatusOr<SweepAxis> axis = ParseSweepAxis(Config(), set);
  EXPECT_EQ(axis.status().code(), absl::StatusCode::kInvalidArgument) << set;
  return std::string(axis.status().message());
}

TEST(SplitValuesTest, CommasSeparateOutsideBracketsAndQuotes) {
  EXPECT_THAT(*SplitValues("1e-4,3e-4"), ElementsAre("1e-4", "3e-4"));
  EXPECT_THAT(*SplitValues(" a , b "), ElementsAre("a", "b"));
  EXPECT_THAT(*SplitValues("[64,32],[128]"), ElementsAre("[64,32]", "[128]"));
  EXPECT_THAT(*SplitValues("[[16,3,1],[32,3,1]],[]"), ElementsAre("[[16,3,1],[32,3,1]]", "[]"));
  EXPECT_THAT(*SplitValues(R"("a,b",'c,d',e)"), ElementsAre(R"("a,b")", "'c,d'", "e"));
  EXPECT_THAT(*SplitValues(R"("a\",b",c)"), ElementsAre(R"("a\",b")", "c"));
  EXPECT_THAT(*SplitValues(R"({"x":1,"y":[2,3]},{})"), ElementsAre(R"({"x":1,"y":[2,3]})", "{}"));
}

TEST(SplitValuesTest, AnApostropheWithinAValueIsALetter) {
  EXPECT_THAT(*SplitValues("it's,b"), ElementsAre("it's", "b"));
}

TEST(SplitValuesTest, EmptyAndUnclosedOnesAreRefused) {
  for (const char* const text : {"", ",", "1,", ",1", "1,,2", "1, ,2"}) {
    EXPECT_THAT(std::string(SplitValues(text).status().message()), HasSubstr("empty value"))
        << text;
  }
  for (const char* const text : {"[64,32", "\"a,b", "[1],{2"}) {
    EXPECT_THAT(std::string(SplitValues(text).status().message()), HasSubstr("not closed")) << text;
  }
}

TEST(ParseSweepAxisTest, ValuesAreAsConfigurationFilesHaveThem) {
  EXPECT_THAT(Values("optimizer.learning_rate=1e-4,0.0003"), ElementsAre("0.0001", "0.0003"));
  EXPECT_THAT(Values("run.frames = 250k, 1e6"), ElementsAre("250000", "1000000"));
  EXPECT_THAT(Values("network.hidden=[64,32],[128]"), ElementsAre("[64, 32]", "[128]"));
  EXPECT_THAT(Values("optimizer.name=adam,\"rmsprop\""), ElementsAre("\"adam\"", "\"rmsprop\""));
  EXPECT_THAT(Values("network.dueling=true,false"), ElementsAre("true", "false"));
  EXPECT_FALSE(ParseSweepAxis(Config(), "learner.n_step=3")->varies());
  EXPECT_TRUE(ParseSweepAxis(Config(), "learner.n_step=3,1")->varies());
}

TEST(ParseSweepAxisTest, AListOfWrappersIsOneValueUnlessItIsQuoted) {
  EXPECT_THAT(Values("environment.wrappers=a:B,c:D"), ElementsAre("\"a:B,c:D\""));
  EXPECT_THAT(Values(R"(environment.wrappers="a:B,c:D","e:F")"),
              ElementsAre("\"a:B,c:D\"", "\"e:F\""));
  EXPECT_THAT(Values(R"(environment.kwargs={"x":1,"y":2})").size(), 1U);
}

TEST(ParseSweepAxisTest, RangesOfNumbers) {
  const SweepAxis real = *ParseSweepAxis(Config(), "optimizer.learning_rate=1e-5..1e-2");
  ASSERT_TRUE(real.range.has_value());
  EXPECT_TRUE(real.varies());
  EXPECT_DOUBLE_EQ(real.range->low, 1e-5);
  EXPECT_DOUBLE_EQ(real.range->high, 1e-2);
  EXPECT_DOUBLE_EQ(ParseSweepAxis(Config(), "run.frames=1k..1M")->range->high, 1e6);
  for (const char* const set :
       {"optimizer.learning_rate=1e-2..1e-5", "actor.epsilon_end=0..1", "learner.n_step=3..3"}) {
    EXPECT_THAT(Refusal(set), HasSubstr("LOW..HIGH")) << set;
  }
  EXPECT_THAT(Refusal("optimizer.learning_rate=1e-5..1e-4,1e-3"), HasSubstr("range alone"));
  EXPECT_THAT(Refusal("optimizer.learning_rate=1e-5..x"), HasSubstr("optimizer.learning_rate"));
}

TEST(ParseSweepAxisTest, RefusesWithTheKey) {
  EXPECT_THAT(Refusal("optimizer.learning_rat=1,2"), HasSubstr("did you mean"));
  EXPECT_THAT(Refusal("optimizer.learning_rate=1e-3,0.001"), HasSubstr("twice"));
  EXPECT_THAT(Refusal("learner.n_step=1,1"), HasSubstr("learner.n_step has the value 1 twice"));
  EXPECT_THAT(Refusal("learner.n_step=1,,3"), HasSubstr("learner.n_step"));
  EXPECT_THAT(Refusal("learner.n_step=1,x"), HasSubstr("learner.n_step"));
  EXPECT_THAT(Refusal("learner.n_step"), HasSubstr("section.key=VALUE"));
}

}  // namespace
}  // namespace gorila
