#include "gorila/replay/queue_selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
