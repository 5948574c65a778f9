#include "gorila/evaluation/film.h"

#include <gtest/gtest.h>

#include "gorila/env/picture.h"

namespace gorila {
namespace {

const std::vector<std::string> kNames = {"no-op", "fire", "left"};

int Count(const RgbImage& image, Rgb colour) {
  int count = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    count += Rgb{image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]} == colour ? 1 : 0;
  }
  return count;
}

RgbImage Game() {
  RgbImage game;
  ClearImage(game, 100, 120, colour::kPurple);
  return game;
}

TEST(ActionPanelTest, StandsBesideTheGame) {
  ActionPanel panel = ActionPanel::Make(kNames, ActionBars::kQValues).value();
  const RgbImage frame = panel.Frame(Game(), std::vector<float>{1, 2, 3}, 2);
  EXPECT_EQ(frame.width, 100 + ActionPanel::kWidth);
  EXPECT_EQ(frame.height, 120);
  EXPECT_EQ(Count(frame, colour::kPurple), 100 * 120);
}

TEST(ActionPanelTest, IsAsHighAsItsActionsNeed) {
  const std::vector<std::string> names(18, "up-right-fire");
  ActionPanel panel = ActionPanel::Make(names, ActionBars::kQValues).value();
  const RgbImage frame = panel.Frame(Game(), std::vector<float>(18, 1.0F), 0);
  EXPECT_GT(frame.height, 18 * 13);
}

TEST(ActionPanelTest, BarsAreInProportionAndTheChosenOneStandsOut) {
  ActionPanel panel = ActionPanel::Make(kNames, ActionBars::kQValues).value();
  const auto bar = [&](const std::vector<float>& q, int chosen) {
    return Count(panel.Frame(Game(), q, chosen), colour::kOrange);
  };
  const int full = bar({0, 0, 4}, 2);
  EXPECT_GT(full, 300);
  EXPECT_NEAR(bar({0, 0, 2}, 2), full / 2, full / 20);
  EXPECT_LT(bar({0, 0, 4}, 0), full / 10);
}

TEST(ActionPanelTest, NegativeValuesGrowToTheLeftOfZero) {
  ActionPanel panel = ActionPanel::Make(kNames, ActionBars::kQValues).value();
  const int whole = Count(panel.Frame(Game(), std::vector<float>{-4, 0, 0}, 0), colour::kOrange);
  const int half = Count(panel.Frame(Game(), std::vector<float>{-4, 0, 4}, 0), colour::kOrange);
  EXPECT_GT(whole, 300);
  EXPECT_NEAR(half, whole / 2, whole / 20);
}

// The first probability seen is not the whole width of the panel.
TEST(ActionPanelTest, ProbabilitiesAreShownFromZeroToOneAndNamedSo) {
  ActionPanel panel = ActionPanel::Make(kNames, ActionBars::kProbabilities).value();
  const auto bar = [&](const std::vector<float>& values) {
    return Count(panel.Frame(Game(), values, 0), colour::kOrange);
  };
  const int half = bar({0.5F, 0.25F, 0.25F});
  const int full = bar({1, 0, 0});
  EXPECT_GT(half, 150);
  EXPECT_NEAR(half, full / 2, full / 20);
  ActionPanel values = ActionPanel::Make(kNames, ActionBars::kQValues).value();
  const std::vector<float> same = {1, 0, 0};
  EXPECT_NE(values.Frame(Game(), same, 0).pixels, panel.Frame(Game(), same, 0).pixels)
      << "the titles are the same";
}

}  // namespace
}  // namespace gorila
