#include "gorila/env/worker/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // sigset_t is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "gorila/base/command.h"
#include "gorila/env/worker/worker_protocol.h"

namespace gorila {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStopLook{250};         // between two looks at whether to stop
constexpr std::chrono::seconds kGoodbye{2};    // for closing environments
constexpr std::chrono::seconds kLastWords{1};  // between closing its files and its end
constexpr off_t kMostLog = 1 << 20;
constexpr std::size_t kLogTail = 2000;
constexpr std::uint32_t kMostText = 64 << 20;

// The lowest descriptor that cannot be in the way of those that a worker gets.
constexpr int kLowestFile = 10;

Status NoFile(std::string_view what) {
  return Unavailable("cannot create {} for a worker process: {}", what, std::strerror(errno));
}

StatusOr<OwnedFile> AboveWorkerFiles(int file) {
  const OwnedFile low(file);
  const int high = ::fcntl(file, F_DUPFD_CLOEXEC, kLowestFile);
  if (high < 0) return NoFile("a file");
  return OwnedFile(high);
}

StatusOr<std::array<OwnedFile, 2>> MakePipe() {
  std::array<int, 2> ends;
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return NoFile("a pipe");
  OwnedFile writer(ends[1]);
  GORILA_ASSIGN_OR_RETURN(OwnedFile reader, AboveWorkerFiles(ends[0]));
  const int high = ::fcntl(writer.get(), F_DUPFD_CLOEXEC, kLowestFile);
  if (high < 0) return NoFile("a pipe");
  return std::array<OwnedFile, 2>{std::move(reader), OwnedFile(high)};
}

StatusOr<OwnedFile> MakeMemoryFile(const char* name, unsigned flags) {
  const int file = ::memfd_create(name, MFD_CLOEXEC | flags);
  if (file < 0) return NoFile("memory");
  return AboveWorkerFiles(file);
}

// A variable that is in both is taken from `changed`.
std::vector<std::string> MergedEnvironment(const std::vector<std::string>& changed) {
  std::vector<std::string> merged = changed;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('=') + 1);
    const bool known = std::any_of(changed.begin(), changed.end(), [name](const std::string& one) {
      return std::string_view(one).starts_with(name);
    });
    if (!known) merged.emplace_back(text);
  }
  return merged;
}

struct ChildFiles {
  int requests;
  int answers;
  int memory;
  int lifeline;
  int log;
};

int Spawn(const std::vector<std::string>& arguments, const std::vector<std::string>& variables,
          const ChildFiles& child, pid_t& pid) {
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, child.log, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, child.log, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, child.requests, kWorkerRequests);
  ::posix_spawn_file_actions_adddup2(&files, child.answers, kWorkerAnswers);
  ::posix_spawn_file_actions_adddup2(&files, child.memory, kWorkerMemory);
  ::posix_spawn_file_actions_adddup2(&files, child.lifeline, kWorkerLifeline);
  // A socket of a library that somebody forgot to mark would stay open with the worker.
  ::posix_spawn_file_actions_addclosefrom_np(&files, kWorkerLifeline + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  const int error =
      ::posix_spawnp(&pid, arguments[0].c_str(), &files, &attributes,
                     NullTerminated(arguments).data(), NullTerminated(variables).data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  return error;
}

// When nobody holds the lifeline's other end any more, the kernel ends all of the worker's group:
// also a thread that waits for Python's lock, and what an environment started beside it.
void EndGroupWith(int lifeline, pid_t group) {
  ::fcntl(lifeline, F_SETOWN, -group);
  ::fcntl(lifeline, F_SETSIG, SIGKILL);
  ::fcntl(lifeline, F_SETFL, O_ASYNC);
}

std::atomic<bool (*)()> stop_requested = nullptr;

// What a wait brought.
struct Ready {
  bool file = false;   // can be read or written, or its other end is gone
  bool ended = false;  // the process; may be late
};

// Nothing at the deadline.
Ready WaitFor(int file, short events, int watch, WorkerProcess::Clock::time_point deadline) {
  std::array<pollfd, 2> polled = {pollfd{.fd = file, .events = events, .revents = 0},
                                  pollfd{.fd = watch, .events = POLLIN, .revents = 0}};
  bool hurried = false;
  for (;;) {
    const auto now = WorkerProcess::Clock::now();
    if (!hurried && WorkerStopWanted()) {
      hurried = true;
      deadline = std::min(deadline, now + kStopGrace);
    }
    const auto left = std::clamp<WorkerProcess::Clock::duration>(deadline - now, {}, kStopLook);
    const auto wait = static_cast<int>(std::chrono::ceil<milliseconds>(left).count());
    // poll passes over a negative file.
    const int ready = ::poll(polled.data(), polled.size(), wait);
    if (ready > 0 || (ready < 0 && errno != EINTR)) break;
    if (WorkerProcess::Clock::now() >= deadline) break;
  }
  return {.file = polled[0].revents != 0, .ended = polled[1].revents != 0};
}

}  // namespace

