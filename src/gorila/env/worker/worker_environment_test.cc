#include "gorila/env/worker/worker_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>  // kill is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gorila/base/file.h"
#include "gorila/env/registry.h"
#include "gorila/env/worker/testing.h"
#include "gorila/env/worker/worker.h"

namespace gorila {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_worker::Seen;
using testing_worker::Walker;
using testing_worker::WorkerEnvironmentTest;

constexpr std::string_view kWalk = "python:worker_games:Walk";

TEST_F(WorkerEnvironmentTest, ASeedAndActionsFixWhatIsSeen) {
  const auto factory = Factory(kWalk, Options());
  Walker one(Make(*factory, 1));
  Walker same(Make(*factory, 1));
  Walker other(Make(*factory, 2));
  const auto seen = one.Play(200);
  EXPECT_EQ(seen, same.Play(200));
  EXPECT_NE(seen, other.Play(200));
  EXPECT_EQ(one.environment().spec().observation,
            (ObservationSpec{.channels = 4, .element = ElementType::kFloat32}));
  EXPECT_THAT(one.environment().spec().action_names, ElementsAre("0", "1", "2"));
}

TEST_F(WorkerEnvironmentTest, TerminatedEndsWithoutAFutureAndTruncatedWithOne) {
  const auto factory = Factory(kWalk, Options(R"({"ends":12})"));
  Walker walker(Make(*factory, 1));
  int terminated = 0;
  int truncated = 0;
  bool over = true;
  float steps = 0;
  for (const Seen& seen : walker.Play(2000)) {
    if (over) {
      EXPECT_EQ(seen.step.step_type, StepType::kFirst);
      steps = 0;
    }
    // The final observation belongs to the episode that ends, the first one to the next.
    EXPECT_EQ(seen.observation[1], steps);
    ++steps;
    over = seen.step.last();
    if (!over) continue;
    (seen.step.discount == 0 ? terminated : truncated) += 1;
    // A real end on the last step that is allowed is an end.
    if (seen.observation[1] < 9) {
      EXPECT_EQ(seen.step.discount, 0);
    }
  }
  EXPECT_GT(terminated, 50);
  EXPECT_GT(truncated, 50);
}

TEST_F(WorkerEnvironmentTest, StepsTogetherAreTheStepsAlone) {
  const EnvironmentOptions options = Options();
  std::vector<std::vector<Seen>> alone;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto factory = Factory(kWalk, options);
    alone.push_back(Walker(Make(*factory, i), i).Play(100));
  }
  const auto factory = Factory(kWalk, options);  // two workers of three seats
  std::vector<Walker> walkers;
  for (std::uint64_t i = 0; i < 5; ++i) walkers.emplace_back(Make(*factory, i), i);
  for (std::size_t step = 0; step < 100; ++step) {
    for (Walker& walker : walkers) walker.Submit();
    for (std::size_t i = 0; i < walkers.size(); ++i) {
      ASSERT_EQ(walkers[i].Step().value(), alone[i][step]) << i << " " << step;
    }
  }
}

TEST_F(WorkerEnvironmentTest, AFreeSeatServesTheNextEnvironment) {
  const std::string pids = Path("pids");
  std::filesystem::remove(pids);
  const auto factory = Factory(kWalk, Options(fmt::format(R"({{"pid_file":"{}"}})", pids)));
  std::vector<Seen> first;
  for (int i = 0; i < 8; ++i) {
    Walker walker(Make(*factory, 3));
    const auto seen = walker.Play(20 + i);  // left in the middle of an episode
    if (first.empty()) first = seen;
    EXPECT_TRUE(std::equal(first.begin(), first.end(), seen.begin())) << i;
  }
  const std::string made = ReadFile(pids).value();
  EXPECT_EQ(std::count(made.begin(), made.end(), '\n'), 1) << made;
}

