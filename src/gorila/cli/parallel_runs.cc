#include "gorila/cli/parallel_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "gorila/base/file.h"
#include "gorila/base/thread.h"
#include "gorila/cli/exit_status.h"
#include "gorila/cli/log_tail.h"
#include "gorila/cli/run_jobs.h"
#include "gorila/cli/run_queue.h"
#include "gorila/cli/run_rows.h"
#include "gorila/cli/run_scoring.h"
#include "gorila/cli/stop_signal.h"
#include "gorila/cli/this_program.h"
#include "gorila/config/config_keys.h"
#include "gorila/config/config_load.h"
#include "gorila/launch/child_processes.h"
#include "gorila/run/run_directory.h"

namespace gorila::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Kind = RunOutcome::Kind;

constexpr std::chrono::milliseconds kReportLook{100};
constexpr std::chrono::milliseconds kLineEvery{2000};
// A run whose sweep was killed still writes its checkpoint.
constexpr std::chrono::milliseconds kBusyPatience{30'000};
// A child writes its last checkpoint, with a replay memory of gigabytes perhaps.
constexpr std::chrono::milliseconds kStopGrace{600'000};

// As the value of an option: it must not look like another one.
std::string OptionPath(const fs::path& path) {
  const std::string text = path.string();
  return text.starts_with("-") ? "./" + text : text;
}

// Whether another process works on the run.
bool IsBusy(const fs::path& directory) {
  return CheckIsRun(directory).ok() &&
         absl::IsAlreadyExists(RunDirectory::Open(directory).status());
}

// A lock may also be held for a moment by a process that is just being started.
bool SaysInUse(const std::vector<std::string>& log) {
  return std::any_of(log.begin(), log.end(), [](const std::string& line) {
    return line.find("is in use by another process") != line.npos;
  });
}

bool HasProblem(const fs::path& directory) {
  const StatusOr<EvaluationRecord> record = ReadFinalEvaluation(directory);
  return record.ok() && record->context.has_value() && !record->context->problem.empty();
}

// What the threads that wait for children share.
class Workers {
 public:
  Workers(const RunPlan& plan, const ManyRunsOptions& options, fs::path program, RunQueue& queue)
      : plan_(plan), options_(options), program_(std::move(program)), queue_(queue) {}

  // One thread's work.
  void Work() {
    while (const std::optional<std::size_t> run = queue_.Take()) {
      RunOutcome outcome = TrainAndScore(*run);
      if (outcome.kind == Kind::kBusy && queue_.PutBack(*run)) continue;
      queue_.Report(*run, std::move(outcome));
    }
    queue_.EndThread();
  }

  // Asks the children to end with a checkpoint; returns when they have.
  void StopChildren() { children_.Stop(ChildKind::kTask, kStopGrace); }

 private:
  RunOutcome TrainAndScore(std::size_t index) {
    const PlannedRun& run = plan_.runs[index];
    const Clock::time_point begin = Clock::now();
    RunOutcome outcome{.kind = Kind::kFinished, .why = {}};
    if (!ReadFinalEvaluation(run.directory).ok()) outcome = Train(index);
    // A run that learnt nothing fails and has a score all the same, which says what is wrong.
    if (outcome.kind == Kind::kFailed && HasProblem(run.directory)) {
      outcome = {.kind = Kind::kFinished, .why = {}};
    }
    if (outcome.kind == Kind::kFinished) Score(run, outcome);
    outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return outcome;
  }

  RunOutcome Train(std::size_t index) {
    const PlannedRun& run = plan_.runs[index];
    if (IsBusy(run.directory)) return {.kind = Kind::kBusy, .why = "another process has it"};
    std::error_code error;
    const std::uintmax_t size = fs::file_size(run.log(), error);
    const std::uintmax_t log_begin = error ? 0 : size;
    const std::string name = fmt::format("run {}", index + 1);
    children_.Start({.name = name,
                     .arguments = RunCommandLine(program_, run),
                     .log = run.log(),
                     .kind = ChildKind::kTask});
    const StatusOr<TaskEnd> end = children_.WaitForTask(name);
    if (absl::IsCancelled(end.status())) return {.kind = Kind::kInterrupted, .why = {}};
    if (!end.ok()) return {.kind = Kind::kFailed, .why = std::string(end.status().message())};
    if (end->exit_status == kSuccess) return {.kind = Kind::kFinished, .why = {}};
    if (StopRequested()) return {.kind = Kind::kInterrupted, .why = {}};
    RunOutcome failed{
        .kind = Kind::kFailed, .why = end->text, .log_tail = LogTail(run.log(), log_begin)};
    if (end->exit_status == kBadInput && SaysInUse(failed.log_tail)) {
      return {.kind = Kind::kBusy, .why = "another process has it"};
    }
    return failed;
  }

  void Score(const PlannedRun& run, RunOutcome& outcome) {
    const auto fail = [&outcome](std::string why) {
      outcome.kind = Kind::kFailed;
      outcome.why = std::move(why);
    };
    for (const std::string& protocol : options_.protocols) {
      StatusOr<std::string> said = ScoreBy(run, protocol);
      if (absl::IsCancelled(said.status())) {
        outcome.kind = Kind::kInterrupted;
        return;
      }
      if (!said.ok()) return fail(std::string(said.status().message()));
      if (!said->empty()) outcome.said.push_back(*std::move(said));
    }
    StatusOr<EvaluationRecord> record = ReadFinalEvaluation(run.directory);
    if (!record.ok()) return fail(std::string(record.status().message()));
    outcome.record = *std::move(record);
  }

  const RunPlan& plan_;
  const ManyRunsOptions& options_;
  const fs::path program_;
  RunQueue& queue_;
  ChildProcesses children_{RestartPolicy{}, {}};
};

std::vector<std::size_t> RunsToDo(const RunPlan& plan, const ManyRunsOptions& options) {
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < plan.runs.size(); ++i) {
    if (!IsDone(plan.runs[i], options.protocols)) left.push_back(i);
  }
  return left;
}

std::vector<const PlannedRun*> Selected(const RunPlan& plan,
                                        const std::vector<std::size_t>& which) {
  std::vector<const PlannedRun*> runs;
  for (const std::size_t i : which) runs.push_back(&plan.runs[i]);
  return runs;
}

// Prints rows until all threads have ended; a stop ends the children in order.
void WatchWorkers(Workers& workers, RunQueue& queue, RunRows& rows) {
  Clock::time_point next_line = Clock::now() + kLineEvery;
  for (;;) {
    const bool last = queue.ended();
    for (const RunQueue::Reported& reported : queue.TakeReported(Clock::now() + kReportLook)) {
      rows.Show(reported.run, reported.outcome);
    }
    if (last) return;
    if (Clock::now() >= next_line) {
      rows.ShowRunning(queue.running());
      next_line = Clock::now() + kLineEvery;
    }
    if (!StopRequested() || queue.ended()) continue;
    rows.SayStopping();
    queue.Stop();
    // Also those that a thread was about to start.
    while (!queue.ended()) {
      workers.StopChildren();
      std::this_thread::sleep_for(kReportLook / 10);
    }
  }
}

}  // namespace