void SetWorkerStop(bool (*requested)()) { stop_requested = requested; }

bool WorkerStopWanted() {
  bool (*const requested)() = stop_requested;
  return requested != nullptr && requested();
}

void OwnedFile::Close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

StatusOr<std::unique_ptr<SharedMemory>> SharedMemory::Make() {
  GORILA_ASSIGN_OR_RETURN(OwnedFile file, MakeMemoryFile("gorila environments", MFD_ALLOW_SEALING));
  return std::unique_ptr<SharedMemory>(new SharedMemory(std::move(file)));
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

Status SharedMemory::Fix(std::size_t bytes) {
  GORILA_CHECK(data_ == nullptr);
  if (::ftruncate(file_.get(), static_cast<off_t>(bytes)) != 0 ||
      ::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return Unavailable("cannot share {} bytes with a worker process: {}", bytes,
                       std::strerror(errno));
  }
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (mapped == MAP_FAILED) {
    return Unavailable("cannot map {} bytes shared with a worker process: {}", bytes,
                       std::strerror(errno));
  }
  data_ = static_cast<std::byte*>(mapped);
  size_ = bytes;
  return OkStatus();
}

StatusOr<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(
    const std::vector<std::string>& arguments, const std::vector<std::string>& variables,
    const SharedMemory& memory) {
  GORILA_CHECK(!arguments.empty());
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess());
  GORILA_ASSIGN_OR_RETURN(auto requests, MakePipe());
  GORILA_ASSIGN_OR_RETURN(auto answers, MakePipe());
  GORILA_ASSIGN_OR_RETURN(auto lifeline, MakePipe());
  GORILA_ASSIGN_OR_RETURN(worker->log_, MakeMemoryFile("gorila worker log", 0));
  ::fcntl(worker->log_.get(), F_SETFL, O_APPEND);
  // A request that a process does not read must not block this one for ever.
  ::fcntl(requests[1].get(), F_SETFL, O_NONBLOCK);
  const ChildFiles child{.requests = requests[0].get(),
                         .answers = answers[1].get(),
                         .memory = memory.file(),
                         .lifeline = lifeline[0].get(),
                         .log = worker->log_.get()};
  pid_t pid = -1;
  const int error = Spawn(arguments, MergedEnvironment(variables), child, pid);
  if (error == ENOENT) {
    return NotFound("program '{}' is not there; expected a path, or a name on PATH", arguments[0]);
  }
  if (error != 0) return Unavailable("cannot run '{}': {}", arguments[0], std::strerror(error));
  worker->pid_ = pid;
  EndGroupWith(lifeline[0].get(), pid);
  worker->requests_reader_ = std::move(requests[0]);
  worker->requests_ = std::move(requests[1]);
  worker->answers_ = std::move(answers[0]);
  worker->lifeline_ = std::move(lifeline[1]);
  worker->watch_ = OwnedFile(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return worker;
}

WorkerProcess::~WorkerProcess() {
  if (pid_ < 0) return;
  requests_.Close();
  requests_reader_.Close();
  // Its answers end with it, or when it closes them.
  std::array<std::byte, 256> rest;
  const auto until = Clock::now() + kGoodbye;
  while (WaitFor(answers_.get(), POLLIN, watch_.get(), until).file &&
         ::read(answers_.get(), rest.data(), rest.size()) > 0) {
  }
  Kill();
}

void WorkerProcess::Kill() {
  if (pid_ >= 0) Reap();
}

// Its status as waitpid has it; -1 when there is none. The group's number is given to nobody else
// before the process was waited for.
int WorkerProcess::Reap() {
  ::kill(-pid_, SIGKILL);
  int status = 0;
  pid_t waited = 0;
  do {
    waited = ::waitpid(pid_, &status, 0);
  } while (waited < 0 && errno == EINTR);
  pid_ = -1;
  return waited < 0 ? -1 : status;
}

// Of one that closed its end; whatever is left of it goes.
Status WorkerProcess::Died() {
  const pid_t pid = pid_;
  const bool closed =
      watch_.get() >= 0 && !WaitFor(-1, 0, watch_.get(), Clock::now() + kLastWords).ended;
  const int status = Reap();
  const std::string how =
      status == -1 ? std::string("ended")
      : closed     ? fmt::format(
                         "closed its pipe; does the environment close files {} or {}, which it did "
                             "not open?",
                         kWorkerRequests, kWorkerAnswers)
      : WIFSIGNALED(status)
          ? fmt::format("ended by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
          : fmt::format("ended with exit status {}", WEXITSTATUS(status));
  return Unavailable("worker process {} {}", pid, how);
}

Status WorkerProcess::Send(std::span<const std::byte> bytes, Clock::time_point deadline) {
  if (pid_ < 0) return Unavailable("the worker process has ended");
  while (!bytes.empty()) {
    const ssize_t sent = ::write(requests_.get(), bytes.data(), bytes.size());
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return Died();
    const Ready ready = WaitFor(requests_.get(), POLLOUT, watch_.get(), deadline);
    if (ready.ended) return Died();
    if (!ready.file) return absl::DeadlineExceededError("the worker process takes no request");
  }
  return OkStatus();
}

Status WorkerProcess::Receive(std::span<std::byte> bytes, Clock::time_point deadline) {
  if (pid_ < 0) return Unavailable("the worker process has ended");
  while (!bytes.empty()) {
    const Ready ready = WaitFor(answers_.get(), POLLIN, watch_.get(), deadline);
    // What it said before it ended is still there.
    if (!ready.file && ready.ended) return Died();
    if (!ready.file) return absl::DeadlineExceededError("the worker process does not answer");
    const ssize_t got = ::read(answers_.get(), bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Died();
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
  return OkStatus();
}

Status WorkerProcess::SendText(char kind, std::string_view text, Clock::time_point deadline) {
  std::string message(1, kind);
  const auto size = static_cast<std::uint32_t>(text.size());
  message.append(reinterpret_cast<const char*>(&size), sizeof size);
  message.append(text);
  return Send(std::as_bytes(std::span(message)), deadline);
}

StatusOr<std::string> WorkerProcess::ReceiveText(Clock::time_point deadline) {
  std::uint32_t size = 0;
  GORILA_RETURN_IF_ERROR(Receive(std::as_writable_bytes(std::span(&size, 1)), deadline));
  if (size > kMostText) return DataLoss("a worker process sent a text of {} bytes", size);
  std::string text(size, '\0');
  GORILA_RETURN_IF_ERROR(Receive(std::as_writable_bytes(std::span(text)), deadline));
  return text;
}

std::string WorkerProcess::LogTail() const {
  struct stat info {};
  if (::fstat(log_.get(), &info) != 0 || info.st_size <= 0) return {};
  const auto size = std::min<std::size_t>(static_cast<std::size_t>(info.st_size), kLogTail);
  std::string text(size, '\0');
  const ssize_t got =
      ::pread(log_.get(), text.data(), size, info.st_size - static_cast<off_t>(size));
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void WorkerProcess::TrimLog() {
  struct stat info {};
  if (::fstat(log_.get(), &info) == 0 && info.st_size > kMostLog) {
    static_cast<void>(::ftruncate(log_.get(), 0));
  }
}

}  // namespace gorila
