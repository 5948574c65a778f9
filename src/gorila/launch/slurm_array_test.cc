#include "gorila/launch/slurm_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "gorila/base/command.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

SlurmArray Array() {
  return {.verb = "sweep",
          .folder = "/shared/my sweep",
          .tasks = {{.command = {"/opt/gorila", "train"}, .log = "/shared/a.log"},
                    {.command = {"/opt/gorila", "train"}, .log = "/shared/b.log"},
                    {.command = {"/opt/gorila", "train"}, .log = "/shared/c.log"}},
          .at_once = 0,
          .cpus = 4,
          .memory_mb = 700,
          .slurm = {}};
}

TEST(SlurmArrayTest, AsksForATaskEachRun) {
  SlurmArray array = Array();
  const std::string script = SlurmArrayScript(array);
  EXPECT_THAT(script, HasSubstr("#SBATCH --array=0-2\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --ntasks=1 --cpus-per-task=4 --mem=700M\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --job-name='gorila-my sweep'\n"));
  EXPECT_THAT(script, HasSubstr("#SBATCH --requeue\n"));
  EXPECT_THAT(script, Not(HasSubstr("--signal")));
  array.at_once = 2;
  array.slurm = {.partition = "gpu", .account = "me", .minutes = 30};
  const std::string asked = SlurmArrayScript(array);
  EXPECT_THAT(asked, HasSubstr("#SBATCH --array=0-2%2\n"));
  for (const char* const option :
       {"--partition=gpu\n", "--account=me\n", "--time=30\n", "--signal=B:TERM@120\n"}) {
    EXPECT_THAT(asked, HasSubstr(std::string("#SBATCH ") + option));
  }
}

TEST(SlurmArrayTest, EachTaskRunsItsOwnCommandIntoItsOwnLog) {
  const fs::path folder =
      fs::path(testing::TempDir()) / fmt::format("gorila_slurm_array_{}", ::getpid());
  fs::create_directories(folder);
  SlurmArray array = Array();
  array.folder = folder;
  array.tasks = {{.command = {"/bin/echo", "one"}, .log = folder / "first's log"},
                 {.command = {"/bin/echo", "it's $HOME", "%j"}, .log = folder / "second"}};
  const fs::path script = folder / "job.sh";
  std::ofstream(script) << SlurmArrayScript(array);
  const auto run = [&](const std::string& task) {
    return RunCommand({"env", "SLURM_ARRAY_TASK_ID=" + task, "bash", script.string()}).value();
  };
  EXPECT_EQ(run("1").exit_status, 0);
  std::ostringstream second;
  second << std::ifstream(folder / "second").rdbuf();
  EXPECT_EQ(second.str(), "it's $HOME %j\n");
  EXPECT_FALSE(fs::exists(folder / "first's log"));
  EXPECT_EQ(run("0").exit_status, 0);
  EXPECT_TRUE(fs::exists(folder / "first's log"));
  EXPECT_EQ(run("2").exit_status, 2);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace gorila