TEST_F(WorkerEnvironmentTest, AProcessThatDiesOnceIsNotNoticed) {
  const auto plain = Factory(kWalk, Options());
  Walker expected(Make(*plain, 1), 1);
  Walker expected_beside(Make(*plain, 2), 2);
  for (const char* const fault : {"exit", "abort", "raise", "hang"}) {
    EnvironmentOptions options = Options(Fault(fault, 40, true));
    options.external.step_seconds = 2;  // for the hang; every other step takes much less
    const WorkerCounters before = ReadWorkerCounters();
    const auto factory = Factory(kWalk, options);
    Walker walker(Make(*factory, 1), 1);
    Walker beside(Make(*factory, 2), 2);
    const auto plain_again = Factory(kWalk, Options());
    Walker a(Make(*plain_again, 1), 1);
    Walker b(Make(*plain_again, 2), 2);
    for (int i = 0; i < 150; ++i) {
      for (Walker* const one : {&walker, &beside, &a, &b}) one->Submit();
      ASSERT_EQ(walker.Step().value(), a.Step().value()) << fault << i;
      ASSERT_EQ(beside.Step().value(), b.Step().value()) << fault << i;
    }
    const WorkerCounters after = ReadWorkerCounters();
    const bool raises = std::string_view(fault) == "raise";
    EXPECT_EQ(after.restarts - before.restarts, raises ? 0 : 1) << fault;
    EXPECT_EQ(after.exceptions - before.exceptions, raises ? 1 : 0) << fault;
    EXPECT_EQ(after.lost_episodes, before.lost_episodes) << fault;
    EXPECT_FALSE(std::filesystem::exists(Marker())) << fault;
  }
}

TEST_F(WorkerEnvironmentTest, AStepThatAlwaysFailsLosesItsEpisodeAlone) {
  for (const char* const fault : {"exit", "raise"}) {
    EnvironmentOptions options = Options(Fault(fault, 40, false));
    const auto factory = Factory(kWalk, options);
    Walker walker(Make(*factory, 1));
    EXPECT_EQ(walker.Play(30).size(), 30U);
    Walker beside(Make(*factory, 2));
    EXPECT_EQ(beside.Play(10).size(), 10U);
    Status lost;
    for (int i = 0; i < 40 && lost.ok(); ++i) {
      walker.Submit();
      lost = walker.Step().status();
    }
    EXPECT_TRUE(IsEpisodeLost(lost)) << fault << lost;
    walker.BeginAnew();
    EXPECT_EQ(walker.Play(1)[0].step.step_type, StepType::kFirst);
    // The other one continues where it was.
    const auto plain = Factory(kWalk, Options());
    Walker expected(Make(*plain, 2));
    expected.Play(10);
    EXPECT_EQ(beside.Play(10), expected.Play(10)) << fault;
  }
}

TEST_F(WorkerEnvironmentTest, TooManyFailuresEndTheRunWithWhatWasPrinted) {
  const auto factory = Factory(kWalk, Options(Fault("exit", 1, false)));
  Walker walker(Make(*factory, 1));
  Status status;
  for (int i = 0; i < 100 && (status.ok() || IsEpisodeLost(status)); ++i) {
    walker.Submit();
    status = walker.Step().status();
    if (IsEpisodeLost(status)) walker.BeginAnew();
  }
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()),
              testing::AllOf(HasSubstr("'python:worker_games:Walk' failed 11 times within 10000"),
                             HasSubstr("exit status 3"), HasSubstr("about to fail: exit")));
}

TEST_F(WorkerEnvironmentTest, BrokenPromisesAreErrorsThatSayWhich) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"nan", "a reward of nan"},
      {"infinite", "an observation that is not finite"},
      {"shape", "an observation of shape (1,); its space says (4,)"},
      {"integers", "an observation of dtype complex128; its space says float32"},
      {"nothing", "is a return missing?"},
      {"word", "terminated is 'False'; expected True or False"},
      {"old", "step() gave 4 values"},
      {"reward", "a reward of None; expected a number"},
      {"text", "a reward of '1'; expected a number"},
      {"flag", "terminated is array([0., 0.]); expected True or False"}};
  for (const auto& [fault, message] : cases) {
    const auto factory = Factory(kWalk, Options(Fault(fault, 5, false)));
    Walker walker(Make(*factory, 1));
    Status status;
    for (int i = 0; i < 20 && status.ok(); ++i) {
      walker.Submit();
      status = walker.Step().status();
    }
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << fault << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << fault;
  }
}

