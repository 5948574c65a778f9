#include "gorila/cli/run_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gorila::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

Machine MachineWith(int cores, std::int64_t gib) {
  Machine machine;
  machine.cores = cores;
  machine.available_bytes = gib * kGiB;
  return machine;
}

std::vector<RunCost> Runs(std::size_t count, RunCost cost) { return {count, cost}; }

TEST(ChooseJobsTest, AsManyAsHaveCores) {
  const auto runs = Runs(20, {.threads = 2, .bytes = kGiB / 4});
  const Jobs jobs = ChooseJobs(runs, std::nullopt, MachineWith(8, 16));
  EXPECT_EQ(jobs.number, 4);
  EXPECT_EQ(jobs.text,
            "4 runs at once: 2 threads each on 8 cores; a run takes up to 256.0 MiB of memory, and "
            "16.0 GiB are free");
  EXPECT_EQ(ChooseJobs(runs, std::nullopt, MachineWith(1, 16)).number, 1);
  EXPECT_EQ(ChooseJobs(Runs(2, {.threads = 1, .bytes = 1}), {}, MachineWith(8, 16)).number, 2);
  EXPECT_EQ(ChooseJobs({}, {}, MachineWith(8, 16)).number, 1);
}

TEST(ChooseJobsTest, AsManyAsFitIntoTheMemoryTogether) {
  std::vector<RunCost> runs = Runs(4, {.threads = 1, .bytes = kGiB});
  runs.push_back({.threads = 1, .bytes = 3 * kGiB});
  // Four fifths of 6 GiB: the large one and one more.
  EXPECT_EQ(ChooseJobs(runs, std::nullopt, MachineWith(8, 6)).number, 2);
  EXPECT_THAT(ChooseJobs(runs, std::nullopt, MachineWith(8, 6)).lowered, IsEmpty());
  // One is begun even where it hardly fits: the trainer's own check has let it pass.
  EXPECT_EQ(ChooseJobs(runs, std::nullopt, MachineWith(8, 1)).number, 1);
}

TEST(ChooseJobsTest, AWantedNumberThatDoesNotFitIsLoweredAndSaysSo) {
  const auto runs = Runs(20, {.threads = 1, .bytes = kGiB});
  const Jobs jobs = ChooseJobs(runs, 8, MachineWith(8, 5));
  EXPECT_EQ(jobs.number, 4);
  EXPECT_THAT(jobs.lowered, HasSubstr("--jobs 8 is lowered to 4"));
  EXPECT_THAT(jobs.lowered, HasSubstr("1.0 GiB"));
  EXPECT_THAT(ChooseJobs(runs, 4, MachineWith(8, 5)).lowered, IsEmpty());
  // Nobody needs to hear that there are fewer runs than wanted.
  EXPECT_THAT(ChooseJobs(Runs(2, {.threads = 1, .bytes = 1}), 8, MachineWith(8, 5)).lowered,
              IsEmpty());
}

TEST(ChooseJobsTest, MoreThanThereAreCoresIsTheUsersChoice) {
  const Jobs jobs = ChooseJobs(Runs(20, {.threads = 2, .bytes = 1}), 3, MachineWith(2, 5));
  EXPECT_EQ(jobs.number, 3);
  EXPECT_THAT(jobs.lowered, IsEmpty());
  EXPECT_THAT(jobs.text, HasSubstr("2 threads each on 2 cores, which they share"));
}

TEST(ChooseJobsTest, AGpuTakesOneAtATimeUnlessMoreAreWanted) {
  const auto runs = Runs(20, {.threads = 1, .bytes = 1, .on_gpu = true});
  EXPECT_EQ(ChooseJobs(runs, std::nullopt, MachineWith(16, 64)).number, 1);
  EXPECT_EQ(ChooseJobs(runs, 3, MachineWith(16, 64)).number, 3);
}

TEST(ChooseJobsTest, RunsThatArePinnedToTheSameCoresTrainOneAtATime) {
  const auto runs = Runs(20, {.threads = 1, .bytes = 1, .pinned = true});
  EXPECT_EQ(ChooseJobs(runs, std::nullopt, MachineWith(16, 64)).number, 1);
  EXPECT_THAT(ChooseJobs(runs, std::nullopt, MachineWith(16, 64)).text, HasSubstr("run.cpus"));
}

}  // namespace
}  // namespace gorila::cli