std::vector<std::string> RunCommandLine(const fs::path& program, const PlannedRun& run) {
  std::vector<std::string> words = {program.string(), "train",
                                    "--config",       OptionPath(run.settings()),
                                    "--env",          run.config.environment.name,
                                    "--seed",         std::to_string(run.config.run.seed),
                                    "--run-dir",      OptionPath(run.directory),
                                    "--resume",       "--quiet"};
  const std::vector<std::string> labels = LabelArguments(run.labels);
  words.insert(words.end(), labels.begin(), labels.end());
  return words;
}

Status WriteRunSettings(const std::vector<const PlannedRun*>& runs) {
  std::set<fs::path> written;
  for (const PlannedRun* const run : runs) {
    const fs::path path = run->settings();
    if (!written.insert(path).second) continue;
    GORILA_RETURN_IF_ERROR(CreateFolders(path.parent_path()));
    GORILA_RETURN_IF_ERROR(WriteFileAtomically(path, RunConfigText(run->config)));
  }
  return OkStatus();
}

StatusOr<int> SettleJobs(const RunPlan& plan, const ManyRunsOptions& options) {
  std::vector<RunCost> costs;
  for (const PlannedRun& run : plan.runs) {
    GORILA_ASSIGN_OR_RETURN(costs.emplace_back(), CostOf(run.config));
  }
  const Jobs jobs = ChooseJobs(std::move(costs), options.jobs, LookAtMachine());
  if (!jobs.lowered.empty()) std::cerr << fmt::format("gorila: {}\n", jobs.lowered);
  if (!options.quiet) fmt::print("{}\n", jobs.text);
  return jobs.number;
}

StatusOr<int> TrainInChildren(const RunPlan& plan, const ManyRunsOptions& options, int jobs) {
  GORILA_ASSIGN_OR_RETURN(const fs::path program, ThisProgram());
  const std::vector<std::size_t> left = RunsToDo(plan, options);
  GORILA_RETURN_IF_ERROR(WriteRunSettings(Selected(plan, left)));
  RunRows rows(plan, options, left.size());
  RunQueue queue(left, jobs, kBusyPatience);
  Workers workers(plan, options, program, queue);
  std::vector<Thread> threads;
  Status started;
  for (int i = 0; i < jobs; ++i) {
    StatusOr<Thread> thread = StartThread("run", [&workers] { workers.Work(); });
    if (thread.ok()) {
      threads.push_back(*std::move(thread));
    } else {
      started.Update(thread.status());
      queue.EndThread();
    }
  }
  WatchWorkers(workers, queue, rows);
  for (Thread& thread : threads) thread.join();
  if (threads.empty()) return started;
  return rows.End();
}

}  // namespace gorila::cli