TEST_F(WorkerEnvironmentTest, AnExceptionIsOneLineThatSaysWhere) {
  for (const auto& [fault, message] : std::vector<std::pair<const char*, const char*>>{
           {"sys.exit", "SystemExit: no more ("}, {"lines", "ValueError: two lines ("}}) {
    const std::int64_t exceptions = ReadWorkerCounters().exceptions;
    const auto factory = Factory(kWalk, Options(Fault(fault, 2, false)));
    Walker walker(Make(*factory, 1));
    Status status;
    for (int i = 0; i < 20 && status.ok(); ++i) {
      walker.Submit();
      status = walker.Step().status();
    }
    EXPECT_TRUE(IsEpisodeLost(status)) << status;
    EXPECT_THAT(std::string(status.message()),
                testing::AllOf(HasSubstr(message), HasSubstr("/worker_games.py, line ")));
    EXPECT_EQ(ReadWorkerCounters().exceptions, exceptions + 2) << fault;
  }
  EXPECT_THAT(
      Refused("python:worker_games:Raises", Options()),
      testing::AllOf(HasSubstr("ValueError: no level ?"), HasSubstr("/worker_games.py, line ")));
}

TEST_F(WorkerEnvironmentTest, AClosedPipeIsSaidToBeOne) {
  const auto factory = Factory(kWalk, Options(Fault("close", 2, false)));
  Walker walker(Make(*factory, 1));
  Status status;
  for (int i = 0; i < 20 && status.ok(); ++i) {
    walker.Submit();
    status = walker.Step().status();
  }
  EXPECT_THAT(std::string(status.message()), HasSubstr("closed its pipe"));
}

TEST_F(WorkerEnvironmentTest, AVirtualEnvironmentThatIsGoneIsNamed) {
  EnvironmentOptions options = Options();
  options.external.python = "auto";
  ::setenv("VIRTUAL_ENV", "/no/such/venv", 1);
  EXPECT_THAT(Refused(kWalk, options), HasSubstr("VIRTUAL_ENV is '/no/such/venv'"));
  ::unsetenv("VIRTUAL_ENV");
}

TEST_F(WorkerEnvironmentTest, FoldersAreFoundInPythonsSafeModeToo) {
  ::setenv("PYTHONSAFEPATH", "1", 1);
  const auto factory = MakeEnvironmentFactory(kWalk, Options());
  ::unsetenv("PYTHONSAFEPATH");
  EXPECT_TRUE(factory.ok()) << factory.status();
}

TEST_F(WorkerEnvironmentTest, AProcessThatDiesOnceWhileItIsRestoredIsNotNoticed) {
  EnvironmentOptions options = Options(Fault("exit", 2, true));
  options.external.exact = true;
  std::filesystem::remove(Marker());
  const auto factory = Factory(kWalk, options);
  Walker walker(Make(*factory, 1));
  Walker other(Make(*factory, 2));
  walker.Play(12);
  std::ofstream(Marker()) << "there";
  walker.CopyStateTo(other);
  EXPECT_FALSE(std::filesystem::exists(Marker()));
  EXPECT_EQ(other.Play(30), walker.Play(30));
}

TEST_F(WorkerEnvironmentTest, AResetThatFailsTwiceIsAnError) {
  const auto factory = Factory(kWalk, Options(R"({"fault":"reset"})"));
  Walker walker(Make(*factory, 1));
  walker.Submit();
  const Status status = walker.Step().status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("RuntimeError: cannot be reset"));
}

TEST_F(WorkerEnvironmentTest, WhatCannotBeMadeIsRefusedInASentence) {
  const EnvironmentOptions options = Options();
  EXPECT_THAT(Refused("python:no_such_module:X", options),
              testing::AllOf(HasSubstr("No module named 'no_such_module'; install it for /"),
                             HasSubstr("environment.python_path")));
  EXPECT_THAT(Refused("python:worker_games:Nothing", options), HasSubstr("has no 'Nothing'"));
  EXPECT_THAT(Refused("python:worker_games:not_callable", options), HasSubstr("not callable"));
  EXPECT_THAT(Refused("python:worker_games:DictObservations", options),
              HasSubstr("FlattenObservation"));
  EXPECT_THAT(Refused(kWalk, Options(R"({"colour":1})")), HasSubstr("colour"));
  EXPECT_THAT(Refused(kWalk, Options("[1]")), HasSubstr("environment.kwargs is [1]"));
  EnvironmentOptions wrapped = options;
  wrapped.external.wrappers = "worker_games:Nowhere";
  EXPECT_THAT(Refused(kWalk, wrapped), HasSubstr("wrapper 'worker_games:Nowhere'"));
  wrapped.external.wrappers = "worker_games";
  EXPECT_THAT(Refused(kWalk, wrapped), HasSubstr("expected MODULE:CLASS"));
  EnvironmentOptions missing = options;
  missing.external.python = "/no/such/python";
  EXPECT_THAT(Refused(kWalk, missing), HasSubstr("environment.python is '/no/such/python'"));
  missing.external.python = "no-such-python";
  EXPECT_THAT(Refused(kWalk, missing), HasSubstr("'no-such-python' is not there"));
  missing.external.python = "/";
  EXPECT_THAT(Refused(kWalk, missing), HasSubstr("'python:worker_games:Walk': cannot run '/'"));
  missing.external.python = "true";  // a program that is no interpreter
  EXPECT_THAT(Refused(kWalk, missing), HasSubstr("ended with exit status 0"));
  const auto old = Factory("python:worker_games:OldReset", options);
  std::vector<std::byte> frame(16);
  EXPECT_THAT(std::string(Make(*old, 1)->Reset(frame).status().message()),
              HasSubstr("reset() did not give (observation, info)"));
}

