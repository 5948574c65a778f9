#include "gorila/launch/slurm_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <sstream>

#include "gorila/base/command.h"
#include "gorila/base/file.h"
#include "gorila/config/testing.h"

namespace gorila {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Config JobConfig() {
  Config config = testing_config::SmallConfig();
  config.run.deterministic = false;
  config.run.bundles = 1;
  config.parameter_server.shards = 2;
  config.cluster = {.actors = 2, .learners = 1, .replays = 1, .cpus = 1, .memory_mb = 100};
  return config;
}

TEST(SlurmScriptTest, AsksForATaskEachProcess) {
  Config config = JobConfig();
  const std::string script = SlurmScript(config, "/shared/my run", "/opt/gorila");
  EXPECT_THAT(script, HasSubstr("#SBATCH --ntasks=4 --cpus-per-task=1 --mem-per-cpu=100M\n"
                                "#SBATCH hetjob\n"
                                "#SBATCH --ntasks=4 --cpus-per-task=1 --mem-per-cpu=100M\n"));
  EXPECT_THAT(script, HasSubstr("run='/shared/my run'\n"));
  EXPECT_THAT(script, Not(HasSubstr("--partition")));
  EXPECT_THAT(script, Not(HasSubstr("--signal")));
  config.slurm = {.partition = "gpu", .account = "me", .minutes = 30};
  const std::string asked = SlurmScript(config, "/shared/run", "/opt/gorila");
  for (const char* const option :
       {"--partition=gpu\n", "--account=me\n", "--time=30\n", "--signal=B:TERM@120\n"}) {
    EXPECT_THAT(asked, HasSubstr(std::string("#SBATCH ") + option));
  }
}

// Since Slurm 22.05, a step gets one core unless it requests more.
TEST(SlurmScriptTest, EveryProcessHasTheCoresThatTheJobAskedFor) {
  Config config = JobConfig();
  config.cluster.cpus = 3;
  const std::string script = SlurmScript(config, "/shared/run", "/opt/gorila");
  EXPECT_THAT(script, HasSubstr("#SBATCH --ntasks=4 --cpus-per-task=3 --mem-per-cpu=34M\n"));
  EXPECT_THAT(script, HasSubstr("\ncpus=3\n"));
  EXPECT_THAT(script, HasSubstr("--cpus-per-task=\"$cpus\""));
}

TEST(SlurmScriptTest, EveryProcessServesMetricsWhenAskedTo) {
  Config config = JobConfig();
  EXPECT_THAT(SlurmScript(config, "/shared/run", "/opt/gorila"),
              Not(HasSubstr("--metrics-listen")));
  config.cluster.metrics_port = 9100;
  const std::string script = SlurmScript(config, "/shared/run", "/opt/gorila");
  EXPECT_THAT(script, HasSubstr("\"--metrics-listen\" \"0.0.0.0:9100\""));
  EXPECT_THAT(script, HasSubstr("\"--metrics-listen\" \"0.0.0.0:$((9101 + index))\""));
}

// Every character that means something to bash, to sbatch or in a pattern of Slurm's.
const char* const kNames[] = {"my  runs",
                              "it's",
                              "a \"b\"",
                              "100%",
                              "%j %x %%",
                              "$HOME",
                              "`id`",
                              "-dash",
                              "#a #b",
                              "l\u00e4ufe \u6f22",
                              "a;b&c|d<e>f(g)*?[h]!{i}~"};

TEST(SlurmScriptTest, NamesReachSlurmAndTheProcessesAsTheyAre) {
  for (const std::string name : kNames) {
    const std::string script = SlurmScript(JobConfig(), "/shared/" + name, "/opt/" + name);
    // sbatch reads the words of its lines as a shell does.
    std::string command;
    std::istringstream lines(script);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("#SBATCH --job-name=") || line.starts_with("#SBATCH --output=")) {
        command += "printf '%s\n' " + line.substr(8) + "\n";
      }
      for (const char* const variable : {"run=", "program=", "output="}) {
        if (line.starts_with(variable)) command += line + "\n";
      }
    }
    command += R"(printf '%s\n' "$run" "$program" "$output")";
    std::string doubled;
    for (const char c : name) doubled.append(c == '%' ? 2 : 1, c);
    EXPECT_EQ(RunCommand({"bash", "-c", command}).value().output,
              fmt::format("--job-name=gorila-{0}\n--output=/shared/{1}/logs/slurm.log\n"
                          "--open-mode=append\n/shared/{0}\n/opt/{0}\n/shared/{1}/logs\n",
                          name, doubled));
    EXPECT_TRUE(CheckSlurm("/shared/" + name).ok()) << name;
  }
}

