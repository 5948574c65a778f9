#include "gorila/config/sweep_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<SweepAxis> Axes(const std::vector<std::string>& sets) {
  std::vector<SweepAxis> axes;
  for (const std::string& set : sets) axes.push_back(ParseSweepAxis(Config(), set).value());
  return axes;
}

TEST(GridPointsTest, EveryCombinationTheLastFastest) {
  const auto axes = Axes({"learner.n_step=1,3", "learner.batch_size=8,16,32"});
  EXPECT_THAT(*GridPoints(axes, 100),
              ElementsAre(SweepPoint{"1", "8"}, SweepPoint{"1", "16"}, SweepPoint{"1", "32"},
                          SweepPoint{"3", "8"}, SweepPoint{"3", "16"}, SweepPoint{"3", "32"}));
}

TEST(GridPointsTest, TooManyPointsAndRangesAreRefused) {
  const auto axes = Axes({"learner.n_step=1,3", "learner.batch_size=8,16,32"});
  EXPECT_TRUE(GridPoints(axes, 6).ok());
  EXPECT_THAT(std::string(GridPoints(axes, 5).status().message()), HasSubstr("more than 5 points"));
  EXPECT_THAT(std::string(GridPoints(Axes({"learner.discount=0.9..0.99"}), 5).status().message()),
              HasSubstr("--random N"));
}

TEST(RandomPointsTest, DrawsWithoutRepetitionAndTheSameEachTime) {
  const auto axes = Axes({"learner.n_step=1,2,3,4,5", "learner.batch_size=8,16,32,64"});
  const auto all = RandomPoints(axes, 20, 1).value();
  EXPECT_EQ(std::set<SweepPoint>(all.begin(), all.end()).size(), 20U);
  EXPECT_EQ(RandomPoints(axes, 20, 1).value(), all);
  EXPECT_NE(RandomPoints(axes, 20, 2).value(), all);
  const auto few = RandomPoints(axes, 7, 1).value();
  EXPECT_TRUE(std::equal(few.begin(), few.end(), all.begin()));
}

TEST(RandomPointsTest, MoreThanThereAreIsRefused) {
  EXPECT_THAT(std::string(RandomPoints(Axes({"learner.n_step=1,2,3"}), 4, 1).status().message()),
              HasSubstr("the grid has 3 points"));
  // Whole numbers from 1 to 3 are three, whatever is drawn.
  EXPECT_EQ(RandomPoints(Axes({"learner.n_step=1..3"}), 3, 1)->size(), 3U);
  EXPECT_THAT(std::string(RandomPoints(Axes({"learner.n_step=1..3"}), 4, 1).status().message()),
              HasSubstr("3 different points"));
}

TEST(RandomPointsTest, ARangeIsDrawnUniformlyInItsLogarithm) {
  const auto points = RandomPoints(Axes({"optimizer.learning_rate=1e-5..1e-1"}), 400, 1).value();
  int below = 0;
  for (const SweepPoint& point : points) {
    const double value = std::stod(point[0]);
    EXPECT_GE(value, 1e-5);
    EXPECT_LE(value, 1e-1);
    below += value < 1e-3 ? 1 : 0;
    EXPECT_LE(point[0].size(), std::string("0.000123").size()) << point[0];
  }
  EXPECT_NEAR(below, 200, 60);  // six standard deviations
}

TEST(ApplyPointTest, SetsTheKeys) {
  const auto axes = Axes({"learner.n_step=1,3", "network.hidden=[64,32],[8]"});
  Config config;
  ASSERT_TRUE(ApplyPoint(axes, {"3", "[64, 32]"}, config).ok());
  EXPECT_EQ(config.replay.options.transition.n_step, 3);
  EXPECT_THAT(config.network.hidden, ElementsAre(64, 32));
}

std::string Label(const std::string& set, const std::string& value) {
  return PointLabel(Axes({set}), {value});
}

TEST(PointLabelTest, NamesWhatVaries) {
  EXPECT_EQ(PointLabel({}, {}), "");
  EXPECT_EQ(
      PointLabel(Axes({"optimizer.learning_rate=1e-4,1e-5", "learner.n_step=1,3"}), {"1e-05", "3"}),
      "learning_rate-1e-05,n_step-3");
  EXPECT_EQ(PointLabel(Axes({"actor.epsilon_end=0.1,0.2", "optimizer.epsilon=1e-4,1e-3",
                             "evaluation.epsilon=0.1,0.2"}),
                       {"0.1", "0.0001", "0.2"}),
            "epsilon_end-0.1,optimizer.epsilon-0.0001,evaluation.epsilon-0.2");
}

TEST(PointLabelTest, ListsAndTexts) {
  EXPECT_EQ(Label("network.hidden=[64,32],[]", "[64, 32]"), "hidden-64x32");
  EXPECT_EQ(Label("network.hidden=[64,32],[]", "[]"), "hidden-none");
  EXPECT_EQ(Label("network.convolutions=[[16,3,1],[32,3,1]],[]", "[[16, 3, 1], [32, 3, 1]]"),
            "convolutions-16x3x1_32x3x1");
  EXPECT_EQ(Label("optimizer.name=adam,rmsprop", "\"adam\""), "name-adam");
}

TEST(PointLabelTest, WhatAFileSystemDoesNotTakeIsReplacedAndStaysDifferent) {
  const std::string set = R"(environment.kwargs={"x":1},{"x":2})";
  const std::string a = Label(set, R"("{\"x/y\":1}")");
  const std::string b = Label(set, R"("{\"x y\":1}")");
  EXPECT_NE(a, b);
  for (const std::string& label : {a, b}) {
    EXPECT_EQ(label.find_first_of("/ \"'\\{}:=*"), std::string::npos) << label;
  }
  const std::string long_text(300, 'x');
  EXPECT_LE(Label(set, long_text).size(), 120U);
  EXPECT_NE(Label(set, long_text + "a"), Label(set, long_text + "b"));
}

}  // namespace
}  // namespace gorila
