// What every row of the table must do, then what prioritized drawing is.
#include "gorila/replay/selector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace gorila {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kIds = 40;

std::string Saved(const Selector& selector) {
  StateWriter writer;
  selector.SaveState(writer);
  return writer.Take();
}

Status Restore(Selector& selector, const std::string& state) {
  StateReader reader(state);
  GORILA_RETURN_IF_ERROR(selector.RestoreState(reader));
  return reader.Finish();
}

// As many as there are at most, where each is drawn once.
std::vector<std::uint32_t> Draws(Selector& selector, std::uint64_t seed, std::size_t count) {
  RandomStream random(seed);
  std::vector<Selector::Drawn> drawn(selector.draws_once() ? std::min(count, selector.size())
                                                           : count);
  selector.Sample(random, drawn);
  std::vector<std::uint32_t> ids;
  for (const Selector::Drawn& draw : drawn) ids.push_back(draw.id);
  return ids;
}

// Random inserts, removals and updates, the same on both.
void Mix(Selector& selector, std::map<std::uint32_t, double>& members, int operations,
         RandomStream& random) {
  for (int operation = 0; operation < operations; ++operation) {
    const auto id = static_cast<std::uint32_t>(random.Below(kIds));
    if (!members.contains(id)) {
      selector.Insert(id);
      members[id] = selector.Priority(id);
    } else if (random.Integer(0, 2) == 0) {
      selector.Remove(id);
      members.erase(id);
    } else {
      selector.Update(id, std::pow(10, 6 * random.Uniform() - 4));
      members[id] = selector.Priority(id);
    }
  }
}

class EverySelectorTest : public testing::TestWithParam<std::string_view> {
 protected:
  static std::unique_ptr<Selector> Make() {
    return FindSelector(GetParam()).value()->make({}, kIds);
  }
};

TEST_P(EverySelectorTest, HoldsAndDrawsItsMembersAfterAnyOperations) {
  RandomStream random(3);
  const auto selector = Make();
  std::map<std::uint32_t, double> members;
  for (int round = 0; round < 1500; ++round) {
    Mix(*selector, members, 3, random);
    selector->CheckInvariants();
    ASSERT_EQ(selector->size(), members.size());
    double mass = 0;
    for (std::uint32_t id = 0; id < kIds; ++id) {
      ASSERT_EQ(selector->Contains(id), members.contains(id));
      ASSERT_EQ(selector->Priority(id) > 0, members.contains(id));
      mass += selector->Priority(id);
    }
    ASSERT_NEAR(selector->mass(), mass, 1e-9 * mass);
    if (members.empty()) continue;
    const bool once = selector->draws_once();
    std::vector<Selector::Drawn> drawn(once ? std::min<std::size_t>(4, members.size()) : 4);
    selector->Sample(random, drawn);
    for (const Selector::Drawn& draw : drawn) {
      ASSERT_TRUE(members.contains(draw.id));
      ASSERT_NEAR(draw.probability, once ? 1 : members[draw.id] / mass, 1e-9);
      if (once) members.erase(draw.id);
    }
  }
}

// Those that draw with replacement.
class RandomSelectorTest : public EverySelectorTest {};

TEST_P(RandomSelectorTest, DrawsAsOftenAsItsProbabilitiesSay) {
  RandomStream random(8);
  const auto selector = Make();
  for (std::uint32_t id = 0; id < kIds; ++id) {
    selector->Insert(id);
    selector->Update(id, 1 + id % 5);
  }
  for (std::uint32_t id = 0; id < kIds; id += 3) selector->Remove(id);
  constexpr std::size_t kDraws = 100000;
  std::vector<Selector::Drawn> drawn(kDraws);
  selector->Sample(random, drawn);
  std::map<std::uint32_t, double> counts;
  for (const Selector::Drawn& draw : drawn) ++counts[draw.id];
  double chi_square = 0;
  for (std::uint32_t id = 0; id < kIds; ++id) {
    const double expected = kDraws * selector->Priority(id) / selector->mass();
    if (expected == 0) {
      EXPECT_EQ(counts[id], 0) << id;
      continue;
    }
    chi_square += (counts[id] - expected) * (counts[id] - expected) / expected;
  }
  // Mean and standard deviation of chi-square with size - 1 degrees of freedom.
  const double freedom = static_cast<double>(selector->size() - 1);
  EXPECT_NEAR(chi_square, freedom, 5 * std::sqrt(2 * freedom));
}

