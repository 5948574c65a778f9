#include "gorila/launch/child_processes.h"

#include <fcntl.h>
#include <signal.h>  // kill is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gorila/base/command.h"
#include "gorila/base/thread.h"

namespace gorila {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kOutputLook{50};
constexpr int kBadInput = 2;  // exit status of a child that a restart would not help

// Between fork and exec, so only async-signal-safe functions. Never returns.
[[noreturn]] void BecomeProgram(char* const* arguments, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(kBadInput);  // it died before prctl
  ::setpgid(0, 0);  // Ctrl-C is for the launcher, which stops its children in order
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

StatusOr<pid_t> Spawn(const ChildCommand& command) {
  const int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) {
    return Unavailable("cannot write '{}': {}", command.log.string(), std::strerror(errno));
  }
  const std::vector<char*> arguments = NullTerminated(command.arguments);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) BecomeProgram(arguments.data(), log, parent);
  const int error = errno;
  ::close(log);
  if (pid < 0) return Unavailable("cannot start {}: {}", command.name, std::strerror(error));
  return pid;
}

std::string DescribeEnd(int wait_status) {
  if (WIFSIGNALED(wait_status))
    return fmt::format("was killed by signal {}", WTERMSIG(wait_status));
  return fmt::format("ended with exit status {}", WEXITSTATUS(wait_status));
}

}  // namespace

ChildProcesses::ChildProcesses(const RestartPolicy& policy,
                               std::function<void(std::string_view)> message)
    : policy_(policy), message_(std::move(message)) {
  StatusOr<Thread> started = StartThread("watching processes", [this] { Watch(); });
  if (started.ok()) {
    thread_ = *std::move(started);
  } else {
    const MutexLock lock(mutex_);
    failure_ = started.status();
  }
}

ChildProcesses::~ChildProcesses() {
  Stop(ChildKind::kWorker, std::chrono::milliseconds(0));
  Stop(ChildKind::kMember, std::chrono::milliseconds(0));
  Stop(ChildKind::kServer, std::chrono::milliseconds(0));
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void ChildProcesses::Start(ChildCommand command) {
  const MutexLock lock(mutex_);
  children_.push_back({.command = std::move(command), .start_at = Clock::now()});
  changed_.NotifyAll();
}

void ChildProcesses::SetArguments(std::string_view name,
                                  const std::vector<std::string>& arguments) {
  const MutexLock lock(mutex_);
  for (Child& child : children_) {
    if (child.command.name == name) child.command.arguments = arguments;
  }
}

void ChildProcesses::Stop(ChildKind kind, std::chrono::milliseconds grace) {
  const MutexLock lock(mutex_);
  const auto is_meant = [&](const Child& child) { return child.command.kind == kind; };
  const auto signal_all = [&](int signal) GORILA_REQUIRES(mutex_) {
    for (Child& child : children_) {
      if (!is_meant(child)) continue;
      child.stopping = true;
      if (child.pid > 0) ::kill(child.pid, signal);
      if (child.pid != 0 || child.ended) continue;
      child.ended = true;
      child.unstarted = absl::CancelledError("stopped before it was started");
    }
  };
  const auto all_ended = [&]() GORILA_REQUIRES(mutex_) {
    return std::all_of(children_.begin(), children_.end(),
                       [&](const Child& child) { return !is_meant(child) || child.ended; });
  };
  signal_all(SIGTERM);
  changed_.NotifyAll();
  const auto deadline = Clock::now() + grace;
  while (!all_ended() && changed_.WaitUntil(mutex_, deadline)) continue;
  // SIGKILL also ends what is stopped and cannot take SIGTERM.
  if (!all_ended()) signal_all(SIGKILL);
  while (!all_ended()) changed_.Wait(mutex_);
}

Status ChildProcesses::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

bool ChildProcesses::AllEnded(ChildKind kind) const {
  const MutexLock lock(mutex_);
  return std::all_of(children_.begin(), children_.end(),
                     [&](const Child& child) { return child.command.kind != kind || child.ended; });
}

StatusOr<TaskEnd> ChildProcesses::WaitForTask(std::string_view name) {
  const MutexLock lock(mutex_);
  if (!thread_.joinable()) return failure_;
  const auto named = [name](const Child& child) { return child.command.name == name; };
  // The newest: a task may be given once more.
  const auto child = std::find_if(children_.rbegin(), children_.rend(), named);
  GORILA_CHECK(child != children_.rend(), "no task '{}'", name);
  const Child& task = *child;
  while (!task.ended) changed_.Wait(mutex_);
  GORILA_RETURN_IF_ERROR(task.unstarted);
  return TaskEnd{.exit_status = WIFEXITED(task.wait_status) ? WEXITSTATUS(task.wait_status) : -1,
                 .text = DescribeEnd(task.wait_status)};
}

void ChildProcesses::Watch() {
  for (;;) {
    std::vector<std::string> said;
    {
      const MutexLock lock(mutex_);
      if (ending_) return;
      for (Child& child : children_) {
        Reap(child);
        StartDue(child);
      }
      said.swap(said_);
      if (said.empty()) changed_.WaitUntil(mutex_, Clock::now() + kOutputLook);
    }
    for (const std::string& message : said) {
      if (message_) message_(message);
    }
  }
}

void ChildProcesses::StartDue(Child& child) {
  if (child.pid != 0 || child.ended || child.stopping || Clock::now() < child.start_at) return;
  StatusOr<pid_t> pid = Spawn(child.command);
  if (!pid.ok()) {
    child.ended = true;
    changed_.NotifyAll();
    if (child.command.kind != ChildKind::kTask) return Fail(pid.status());
    child.unstarted = pid.status();
    return;
  }
  child.pid = *pid;
  child.started = Clock::now();
}

void ChildProcesses::Reap(Child& child) {
  if (child.pid == 0) return;
  int wait_status = 0;
  if (::waitpid(child.pid, &wait_status, WNOHANG) != child.pid) return;
  child.pid = 0;
  child.wait_status = wait_status;
  const ChildKind kind = child.command.kind;
  const bool finished =
      kind == ChildKind::kTask ||
      (kind == ChildKind::kWorker && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0);
  if (child.stopping || finished) {
    child.ended = true;
  } else {
    NoteDeath(child, wait_status);
  }
  changed_.NotifyAll();
}

void ChildProcesses::NoteDeath(Child& child, int wait_status) {
  const std::string& name = child.command.name;
  const std::string end = DescribeEnd(wait_status);
  if (Clock::now() - child.started >= policy_.healthy_after) child.deaths = 0;
  ++child.deaths;
  const bool hopeless = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == kBadInput;
  if (hopeless || child.deaths > policy_.most_in_a_row) {
    child.ended = true;
    return Fail(absl::InternalError(
        fmt::format("{} {}{}; its log is '{}'", name, end,
                    hopeless ? "" : fmt::format(" for the {}th time in a row", child.deaths),
                    child.command.log.string())));
  }
  const std::chrono::milliseconds wait =
      std::min(policy_.longest_wait, policy_.first_wait * (1 << std::min(child.deaths - 1, 10)));
  child.start_at = Clock::now() + wait;
  said_.push_back(fmt::format("{} {}; starting it again", name, end));
}

void ChildProcesses::Fail(Status status) {
  if (failure_.ok()) failure_ = std::move(status);
  changed_.NotifyAll();
}

}  // namespace gorila