TEST(SlurmScriptTest, NamesThatSlurmCannotWriteToAreRefused) {
  for (const char* const name : {"a\\b", "a\nb", "a\tb", "a\rb", "\x1b[1m", "\x7f"}) {
    for (const fs::path& run : {fs::path("/shared") / name, fs::path("/shared") / name / "run"}) {
      const Status status = CheckSlurm(run);
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
      EXPECT_THAT(std::string(status.message()), HasSubstr("expected any characters but"));
    }
  }
}

// The script with programs in Slurm's and Gorila's place: two nodes, of which the second has one
// task, and processes that only write down what became of them.
class SlurmScriptRunTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("slurm script {}", ::getpid());
    run_ = folder_ / "run";
    fs::remove_all(folder_);
    for (const char* const name : {"bin", "said"}) fs::create_directories(folder_ / name);
    AddProgram("scontrol", R"(case $2 in
  hostnames) printf 'a\nb\n' ;;
  node) echo "NodeName=$3 Arch=x NodeAddr=address-$3 Port=1" ;;
esac)");
    // Its own options come before the program.
    AddProgram("srun", R"(for option; do
  case $option in
    --job-name=*) name=${option#*=} ;;
    --nodelist=*) node=${option#*=} ;;
    --output=*) output=${option#*=} ;;
    --cpus-per-task=*) echo "${option#*=}" >>"$said/../cpus" ;;
  esac
  [[ $option == --* ]] || break
  shift
done
output=$(sed 's/%%/\x01/g; s/%j/7/g; s/\x01/%/g' <<<"$output")
name=$name node=$node exec "$@" >>"$output")");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void AddProgram(const std::string& name, const std::string& text) {
    const fs::path path = folder_ / "bin" / name;
    std::ofstream(path) << "#!/bin/bash\n" << text << "\n";
    fs::permissions(path, fs::perms::owner_all);
  }

  // Runs the job with `program` as Gorila; it sees $name, $node and $said, a folder to write into.
  CommandOutcome Run(const std::string& program, const std::string& prefix = "") {
    AddProgram("gorila", program);
    fs::create_directories(run_ / "logs");
    const fs::path script = run_ / "job.sh";
    std::ofstream(script) << SlurmScript(JobConfig(), run_, folder_ / "bin" / "gorila");
    const std::string command = fmt::format(
        "export PATH={}:$PATH said={} SLURM_JOB_ID=7 SLURM_JOB_NODELIST_HET_GROUP_0=x "
        "SLURM_TASKS_PER_NODE_HET_GROUP_0='3,1' SLURM_JOB_NODELIST_HET_GROUP_1=x "
        "SLURM_TASKS_PER_NODE_HET_GROUP_1='2(x2)'; {}",
        ShellQuoted((folder_ / "bin").string()), ShellQuoted((folder_ / "said").string()),
        prefix.empty() ? "exec bash " + ShellQuoted(script.string())
                       : prefix + " " + ShellQuoted(script.string()));
    return RunCommand({"bash", "-c", command}).value();
  }
  std::string Said(const std::string& name) {
    return ReadFile(folder_ / "said" / name).value_or("(nothing)");
  }

  fs::path folder_;
  fs::path run_;
};

constexpr char kServers[] = R"(case $name in
  parameter-server-*|replay-*)
    trap 'echo stopped >> "$said/$name"; exit 0' TERM
    echo "$node $*" >> "$said/$name"
    while :; do sleep 0.02; done ;;
esac
)";