TEST_F(WorkerEnvironmentTest, WrappersAndFactoriesAreApplied) {
  EnvironmentOptions options = Options(R"({"ends":5})");
  options.external.wrappers = "worker_games:Flatten";
  const auto factory = Factory("python:worker_games:make_walk", options);
  const auto environment = Make(*factory, 1);
  EXPECT_EQ(environment->spec().observation,
            (ObservationSpec{.channels = 2, .element = ElementType::kFloat32}));
}

TEST_F(WorkerEnvironmentTest, StateIsRestoredByPlayingItAgain) {
  for (const int reseed : {0, 30, 10'000}) {
    EnvironmentOptions options = Options();
    options.external.reseed_steps = reseed;
    options.external.exact = true;
    const auto factory = Factory(kWalk, options);
    const auto elsewhere = Factory(kWalk, options);
    Walker walker(Make(*factory, 1));
    for (int i = 0; i < 25; ++i) {
      walker.Play(7);
      Walker restored(Make(*elsewhere, 99));
      restored.Play(3);
      walker.CopyStateTo(restored);
      Walker twice(Make(*elsewhere, 98));
      walker.CopyStateTo(twice);
      EXPECT_EQ(restored.Play(40), twice.Play(40)) << reseed << " " << i;
    }
    Walker restored(Make(*elsewhere, 99));
    walker.CopyStateTo(restored);
    EXPECT_EQ(restored.Play(100), walker.Play(100)) << reseed;
  }
}

TEST_F(WorkerEnvironmentTest, WhatDoesNotRepeatItselfIsFoundOut) {
  const auto repeats = [](std::string_view name) {
    return ProbeEnvironment(*ParseExternalName(name), Options()).value().repeats;
  };
  EXPECT_TRUE(repeats(kWalk));
  EXPECT_TRUE(repeats("python:worker_games:Screen"));
  EXPECT_FALSE(repeats("python:worker_games:Unrepeatable"));
  EXPECT_FALSE(repeats("python:worker_games:SharedChance"));
}

TEST_F(WorkerEnvironmentTest, StateThatDoesNotComeBackIsAnErrorOnlyWhereItMustBeExact) {
  for (const bool exact : {true, false}) {
    EnvironmentOptions options = Options();
    options.external.exact = exact;
    const auto factory = Factory("python:worker_games:Unrepeatable", options);
    Walker walker(Make(*factory, 1));
    walker.Play(3);
    StateWriter writer;
    walker.environment().SaveState(writer);
    StateReader reader(writer.bytes());
    const auto other = Make(*factory, 2);
    const Status status = other->RestoreState(reader);
    if (exact) {
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("does not repeat itself"));
      continue;
    }
    ASSERT_TRUE(status.ok()) << status;
    other->Submit(0);
    EXPECT_TRUE(IsEpisodeLost(other->Await()));
    std::vector<std::byte> frame(16);
    EXPECT_TRUE(other->Reset(frame).ok());
    other->Submit(0);
    EXPECT_TRUE(other->Await().ok());
  }
}

