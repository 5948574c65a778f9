#include "gorila/checkpoint/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

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

TEST_F(GenerationTest, NoTwoGetTheSameNumberWhenTheyTakeAtTheSameTime) {
  constexpr int kThreads = 8;
  constexpr int kTakes = 25;
  std::vector<std::vector<std::int64_t>> numbers(kThreads);
  std::vector<std::thread> threads;
  for (std::vector<std::int64_t>& mine : numbers) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTakes; ++i) mine.push_back(Generation::Take(folder_).value().number());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::int64_t> all;
  for (const auto& mine : numbers) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), static_cast<std::size_t>(kThreads * kTakes));
  EXPECT_EQ(ReadFile(folder_ / "generation").value(), fmt::format("{}\n", *all.rbegin()));
  EXPECT_TRUE(fs::exists(folder_ / "generations" / std::to_string(*all.rbegin())));
}

TEST_F(GenerationTest, OldClaimsAreRemoved) {
  for (int i = 0; i < 80; ++i) ASSERT_TRUE(Generation::Take(folder_).ok());
  const auto claims = std::distance(fs::directory_iterator(folder_ / "generations"), {});
  EXPECT_LE(claims, 65);
}

TEST_F(GenerationTest, AClaimOfAProcessThatHasNotWrittenTheFileYetCounts) {
  const Generation first = Generation::Take(folder_).value();
  std::ofstream(folder_ / "generations" / "2") << "";
  EXPECT_FALSE(first.CheckNotReplaced("shard 3").ok());
  EXPECT_EQ(Generation::Take(folder_).value().number(), 3);
}

TEST_F(GenerationTest, ALostFileDoesNotPutANumberBelowTheSnapshots) {
  for (const bool claims_too : {false, true}) {
    Generation generation = Generation::Take(folder_).value();
    const std::uint64_t snapshot = generation.NextSnapshot();
    fs::create_directories(folder_ / "snapshots" / fmt::format("{:012}", snapshot));
    fs::remove(folder_ / "generation");
    if (claims_too) fs::remove_all(folder_ / "generations");
    EXPECT_TRUE(generation.CheckNotReplaced("shard 3").ok());
    EXPECT_EQ(Generation::Take(folder_).value().number(), generation.number() + 1);
  }
}

TEST_F(GenerationTest, AFolderOfAnEarlierVersionContinues) {
  std::ofstream(folder_ / "generation") << "41\n";
  EXPECT_EQ(Generation::Take(folder_).value().number(), 42);
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
