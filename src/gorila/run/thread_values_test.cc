#include "gorila/run/thread_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

namespace gorila {
namespace {

constexpr ThreadValues::Names kNames = {"each", "count", "least", "mean", "most"};

std::string Line(ThreadValues& values) {
  values.Finish();
  std::vector<RunLogField> fields;
  values.AppendFields(kNames, fields);
  std::string line;
  for (const RunLogField& field : fields) {
    line += std::string(field.name) + '=';
    field.value.AppendJson(line);
    line += ' ';
  }
  return line;
}

TEST(ThreadValuesTest, FewThreadsAreNamedEach) {
  ThreadValues values(2);
  values.Add(std::array<double, 2>{0.5, 0.25});
  values.Add(std::array<double, 2>{1, std::nan("")});
  EXPECT_EQ(Line(values), "each=[0.5,0.25,1,null] ");
}

TEST(ThreadValuesTest, NoThreadsAreAnEmptyList) {
  ThreadValues values(1);
  EXPECT_EQ(Line(values), "each=[] ");
}

TEST(ThreadValuesTest, ManyThreadsAreTheirSpread) {
  ThreadValues values(2);
  for (std::size_t i = 0; i <= kMostThreadsInFull; ++i) {
    values.Add(std::array<double, 2>{static_cast<double>(i), 1});
  }
  EXPECT_EQ(Line(values), "count=17 least=[0,1] mean=[8,1] most=[16,1] ");
}

TEST(ThreadValuesTest, ThreadsWithoutAValueDoNotCountInTheSpread) {
  ThreadValues some(1), none(1);
  for (int i = 0; i < 100; ++i) {
    const double value = i < 3 ? i : std::nan("");
    some.Add(std::span(&value, 1));
    const double nan = std::nan("");
    none.Add(std::span(&nan, 1));
  }
  EXPECT_EQ(Line(some), "count=100 least=0 mean=1 most=2 ");
  EXPECT_EQ(Line(none), "count=100 least=null mean=null most=null ");
}

}  // namespace
}  // namespace gorila
