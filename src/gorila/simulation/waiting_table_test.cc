#include "gorila/simulation/waiting_table.h"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <list>
#include <map>
#include <vector>

#include "gorila/base/random.h"

namespace gorila::simulation {
namespace {

struct Waiter {
  const void* place = nullptr;
  Waiter* before = nullptr;
  Waiter* after = nullptr;
};

TEST(WaitingTableTest, GivesThemInTheOrderOfTheirComing) {
  WaitingTable<Waiter> table;
  std::array<Waiter, 4> waiters;
  const char place = 0, other = 0;
  table.Add(&place, waiters[0]);
  table.Add(&other, waiters[1]);
  table.Add(&place, waiters[2]);
  table.Add(&place, waiters[3]);
  EXPECT_EQ(table.First(&place), &waiters[0]);
  table.Remove(waiters[2]);
  table.Remove(waiters[0]);
  EXPECT_EQ(table.First(&place), &waiters[3]);
  table.Remove(waiters[3]);
  EXPECT_EQ(table.First(&place), nullptr);
  EXPECT_EQ(table.First(&other), &waiters[1]);
}

// Against a map of lists, with more places than the table begins with.
TEST(WaitingTableTest, FindsWhoeverWaitsWhereverItWas) {
  constexpr int kPlaces = 3000;
  RandomStream random = RandomStream::Derive(1, "waiting");
  std::vector<char> places(kPlaces);
  WaitingTable<Waiter> table;
  std::deque<Waiter> waiters;
  std::map<const void*, std::list<Waiter*>> expected;
  for (int turn = 0; turn < 50'000; ++turn) {
    const void* const place = &places[static_cast<std::size_t>(random.Integer(0, kPlaces))];
    std::list<Waiter*>& there = expected[place];
    ASSERT_EQ(table.First(place), there.empty() ? nullptr : there.front());
    // More and more come, then fewer and fewer.
    const double comes = turn < 20'000 ? 0.8 : 0.3;
    if (there.empty() || random.Uniform() < comes) {
      table.Add(place, waiters.emplace_back());
      there.push_back(&waiters.back());
    } else {
      Waiter* const leaves = random.Uniform() < 0.5 ? there.front() : there.back();
      table.Remove(*leaves);
      there.remove(leaves);
    }
  }
  for (const char& place : places) {
    const std::list<Waiter*>& there = expected[&place];
    ASSERT_EQ(table.First(&place), there.empty() ? nullptr : there.front());
  }
}

}  // namespace
}  // namespace gorila::simulation
