// learner.push_every: sums of gradients.
#include "gorila/learner/learner_testing.h"

namespace gorila {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::SizeIs;
using ::testing::Truly;

TEST_F(LearnerTest, PushesTheSumOfItsGradientsWithTheOldestVersions) {
  const auto one_by_one = Make(Options());
  LearnerOptions options = Options();
  options.push_every = 3;
  const auto learner = Make(options);
  std::vector<float> sum(kSize);
  for (int i = 0; i < 3; ++i) {
    store_.version = 10 * i;
    store_.theta[0] += 0.5F;
    ASSERT_TRUE(one_by_one->Step().ok());
    for (std::size_t k = 0; k < kSize; ++k) sum[k] += store_.gradients.back()[k];
    ASSERT_TRUE(learner->Step().ok());
    EXPECT_THAT(store_.gradients, SizeIs(i + 1 + (i == 2 ? 1 : 0)));
  }
  EXPECT_EQ(store_.gradients.back(), sum);
  EXPECT_THAT(store_.pushed_versions.back(), ElementsAre(0, 1));
  EXPECT_EQ(learner->counters().gradients, 3);
  EXPECT_EQ(learner->counters().slices.accepted, 1);
  EXPECT_EQ(learner->TakeStatistics().lags, 1);
}

TEST_F(LearnerTest, AGradientThatIsNotFiniteDoesNotSpoilTheSum) {
  LearnerOptions options = Options();
  options.push_every = 2;
  options.agent.loss = TdErrorLoss::kSquared;
  const auto learner = Make(options);
  ASSERT_TRUE(learner->Step().ok());
  const float kept = store_.theta[0];
  store_.theta[0] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_TRUE(learner->Step().ok());
  ASSERT_THAT(store_.gradients, SizeIs(1)) << "it goes by itself";
  EXPECT_THAT(store_.gradients.back(), Contains(Truly([](float g) { return std::isnan(g); })));
  store_.theta[0] = kept;
  ASSERT_TRUE(learner->Step().ok());
  ASSERT_THAT(store_.gradients, SizeIs(2));
  EXPECT_THAT(store_.gradients.back(), Each(Truly([](float g) { return std::isfinite(g); })));
}

TEST_F(LearnerTest, ARestoredLearnerContinuesItsSum) {
  LearnerOptions options = Options();
  options.push_every = 3;
  const auto learner = Make(options);
  ASSERT_TRUE(learner->Step().ok());
  ASSERT_TRUE(learner->Step().ok());
  StateWriter writer;
  learner->SaveState(writer);
  ASSERT_TRUE(learner->Step().ok());
  const auto restored = Make(options);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored->RestoreState(reader).ok());
  ASSERT_TRUE(reader.Finish().ok());
  store_.version = 30;
  ASSERT_TRUE(restored->Step().ok());
  ASSERT_THAT(store_.gradients, SizeIs(2));
  EXPECT_EQ(store_.gradients[1], store_.gradients[0]);
  EXPECT_EQ(store_.pushed_versions[1], store_.pushed_versions[0]);
  options.push_every = 2;
  const auto other = Make(options);
  StateReader again(writer.bytes());
  EXPECT_TRUE(absl::IsDataLoss(other->RestoreState(again)));
}

}  // namespace
}  // namespace gorila
