#include "gorila/metrics/evenly_thinned.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int> FirstNumbers(int count, std::size_t most) {
  EvenlyThinned<int> series(most);
  for (int i = 0; i < count; ++i) series.Add(i);
  return series.values();
}

TEST(EvenlyThinnedTest, KeepsAllUpToItsLimit) {
  EXPECT_THAT(FirstNumbers(0, 4), IsEmpty());
  EXPECT_THAT(FirstNumbers(4, 4), ElementsAre(0, 1, 2, 3));
}

TEST(EvenlyThinnedTest, BeyondItEverySecondStaysAgainAndAgainAndAlwaysTheLast) {
  EXPECT_THAT(FirstNumbers(5, 4), ElementsAre(0, 2, 4));
  EXPECT_THAT(FirstNumbers(6, 4), ElementsAre(0, 2, 4, 5));
  EXPECT_THAT(FirstNumbers(8, 4), ElementsAre(0, 2, 4, 6, 7));
  EXPECT_THAT(FirstNumbers(9, 4), ElementsAre(0, 4, 8));
  EXPECT_THAT(FirstNumbers(8, 3), ElementsAre(0, 4, 7));
  EXPECT_THAT(FirstNumbers(5, 1), ElementsAre(0, 4));
}

TEST(EvenlyThinnedTest, AnyLengthIsBoundedAndInOrder) {
  for (const int count : {1000, 4097, 100'000}) {
    const std::vector<int> numbers = FirstNumbers(count, 100);
    EXPECT_LE(numbers.size(), 101u);
    EXPECT_GE(numbers.size(), 50u);
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
    EXPECT_EQ(numbers.front(), 0);
    EXPECT_EQ(numbers.back(), count - 1);
  }
}

}  // namespace
}  // namespace gorila
