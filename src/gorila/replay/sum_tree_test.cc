#include "gorila/replay/sum_tree.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "gorila/base/random.h"

namespace gorila {
namespace {

TEST(SumTreeTest, FindsWhatAScanFinds) {
  for (const std::size_t size : {1u, 2u, 3u, 7u, 8u, 13u, 100u}) {
    RandomStream random(size);
    SumTree tree(size);
    std::vector<double> weights(size);
    for (int operation = 0; operation < 2000; ++operation) {
      const std::size_t i = random.Below(size);
      weights[i] = random.Integer(0, 3) == 0 ? 0 : random.Integer(1, 9);  // sums are exact
      tree.Set(i, weights[i]);
      ASSERT_EQ(tree.Get(i), weights[i]);
      ASSERT_EQ(tree.total(), std::accumulate(weights.begin(), weights.end(), 0.0));
    }
    tree.CheckInvariants();
    // Every unit of weight belongs to one index.
    std::vector<double> found(size);
    for (int unit = 0; unit < static_cast<int>(tree.total()); ++unit)
      ++found[tree.Find(unit + 0.5)];
    EXPECT_EQ(found, weights) << size;
  }
}

TEST(SumTreeTest, NeverFindsAnIndexWithoutWeight) {
  constexpr std::size_t kSize = 37;
  RandomStream random(5);
  SumTree tree(kSize);
  for (int round = 0; round < 3000; ++round) {
    // From 1e-9 to 1e9, so that sums are rounded.
    const double weight = std::pow(10, 18 * random.Uniform() - 9);
    tree.Set(random.Below(kSize), random.Integer(0, 2) == 0 ? 0 : weight);
    if (tree.total() == 0) continue;
    ASSERT_GT(tree.Get(tree.Find(random.Uniform() * tree.total())), 0);
    ASSERT_GT(tree.Get(tree.Find(std::nextafter(tree.total(), 0))), 0);
    ASSERT_GT(tree.Get(tree.Find(tree.total())), 0) << "rounded up by the caller";
  }
  tree.CheckInvariants();
}

TEST(SumTreeTest, RoundingErrorsDoNotPileUp) {
  SumTree tree(4);
  for (int i = 0; i < 100000; ++i) tree.Set(1, i % 2 == 0 ? 1e15 : 0.1);
  tree.Set(1, 0);
  EXPECT_EQ(tree.total(), 0);
}

}  // namespace
}  // namespace gorila
