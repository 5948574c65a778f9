#include "gorila/env/external/environment_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string One() {
  EnvironmentRecord record;
  record.observation.shape = {4};
  record.action_names = {"a", "b"};
  return EncodeEnvironmentRecord(record);
}

const std::string kOne = One();

TEST(EnvironmentRecordTest, RecordsOfSeveralGamesAreOneText) {
  const std::vector<std::string> records = {kOne, "none", kOne};
  EXPECT_THAT(SplitRecords(JoinRecords(records), 3).value(), ElementsAre(kOne, "none", kOne));
}

TEST(EnvironmentRecordTest, OfOneGameTheTextIsItsRecord) {
  const std::vector<std::string> records = {kOne};
  EXPECT_EQ(JoinRecords(records), kOne);
  EXPECT_THAT(SplitRecords(kOne, 1).value(), ElementsAre(kOne));
}

TEST(EnvironmentRecordTest, GamesThatAreBuiltInHaveNone) {
  const std::vector<std::string> records = {"none", "none"};
  EXPECT_EQ(JoinRecords(records), "none");
  EXPECT_THAT(SplitRecords("none", 2).value(), ElementsAre("none", "none"));
}

TEST(EnvironmentRecordTest, OfAnotherNumberOfGamesIsRefused) {
  const std::vector<std::string> records = {kOne, "none"};
  EXPECT_THAT(std::string(SplitRecords(JoinRecords(records), 3).status().message()),
              HasSubstr("environment.record describes 2 games; expected 3"));
  EXPECT_FALSE(SplitRecords("[3, 4]", 2).ok());
  EXPECT_FALSE(SplitRecords("no JSON", 2).ok());
}

}  // namespace
}  // namespace gorila
