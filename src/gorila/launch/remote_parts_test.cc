#include "gorila/launch/remote_parts.h"

#include <gtest/gtest.h>

#include <set>

#include "gorila/launch/actor_process.h"

namespace gorila {
namespace {

TEST(SeedOfLifeTest, EveryRoleAndLifeHasItsOwn) {
  std::set<std::uint64_t> seeds;
  int count = 0;
  for (const Role role : {Role::kBundle, Role::kActor}) {
    for (const std::int64_t updates : {0, 1, 2}) {
      for (const std::int64_t frames : {0, 1, 2}) {
        seeds.insert(SeedOfLife(7, role, updates, frames));
        ++count;
      }
    }
  }
  EXPECT_EQ(seeds.size(), static_cast<std::size_t>(count));
}

TEST(SeedOfLifeTest, ABundleThatIsThereFromTheBeginningHasTheStreamsOfARunInOneProcess) {
  EXPECT_EQ(SeedOfLife(7, Role::kBundle, 0, 0), 7U);
}

TEST(PlaceOfActorTest, ActorsExploreBehindTheBundles) {
  Config config;
  config.run.bundles = 2;
  config.cluster = {.actors = 3, .learners = 1, .replays = 1};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(PlaceOfActor(config, i, 3).index, 2 + i);
    EXPECT_EQ(PlaceOfActor(config, i, 3).actors, 5);
  }
  config.cluster.actors = 0;  // started by hand
  EXPECT_EQ(PlaceOfActor(config, 1, 3).index, 1);
  EXPECT_EQ(PlaceOfActor(config, 1, 3).actors, 3);
}

}  // namespace
}  // namespace gorila
