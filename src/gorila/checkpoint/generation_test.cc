#include "gorila/checkpoint/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "gorila/base/file.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class GenerationTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ =
      fs::path(testing::TempDir()) / fmt::format("generation_test-{}", ::getpid());
};

TEST_F(GenerationTest, EachTakesALargerOne) {
  for (std::int64_t number = 1; number <= 3; ++number) {
    EXPECT_EQ(Generation::Take(folder_).value().number(), number);
    EXPECT_EQ(ReadFile(folder_ / "generation").value(), fmt::format("{}\n", number));
  }
}

TEST_F(GenerationTest, OnlyTheNewestIsNotReplaced) {
  const Generation first = Generation::Take(folder_).value();
  EXPECT_TRUE(first.CheckNotReplaced("shard 3").ok());
  const Generation second = Generation::Take(folder_).value();
  const Status status = first.CheckNotReplaced("shard 3");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("shard 3: generation 2 has replaced this process of generation 1"));
  EXPECT_TRUE(second.CheckNotReplaced("shard 3").ok());
}

TEST_F(GenerationTest, SnapshotsOfALaterOneHaveLargerNumbers) {
  Generation first = Generation::Take(folder_).value();
  Generation second = Generation::Take(folder_).value();
  const std::uint64_t of_second = second.NextSnapshot();
  EXPECT_EQ(of_second, 2'000'001u);
  EXPECT_EQ(first.NextSnapshot(), 1'000'001u);
  EXPECT_EQ(first.NextSnapshot(), 1'000'002u);
}

TEST_F(GenerationTest, ADamagedFileIsRefusedAndLeft) {
  for (const std::string text : {"", "x\n", "-1\n", "1", "1 2\n", "900000\n"}) {
    std::ofstream(folder_ / "generation") << text;
    EXPECT_TRUE(absl::IsDataLoss(Generation::Take(folder_).status())) << text;
    EXPECT_EQ(ReadFile(folder_ / "generation").value(), text);
  }
}

}  // namespace
}  // namespace gorila
