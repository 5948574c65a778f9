#include "gorila/replay/uniform_selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>

namespace gorila {
namespace {

using ::testing::HasSubstr;

std::uint32_t Draw(UniformSelector& selector, RandomStream& random) {
  std::array<Selector::Drawn, 1> drawn;
  selector.Sample(random, drawn);
  EXPECT_EQ(drawn[0].probability, 1 / static_cast<double>(selector.size()));
  return drawn[0].id;
}

std::string Saved(UniformSelector& selector) {
  StateWriter writer;
  selector.SaveState(writer);
  return writer.Take();
}

Status Restore(UniformSelector& selector, const std::string& state) {
  StateReader reader(state);
  return selector.RestoreState(reader);
}

std::string StateWithIds(std::vector<std::uint32_t> ids) {
  StateWriter writer;
  writer.WriteSpan<std::uint32_t>(ids);
  return writer.Take();
}

std::set<std::uint32_t> Members(UniformSelector& selector, std::uint32_t max_ids) {
  std::set<std::uint32_t> members;
  for (std::uint32_t id = 0; id < max_ids; ++id) {
    if (selector.Contains(id)) members.insert(id);
  }
  return members;
}

TEST(UniformSelectorTest, HoldsWhatASetHoldsAfterAnyOperations) {
  constexpr std::uint32_t kIds = 40;
  RandomStream random(11);
  UniformSelector selector(kIds);
  std::set<std::uint32_t> model;
  for (int operation = 0; operation < 5000; ++operation) {
    const auto id = static_cast<std::uint32_t>(random.Below(kIds));
    if (model.contains(id)) {
      selector.Remove(id);
      model.erase(id);
    } else {
      selector.Insert(id);
      model.insert(id);
    }
    selector.CheckInvariants();
    ASSERT_EQ(selector.size(), model.size());
    ASSERT_EQ(Members(selector, kIds), model);
    if (!model.empty()) {
      ASSERT_TRUE(model.contains(Draw(selector, random)));
    }
  }
}

TEST(UniformSelectorTest, DrawsEveryMemberEquallyOften) {
  constexpr std::uint32_t kIds = 80;
  constexpr int kDraws = 100000;
  RandomStream random(5);
  UniformSelector selector(kIds);
  for (std::uint32_t id = 0; id < kIds; ++id) selector.Insert(id);
  // Removals shuffle the dense order.
  for (std::uint32_t id = 0; id < kIds; id += 3) selector.Remove(id);
  std::vector<int> draws(kIds);
  for (int i = 0; i < kDraws; ++i) ++draws[Draw(selector, random)];

  const double expected = kDraws / static_cast<double>(selector.size());
  double chi_square = 0;
  for (std::uint32_t id = 0; id < kIds; ++id) {
    if (!selector.Contains(id)) {
      EXPECT_EQ(draws[id], 0) << id;
      continue;
    }
    chi_square += (draws[id] - expected) * (draws[id] - expected) / expected;
  }
  // Mean and standard deviation of chi-square with size - 1 degrees of freedom.
  const double freedom = static_cast<double>(selector.size() - 1);
  EXPECT_NEAR(chi_square, freedom, 5 * std::sqrt(2 * freedom));
}

TEST(UniformSelectorTest, DrawsTheSameAfterARestore) {
  UniformSelector selector(20);
  for (std::uint32_t id = 0; id < 20; ++id) selector.Insert(id);
  for (const std::uint32_t id : {3u, 17u, 0u, 9u}) selector.Remove(id);
  UniformSelector restored(20);
  restored.Insert(9);  // what was there before goes
  ASSERT_TRUE(Restore(restored, Saved(selector)).ok());
  restored.CheckInvariants();
  EXPECT_EQ(Members(restored, 20), Members(selector, 20));
  RandomStream random(1);
  RandomStream same(1);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(Draw(restored, same), Draw(selector, random));
}

TEST(UniformSelectorTest, RefusesImpossibleStateAndKeepsItsOwn) {
  UniformSelector selector(4);
  selector.Insert(2);
  const std::string whole = StateWithIds({0, 1});
  for (const std::string& state :
       {StateWithIds({0, 4}), StateWithIds({1, 3, 1}), whole.substr(0, whole.size() - 1)}) {
    EXPECT_TRUE(absl::IsDataLoss(Restore(selector, state)));
    selector.CheckInvariants();
    EXPECT_EQ(Members(selector, 4), std::set<std::uint32_t>{2});
  }
  EXPECT_THAT(std::string(Restore(selector, StateWithIds({0, 4})).message()),
              HasSubstr("id 4 is out of range 0..3"));
}

}  // namespace
}  // namespace gorila
