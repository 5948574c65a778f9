#include "gorila/metrics/label_placement.h"

#include <gtest/gtest.h>

namespace gorila::drawing {
namespace {

TEST(OccupancyTest, LinesAndBoxesLeaveNoGapThatALabelFitsInto) {
  Occupancy occupancy;
  occupancy.AddLine({0, 0}, {300, 200});
  occupancy.AddBox({400, 400, 50, 30});
  for (double t = 0; t <= 1; t += 0.01) {
    EXPECT_GT(occupancy.CoveredBy({300 * t - 3, 200 * t - 3, 6, 6}), 0) << t;
  }
  EXPECT_GT(occupancy.CoveredBy({420, 410, 6, 6}), 0);
  EXPECT_EQ(occupancy.CoveredBy({0, 100, 50, 50}), 0);
  EXPECT_EQ(occupancy.CoveredBy({451, 400, 50, 30}), 0);
}

TEST(OccupancyTest, AreasAreFilled) {
  Occupancy occupancy;
  occupancy.AddArea({0, 100, 80}, {200, 100, 0});
  EXPECT_GT(occupancy.CoveredBy({100, 70, 6, 6}), 0);
  EXPECT_GT(occupancy.CoveredBy({190, 10, 6, 6}), 0);
  EXPECT_EQ(occupancy.CoveredBy({0, 0, 100, 30}), 0);
}

TEST(OccupancyTest, APointIsOccupied) {
  Occupancy occupancy;
  occupancy.AddLine({5, 5}, {5, 5});
  EXPECT_GT(occupancy.CoveredBy({0, 0, 10, 10}), 0);
}

TEST(OccupancyTest, PicksTheLeastCoveringCandidateAndTheFirstOfEquals) {
  Occupancy occupancy;
  occupancy.AddBox({0, 0, 100, 100});
  occupancy.AddLine({200, 0}, {200, 20});
  const Box full{0, 0, 50, 50}, crossed{190, 0, 50, 50}, free{300, 0, 50, 50}, also{400, 0, 50, 50};
  EXPECT_EQ(occupancy.LeastCovering(std::vector<Box>{full, crossed}).left, crossed.left);
  EXPECT_EQ(occupancy.LeastCovering(std::vector<Box>{full, crossed, also, free}).left, also.left);
}

}  // namespace
}  // namespace gorila::drawing
