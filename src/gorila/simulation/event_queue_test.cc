#include "gorila/simulation/event_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "gorila/base/random.h"

namespace gorila::simulation {
namespace {

SteadyTime TimeOf(int milliseconds) { return SteadyTime(std::chrono::milliseconds(milliseconds)); }

TEST(EventQueueTest, OfEqualTimesTheFirstComesFirst) {
  EventQueue queue;
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) queue.Add(TimeOf(5), [&order, i] { order.push_back(i); });
  queue.Add(TimeOf(4), [&order] { order.push_back(-1); });
  while (!queue.empty()) queue.TakeFirst()();
  EXPECT_EQ(order, (std::vector<int>{-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(EventQueueTest, WhatHasHappenedIsNotRemovedAgain) {
  EventQueue queue;
  int happened = 0;
  const EventQueue::Id first = queue.Add(TimeOf(1), [&happened] { ++happened; });
  queue.TakeFirst()();
  queue.Add(TimeOf(2), [&happened] { ++happened; });  // where the first was
  queue.Remove(first);
  queue.Remove(EventQueue::Id());
  ASSERT_FALSE(queue.empty());
  queue.TakeFirst()();
  EXPECT_EQ(happened, 2);
}

// Against a map in the same order.
TEST(EventQueueTest, IsInOrderWhateverIsAddedAndRemoved) {
  RandomStream random = RandomStream::Derive(1, "events");
  EventQueue queue;
  std::map<std::pair<SteadyTime, std::uint64_t>, EventQueue::Id> expected;
  std::uint64_t happened = 0;
  for (int turn = 0; turn < 20'000; ++turn) {
    const double what = random.Uniform();
    if (what < 0.5 || expected.empty()) {
      const SteadyTime time = TimeOf(random.Integer(0, 300));
      const std::uint64_t number = queue.added() + 1;
      expected[{time, number}] = queue.Add(time, [&happened, number] { happened = number; });
    } else if (what < 0.75) {
      const auto removed =
          std::next(expected.begin(), random.Integer(0, static_cast<int>(expected.size())));
      queue.Remove(removed->second);
      expected.erase(removed);
    } else {
      ASSERT_EQ(queue.first_time(), expected.begin()->first.first);
      queue.TakeFirst()();
      ASSERT_EQ(happened, expected.begin()->first.second);
      expected.erase(expected.begin());
    }
    ASSERT_EQ(queue.empty(), expected.empty());
  }
}

}  // namespace
}  // namespace gorila::simulation