TEST_F(SlurmScriptRunTest, StartsAllWhereSlurmPutThemAndStopsTheServersAtTheEnd) {
  const CommandOutcome outcome = Run(std::string(kServers) + R"(
echo "$node $*" >> "$said/$name"
[[ $name == coordinator ]] || exit 0
until [[ $(ls "$said" | wc -l) == 8 ]]; do sleep 0.02; done)");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
  const std::string shards = "--parameter-servers address-a:20448,address-a:20449";
  EXPECT_THAT(Said("parameter-server-1"), HasSubstr("a parameter-server"));
  EXPECT_THAT(Said("parameter-server-1"), HasSubstr("--shard 1 --listen address-a:20449"));
  EXPECT_THAT(Said("parameter-server-1"), HasSubstr("\nstopped\n"));
  EXPECT_THAT(Said("replay-0"), HasSubstr("--listen address-a:20450"));
  EXPECT_THAT(Said("replay-0"), HasSubstr("\nstopped\n"));
  EXPECT_THAT(Said("coordinator"), HasSubstr("b coordinator"));
  EXPECT_THAT(Said("coordinator"), HasSubstr(shards));
  EXPECT_THAT(Said("bundle-0"), HasSubstr("a bundle"));
  EXPECT_THAT(Said("bundle-0"), HasSubstr(shards));
  EXPECT_THAT(Said("actor-1"), HasSubstr("b actor"));
  EXPECT_THAT(Said("actor-1"), HasSubstr("--replays address-a:20450"));
  EXPECT_THAT(Said("learner-0"), HasSubstr("b learner"));
  EXPECT_THAT(ReadFile(folder_ / "cpus").value_or(""), StartsWith("1\n1\n"));
}

TEST_F(SlurmScriptRunTest, ARunOfAnyNameIsGivenToTheProcesses) {
  std::string all;
  for (const char* const name : kNames) all += name;
  run_ = folder_ / all;
  const CommandOutcome outcome = Run(R"(
trap 'exit 0' TERM
for argument; do echo "$argument" >> "$said/$name"; done
echo "log of $name"
[[ $name == coordinator ]] && until [[ $(ls "$said" | wc -l) == 8 ]]; do sleep 0.02; done
[[ $name != parameter-server-* && $name != replay-* ]] || while :; do sleep 0.02; done)");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
  EXPECT_THAT(Said("bundle-0"), HasSubstr("--config\n" + (run_ / "config.toml").string() + "\n"));
  EXPECT_THAT(Said("replay-0"),
              HasSubstr("--state-dir\n" + (run_ / "servers/replay-0").string() + "\n"));
  EXPECT_EQ(ReadFile(run_ / "logs" / "bundle-0.log").value_or("(none)"), "log of bundle-0\n");
}

TEST_F(SlurmScriptRunTest, AProcessThatDiesIsStartedAgain) {
  const CommandOutcome outcome = Run(std::string(kServers) + R"(
echo "$node" >> "$said/$name"
lives() { wc -l < "$said/$1"; }
case $name in
  actor-0) (($(lives actor-0) >= 2)) || kill -KILL $$ ;;
  coordinator) until [[ -e $said/actor-0 ]] && (($(lives actor-0) >= 2)); do sleep 0.02; done ;;
esac)");
  EXPECT_EQ(outcome.exit_status, 0) << outcome.output;
  EXPECT_EQ(Said("actor-0"), "a\na\n");
  EXPECT_THAT(outcome.output, HasSubstr("actor-0 ended with exit status 137; starting it again"));
}

TEST_F(SlurmScriptRunTest, AProcessThatCanNeverDoBetterEndsTheJob) {
  const CommandOutcome outcome = Run(std::string(kServers) + R"(
case $name in
  learner-0) exit 2 ;;
  *) trap 'echo stopped >> "$said/$name"; exit 130' TERM; while :; do sleep 0.02; done ;;
esac)");
  EXPECT_EQ(outcome.exit_status, 1) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("learner-0 ended with exit status 2; see"));
  for (const char* const name : {"coordinator", "bundle-0", "actor-1", "replay-0"}) {
    EXPECT_THAT(Said(name), HasSubstr("stopped")) << name;
  }
}

TEST_F(SlurmScriptRunTest, ToldToStopItStopsAllInOrder) {
  const CommandOutcome outcome = Run(std::string(kServers) + R"(
trap 'echo stopped >> "$said/$name"; exit 130' TERM
echo "$node" >> "$said/$name"
while :; do sleep 0.02; done)",
                                     R"(stop() { bash "$1" & job=$!
  until [[ $(ls "$said" | wc -l) == 8 ]]; do sleep 0.02; done
  kill -TERM $job; wait $job; }
stop)");
  EXPECT_EQ(outcome.exit_status, 130) << outcome.output;
  for (const char* const name : {"coordinator", "bundle-0", "actor-1", "replay-0"}) {
    EXPECT_THAT(Said(name), HasSubstr("stopped")) << name;
  }
}

}  // namespace
}  // namespace gorila
