#include "gorila/parameter_server/shared_floats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace gorila {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST(SharedFloatsTest, ChangesInPlaceWhileNobodyReads) {
  SharedFloats floats(std::vector<float>{1, 2});
  const float* const before = floats.values().data();
  floats.Share().reset();
  floats.Mutable()[0] = 3;
  floats.Assign(std::vector<float>{4, 5});
  EXPECT_EQ(floats.values().data(), before);
  EXPECT_THAT(floats.values(), ElementsAre(4, 5));
}

TEST(SharedFloatsTest, WhatIsReadStaysAsItIs) {
  SharedFloats floats(std::vector<float>{1, 2});
  const auto first = floats.Share();
  floats.Mutable()[0] = 3;
  const auto second = floats.Share();
  floats.Assign(std::vector<float>{4, 5});
  EXPECT_THAT(*first, ElementsAre(1, 2));
  EXPECT_THAT(*second, ElementsAre(3, 2));
  EXPECT_THAT(floats.values(), ElementsAre(4, 5));
}

TEST(SharedFloatsTest, WhatIsReadOutlivesItsOwner) {
  std::shared_ptr<const std::vector<float>> shared;
  {
    const SharedFloats floats(std::vector<float>{1, 2});
    shared = floats.Share();
  }
  EXPECT_THAT(*shared, ElementsAre(1, 2));
}

// Readers let go in threads of their own, without the owner's lock.
TEST(SharedFloatsTest, ReadersInOtherThreadsSeeOneVersion) {
  SharedFloats floats(std::vector<float>(1000, 0));
  std::vector<std::thread> readers;
  for (int version = 1; version <= 50; ++version) {
    readers.emplace_back([shared = floats.Share(), version] {
      EXPECT_THAT(*shared, Each(static_cast<float>(version - 1)));
    });
    for (float& value : floats.Mutable()) value = static_cast<float>(version);
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace gorila
