#include "gorila/replay/queue_selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>

namespace gorila {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

std::vector<std::uint32_t> Draw(QueueSelector& selector, std::size_t count) {
  RandomStream random(1);
  std::vector<Selector::Drawn> drawn(count);
  selector.Sample(random, drawn);
  EXPECT_EQ(random, RandomStream(1)) << "an order needs no draws";
  std::vector<std::uint32_t> ids;
  for (const Selector::Drawn& draw : drawn) {
    EXPECT_EQ(draw.probability, 1);
    ids.push_back(draw.id);
  }
  selector.CheckInvariants();
  return ids;
}

TEST(QueueSelectorTest, DrawsEachOnceInTheOrderOfArrival) {
  QueueSelector selector(10);
  for (const std::uint32_t id : {7U, 2U, 9U, 0U, 4U}) selector.Insert(id);
  EXPECT_TRUE(selector.draws_once());
  EXPECT_THAT(Draw(selector, 3), ElementsAre(7, 2, 9));
  EXPECT_EQ(selector.size(), 2U);
  EXPECT_FALSE(selector.Contains(2));
  EXPECT_EQ(selector.Priority(2), 0);
  selector.Insert(2);
  EXPECT_THAT(Draw(selector, 3), ElementsAre(0, 4, 2));
  EXPECT_EQ(selector.mass(), 0);
}

TEST(QueueSelectorTest, WhatIsRemovedIsPassedOver) {
  QueueSelector selector(10);
  for (std::uint32_t id = 0; id < 6; ++id) selector.Insert(id);
  for (const std::uint32_t id : {0U, 3U, 5U}) selector.Remove(id);
  EXPECT_THAT(Draw(selector, 3), ElementsAre(1, 2, 4));
}

TEST(QueueSelectorTest, FollowsAModelOverRandomOperations) {
  RandomStream random(3);
  QueueSelector selector(40);
  std::deque<std::uint32_t> model;
  for (int step = 0; step < 3000; ++step) {
    const auto id = static_cast<std::uint32_t>(random.Below(40));
    const auto at = std::find(model.begin(), model.end(), id);
    EXPECT_EQ(selector.Contains(id), at != model.end());
    if (at == model.end()) {
      selector.Insert(id);
      model.push_back(id);
    } else if (step % 3 == 0) {
      selector.Remove(id);
      model.erase(at);
    }
    if (step % 17 == 0) {
      const std::size_t count = random.Below(model.size() + 1);
      EXPECT_THAT(
          Draw(selector, count),
          ElementsAreArray(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(count)));
      model.erase(model.begin(), model.begin() + static_cast<std::ptrdiff_t>(count));
    }
  }
}

SelectorOptions Half() { return {.replayed_share = 0.5}; }

TEST(QueueSelectorTest, APartOfEachDrawComesFromWhatWasDrawnBefore) {
  QueueSelector selector(10, Half());
  for (const std::uint32_t id : {7U, 2U, 9U, 0U}) selector.Insert(id);
  RandomStream random(1);
  std::vector<Selector::Drawn> drawn(5);
  selector.Sample(random, drawn);
  selector.CheckInvariants();
  EXPECT_EQ(drawn[0].id, 7U);
  EXPECT_EQ(drawn[1].id, 2U);
  EXPECT_EQ(drawn[2].id, 9U) << "of five two are drawn again";
  for (const Selector::Drawn& draw : drawn) EXPECT_EQ(draw.probability, 1);
  EXPECT_EQ(selector.queued(), 1U);
  EXPECT_EQ(selector.size(), 4U);
  EXPECT_EQ(selector.mass(), 1);
  EXPECT_TRUE(selector.Contains(9) && !selector.IsQueued(9));
  EXPECT_TRUE(selector.IsQueued(0) && !selector.IsQueued(5) && !selector.Contains(5));
  selector.Remove(9);
  selector.Remove(7);
  EXPECT_FALSE(selector.Contains(7));
  drawn.resize(2);
  selector.Sample(random, drawn);
  selector.CheckInvariants();
  EXPECT_EQ(drawn[0].id, 0U);
  EXPECT_TRUE(drawn[1].id == 0 || drawn[1].id == 2) << "what was removed is not drawn";
  selector.Insert(7);
  EXPECT_TRUE(selector.IsQueued(7));
}

TEST(QueueSelectorTest, WhatIsDrawnAgainIsDrawnAlike) {
  QueueSelector selector(2000, Half());
  for (std::uint32_t id = 0; id < 10; ++id) selector.Insert(id);
  for (std::uint32_t id = 0; id < 10; ++id) selector.MarkDrawn(id);
  RandomStream random(5);
  std::vector<int> counts(10);
  std::vector<Selector::Drawn> drawn(2);
  for (std::uint32_t id = 10; id < 1010; ++id) {
    selector.Insert(id);
    selector.Sample(random, drawn);
    EXPECT_EQ(drawn[0].id, id);
    selector.Remove(id);
    if (drawn[1].id != id) ++counts[drawn[1].id];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000.0 / 11, 40);
}

TEST(QueueSelectorTest, AMinibatchTakesAtLeastOneFromTheQueue) {
  EXPECT_EQ(FreshOf({}, 8), 8U);
  EXPECT_EQ(FreshOf({.replayed_share = 0.5}, 8), 4U);
  EXPECT_EQ(FreshOf({.replayed_share = 0.5}, 7), 4U);
  EXPECT_EQ(FreshOf({.replayed_share = 0.5}, 1), 1U);
  EXPECT_EQ(FreshOf({.replayed_share = std::nextafter(1.0, 0.0)}, 3), 1U);
}

TEST(QueueSelectorTest, WhatWasDrawnIsRestoredInItsOrder) {
  QueueSelector selector(40, Half());
  for (std::uint32_t id = 0; id < 30; ++id) selector.Insert(id);
  RandomStream random(4);
  std::vector<Selector::Drawn> drawn(8);
  for (int i = 0; i < 4; ++i) selector.Sample(random, drawn);
  selector.Remove(3);
  selector.Remove(20);
  StateWriter writer;
  selector.SaveState(writer);
  QueueSelector restored(40, Half());
  restored.Insert(5);
  StateReader reader(writer.bytes());
  ASSERT_EQ(restored.RestoreState(reader), OkStatus());
  EXPECT_EQ(reader.Finish(), OkStatus());
  restored.CheckInvariants();
  RandomStream same = random;
  std::vector<Selector::Drawn> other(8);
  for (int i = 0; i < 3; ++i) {
    selector.Sample(random, drawn);
    restored.Sample(same, other);
    for (std::size_t k = 0; k < 8; ++k) EXPECT_EQ(other[k].id, drawn[k].id);
  }
  // The same id in both lists.
  StateWriter twice;
  twice.WriteSpan<std::uint32_t>(std::vector<std::uint32_t>{1, 2});
  twice.WriteSpan<std::uint32_t>(std::vector<std::uint32_t>{2});
  StateReader damaged(twice.bytes());
  EXPECT_TRUE(absl::IsDataLoss(restored.RestoreState(damaged)));
  restored.CheckInvariants();
}

// With replayed_share 0 a state is what it was.
TEST(QueueSelectorTest, WithoutReplayNothingIsKeptOfWhatWasDrawn) {
  QueueSelector selector(10);
  for (const std::uint32_t id : {7U, 2U}) selector.Insert(id);
  Draw(selector, 1);
  EXPECT_FALSE(selector.Contains(7));
  EXPECT_EQ(selector.size(), 1U);
  StateWriter writer;
  selector.SaveState(writer);
  EXPECT_EQ(writer.bytes().size(), sizeof(std::uint64_t) + sizeof(std::uint32_t));
}

TEST(QueueSelectorTest, ARestoredQueueDrawsWhatTheSavedOneWouldHave) {
  QueueSelector selector(10);
  for (const std::uint32_t id : {7U, 2U, 9U, 0U}) selector.Insert(id);
  Draw(selector, 1);
  StateWriter writer;
  selector.SaveState(writer);
  QueueSelector restored(10);
  restored.Insert(5);
  StateReader reader(writer.bytes());
  ASSERT_TRUE(restored.RestoreState(reader).ok());
  EXPECT_TRUE(reader.Finish().ok());
  EXPECT_THAT(Draw(restored, 3), ElementsAre(2, 9, 0));
  QueueSelector smaller(8);
  smaller.Insert(1);
  StateReader again(writer.bytes());
  EXPECT_TRUE(absl::IsDataLoss(smaller.RestoreState(again)));
  EXPECT_THAT(Draw(smaller, 1), ElementsAre(1)) << "a refused state changes nothing";
}

}  // namespace
}  // namespace gorila