TEST_P(EverySelectorTest, DrawsTheSameAfterARestore) {
  RandomStream random(4);
  const auto selector = Make();
  std::map<std::uint32_t, double> members;
  Mix(*selector, members, 200, random);
  const auto restored = Make();
  restored->Insert(9);  // what was there before goes
  ASSERT_TRUE(Restore(*restored, Saved(*selector)).ok());
  restored->CheckInvariants();
  EXPECT_EQ(Saved(*restored), Saved(*selector));
  EXPECT_EQ(Draws(*restored, 1, 200), Draws(*selector, 1, 200));
  EXPECT_EQ(Saved(*restored), Saved(*selector));
}

TEST_P(EverySelectorTest, EveryTruncatedStateIsRefusedAndChangesNothing) {
  RandomStream random(4);
  const auto selector = Make();
  std::map<std::uint32_t, double> members;
  Mix(*selector, members, 200, random);
  const std::string state = Saved(*selector);
  const auto other = Make();
  other->Insert(2);
  const std::string before = Saved(*other);
  for (std::size_t size = 0; size < state.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(Restore(*other, state.substr(0, size)))) << size;
    ASSERT_EQ(Saved(*other), before);
  }
}

std::vector<std::string_view> Names() {
  std::vector<std::string_view> names;
  for (const SelectorRow& row : SelectorTable()) names.push_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Table, EverySelectorTest, testing::ValuesIn(Names()),
                         [](const auto& info) { return std::string(info.param); });

INSTANTIATE_TEST_SUITE_P(Table, RandomSelectorTest, testing::Values("uniform", "prioritized"),
                         [](const auto& info) { return std::string(info.param); });

TEST(SelectorTest, AnUnknownNameIsRefusedWithTheNearest) {
  const Status status = FindSelector("prioritised").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("did you mean 'prioritized'?"));
}

TEST(PrioritizedSelectorTest, ANewIdHasTheLargestPriorityEverGiven) {
  const auto selector = FindSelector("prioritized").value()->make({}, 4);
  selector->Insert(0);
  EXPECT_EQ(selector->Priority(0), 1);
  selector->Update(0, 7);
  selector->Insert(1);
  EXPECT_EQ(selector->Priority(1), 7);
  selector->Update(0, 0.5);
  selector->Update(1, 0.5);
  selector->Insert(2);
  EXPECT_EQ(selector->Priority(2), 7);
}

TEST(PrioritizedSelectorTest, RefusesImpossiblePriorities) {
  const auto selector = FindSelector("prioritized").value()->make({}, 2);
  const auto state = [](double largest, std::vector<double> priorities) {
    StateWriter writer;
    writer.Write(largest);
    writer.WriteSpan<double>(priorities);
    return writer.Take();
  };
  EXPECT_TRUE(Restore(*selector, state(2, {0, 2})).ok());
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const std::string& impossible :
       {state(2, {0, 3}), state(2, {0, -1}), state(2, {0, kNan}), state(kInfinity, {0, kInfinity}),
        state(0, {0, 0}), state(2, {1}), state(2, {1, 1, 1})}) {
    EXPECT_TRUE(absl::IsDataLoss(Restore(*selector, impossible)));
    EXPECT_EQ(selector->Priority(1), 2);
    selector->CheckInvariants();
  }
}

TEST(PriorityTest, GrowsWithTheErrorByItsExponent) {
  const SelectorOptions options{.name = "prioritized", .priority_exponent = 0.5};
  EXPECT_NEAR(PriorityOfError(options, 4), 2, 1e-6);
  EXPECT_NEAR(PriorityOfError(options, 100), 10, 1e-6);
  EXPECT_GT(PriorityOfError(options, 0), 0) << "an error of 0 can still be drawn";
  EXPECT_EQ(PriorityOfError({.name = "prioritized", .priority_exponent = 0}, 4), 1);
}

TEST(PriorityTest, AnUpdateNeedsOneFiniteErrorForEachKey) {
  const std::vector<std::uint64_t> keys = {1, 2};
  const auto check = [&](std::vector<float> errors) { return CheckPriorityUpdate(keys, errors); };
  EXPECT_TRUE(check({0, 3}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(check({1})));
  EXPECT_TRUE(absl::IsInvalidArgument(check({1, -1})));
  EXPECT_TRUE(absl::IsInvalidArgument(check({1, std::numeric_limits<float>::infinity()})));
  EXPECT_TRUE(absl::IsInvalidArgument(check({1, std::numeric_limits<float>::quiet_NaN()})));
}

}  // namespace
}  // namespace gorila
