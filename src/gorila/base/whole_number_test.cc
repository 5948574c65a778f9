#include "gorila/base/whole_number.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace gorila {
namespace {

TEST(WholeNumberTest, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("1000000"), 1000000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("1e6"), 1000000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("1E+6"), 1000000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("1M"), 1000000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("250k"), 250000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("250K"), 250000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("2.5e6"), 2500000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("0.5M"), 500000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("4G"), 4000000000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("1500e-2"), 15);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("010"), 10);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("0e50"), 0);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("0.0"), 0);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("-2k"), -2000);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("+3"), 3);
}

TEST(WholeNumberTest, IsExactBeyondWhatADoubleHolds) {
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("9.007199254740993e15"), 9007199254740993);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(ParseWholeNumber<std::uint64_t>("18446744073709551615"), UINT64_MAX);
}

TEST(WholeNumberTest, WhatDoesNotFitIsNone) {
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("9223372036854775808"), std::nullopt);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("1e19"), std::nullopt);
  EXPECT_EQ(ParseWholeNumber<std::int64_t>("10000000000G"), std::nullopt);
  EXPECT_EQ(ParseWholeNumber<std::uint64_t>("-1"), std::nullopt);
}

TEST(WholeNumberTest, WhatIsNotWholeOrNotANumberIsNone) {
  for (const char* text :
       {"",     "-",     ".",     "k",    "e6",  "1.5", "1e-3", "1.0005k",
        "0x10", "1_000", "1e",    "1e6k", "1m",  "1Q",  "1 k",  " 1",
        "1 ",   "1e 6",  "1.2.3", "--1",  "+-1", "inf", "nan",  "1e1000000000000",
        "none"}) {
    EXPECT_EQ(PlainDigits(text), std::nullopt) << "'" << text << "'";
  }
}

}  // namespace
}  // namespace gorila