TEST_F(WorkerEnvironmentTest, AScreenIsPreparedAndDrawn) {
  EnvironmentOptions options = Options();
  options.external.pictures = true;
  const auto factory = Factory("python:worker_games:Screen", options);
  const auto environment = Make(*factory, 1);
  const EnvironmentSpec& spec = environment->spec();
  EXPECT_EQ(spec.observation.height, 84);
  EXPECT_EQ(spec.observation.stack, 4);
  EXPECT_THAT(spec.action_names, ElementsAre("STAY", "GO"));
  std::vector<std::uint8_t> frame(84 * 84);
  const auto bytes = std::as_writable_bytes(std::span(frame));
  ASSERT_TRUE(environment->Reset(bytes).ok());
  EXPECT_EQ(frame[0], 100);
  RgbImage image;
  ASSERT_TRUE(environment->Render(image).ok());
  EXPECT_EQ(image.width, 160);
  EXPECT_EQ(image.height, 210);
  EXPECT_EQ(image.pixels[0], 100);
  EXPECT_EQ(environment->Step(1, bytes)->reward, 1);
  ASSERT_TRUE(environment->Step(1, bytes).ok());
  const TimeStep last = environment->Step(1, bytes).value();
  EXPECT_TRUE(last.last());
  EXPECT_EQ(last.discount, 0);  // both flags are true
  EXPECT_EQ(frame[0], 103);     // though its array was reset since
  ASSERT_TRUE(environment->Reset(bytes).ok());
  EXPECT_EQ(frame[0], 100);
}

TEST_F(WorkerEnvironmentTest, ARecordStandsForTheEnvironmentAndIsCompared) {
  const EnvironmentRecord record = ProbeEnvironment(*ParseExternalName(kWalk), Options()).value();
  EnvironmentOptions options = Options();
  options.external.record = EncodeEnvironmentRecord(record);
  EnvironmentOptions without_python = options;
  without_python.external.python = "no-such-python";
  const EnvironmentSpec spec = DescribeEnvironment(kWalk, without_python).value();
  const auto factory = Factory(kWalk, options);
  EXPECT_EQ(spec.observation, Make(*factory, 1)->spec().observation);
  EXPECT_THAT(Refused("python:worker_games:Screen", options),
              testing::AllOf(HasSubstr("(210, 160, 3)"), HasSubstr("this run began with"),
                             HasSubstr("(4)")));
  options.external.record = "{}";
  EXPECT_THAT(std::string(DescribeEnvironment(kWalk, options).status().message()),
              HasSubstr("environment.record is '{}'"));
}

TEST_F(WorkerEnvironmentTest, NoProcessIsLeftBehind) {
  const std::string pids = Path("pids");
  std::filesystem::remove(pids);
  {
    const auto factory = Factory(kWalk, Options(fmt::format(R"({{"pid_file":"{}"}})", pids)));
    Walker walker(Make(*factory, 1));
    walker.Play(5);
  }
  std::ifstream file(pids);
  pid_t pid = 0;
  ASSERT_TRUE(file >> pid);
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST_F(WorkerEnvironmentTest, NothingOfAStuckProcessOutlivesTheProgram) {
  const std::string pids = Path("stuck");
  std::filesystem::remove(pids);
  const pid_t program = ::fork();
  ASSERT_GE(program, 0);
  if (program == 0) {
    const auto factory =
        Factory(kWalk, Options(fmt::format(R"({{"fault":"lock","at":2,"pid_file":"{}"}})", pids)));
    Walker(Make(*factory, 1)).Play(20);
    ::_exit(0);
  }
  // The worker's own, then that of what its environment started.
  std::vector<std::string> started;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (started.size() < 2 && std::chrono::steady_clock::now() < deadline) {
    std::ifstream file(pids);
    started.assign(std::istream_iterator<std::string>(file), {});
  }
  EXPECT_EQ(started.size(), 2);
  ::kill(program, SIGKILL);
  ::waitpid(program, nullptr, 0);
  for (const std::string& pid : started) {
    const auto runs = [&pid] {  // what nobody has waited for has no command line
      std::ifstream file("/proc/" + pid + "/cmdline");
      return file.get() != std::ifstream::traits_type::eof();
    };
    while (runs() && std::chrono::steady_clock::now() < deadline) {
    }
    EXPECT_FALSE(runs()) << pid;
    if (runs()) ::kill(std::stoi(pid), SIGKILL);
  }
}

}  // namespace
}  // namespace gorila
