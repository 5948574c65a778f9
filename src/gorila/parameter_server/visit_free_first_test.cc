#include "gorila/parameter_server/visit_free_first.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace gorila {
namespace {

using ::testing::ElementsAre;

class VisitFreeFirstTest : public testing::Test {
 protected:
  void Visit(std::size_t count, std::size_t first) {
    VisitFreeFirst(
        count, first,
        [this](std::size_t i) {
          ++tries_;
          if (busy_.contains(i)) return false;
          visited_.push_back(i);
          return true;
        },
        [this](std::size_t i) {
          waited_.push_back(i);
          busy_.erase(i);
        });
  }

  std::set<std::size_t> busy_;
  std::vector<std::size_t> visited_;  // without waiting
  std::vector<std::size_t> waited_;
  int tries_ = 0;
};

TEST_F(VisitFreeFirstTest, GoesAroundFromTheFirst) {
  Visit(4, 2);
  EXPECT_THAT(visited_, ElementsAre(2, 3, 0, 1));
  EXPECT_EQ(tries_, 4);
  visited_.clear();
  Visit(3, 7);
  EXPECT_THAT(visited_, ElementsAre(1, 2, 0));
  visited_.clear();
  Visit(1, 5);
  EXPECT_THAT(visited_, ElementsAre(0));
}

TEST_F(VisitFreeFirstTest, WaitsOnlyWhereNothingIsFree) {
  busy_ = {0, 2};
  Visit(4, 0);
  EXPECT_THAT(visited_, ElementsAre(1, 3));
  EXPECT_THAT(waited_, ElementsAre(2, 0)) << "each once, and none was skipped";
  EXPECT_GT(tries_, kTurnsBeforeWaiting) << "before it waited";
}

TEST_F(VisitFreeFirstTest, TakesWhatBecomesFreeInstead) {
  busy_ = {0, 1, 2};
  VisitFreeFirst(
      3, 0,
      [this](std::size_t i) {
        if (++tries_ == 3 + 2) busy_.erase(1);  // as another thread does
        if (busy_.contains(i)) return false;
        visited_.push_back(i);
        return true;
      },
      [this](std::size_t i) {
        waited_.push_back(i);
        busy_.erase(i);
      });
  EXPECT_THAT(visited_, ElementsAre(1));
  EXPECT_THAT(waited_, ElementsAre(2, 0));
}

TEST_F(VisitFreeFirstTest, VisitsTheMostThatAKeyAllows) {
  Visit(kMostVisited, kMostVisited - 1);
  EXPECT_EQ(std::set<std::size_t>(visited_.begin(), visited_.end()).size(), kMostVisited);
  EXPECT_EQ(visited_.front(), kMostVisited - 1);
}

}  // namespace
}  // namespace gorila
