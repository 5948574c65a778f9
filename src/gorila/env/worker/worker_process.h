// A process that hosts environments: started, talked to, ended.
#ifndef GORILA_ENV_WORKER_WORKER_PROCESS_H_
#define GORILA_ENV_WORKER_WORKER_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// A file of this process, closed with it.
class OwnedFile {
 public:
  OwnedFile() = default;
  explicit OwnedFile(int file) : file_(file) {}
  ~OwnedFile() { Close(); }
  OwnedFile(OwnedFile&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  OwnedFile& operator=(OwnedFile&& other) noexcept {
    Close();
    file_ = std::exchange(other.file_, -1);
    return *this;
  }
  void Close();
  int get() const { return file_; }

 private:
  int file_ = -1;
};

// Memory that other processes can map. Not thread-safe.
class SharedMemory {
 public:
  static StatusOr<std::unique_ptr<SharedMemory>> Make();
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // Once: `bytes` of zeros, whose size nobody can change from then on.
  Status Fix(std::size_t bytes);

  std::byte* data() const { return data_; }  // null before Fix
  std::size_t size() const { return size_; }
  int file() const { return file_.get(); }

 private:
  explicit SharedMemory(OwnedFile file) : file_(std::move(file)) {}

  const OwnedFile file_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Whether somebody wants this program to end: `requested` is asked several times a second while a
// worker is waited for, and once it is true no wait takes more than kStopGrace, whatever its
// deadline. Null: nobody ever wants that. Thread-safe.
void SetWorkerStop(bool (*requested)());
bool WorkerStopWanted();
inline constexpr std::chrono::seconds kStopGrace{20};

// Its input is empty, its output goes to a log in memory. It has a process group of its own, so
// that Ctrl-C in a terminal is this process's alone, and ends when this process does, however that
// ends. Not thread-safe.
class WorkerProcess {
 public:
  using Clock = std::chrono::steady_clock;

  // `arguments`: the program, found along PATH, and its arguments. `variables`: NAME=VALUE, in
  // place of this process's own. `memory` becomes its file kWorkerMemory. NotFound when there is no
  // such program.
  static StatusOr<std::unique_ptr<WorkerProcess>> Start(const std::vector<std::string>& arguments,
                                                        const std::vector<std::string>& variables,
                                                        const SharedMemory& memory);
  // Gives it a moment to close its environments, then ends it and whatever it started.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Both block up to the deadline. Unavailable, saying how, when the process has ended or closed
  // its end; DeadlineExceeded.
  Status Send(std::span<const std::byte> bytes, Clock::time_point deadline);
  Status Receive(std::span<std::byte> bytes, Clock::time_point deadline);

  // What follows a message's kind: the size, then the text.
  Status SendText(char kind, std::string_view text, Clock::time_point deadline);
  StatusOr<std::string> ReceiveText(Clock::time_point deadline);

  // The last lines of what it printed; empty when nothing.
  std::string LogTail() const;
  // At most a megabyte of the log is kept: call it now and then.
  void TrimLog();

  // Ends it and whatever it started, at once: a process that does not answer may still write to
  // memory. From then on Send and Receive are Unavailable.
  void Kill();

  pid_t pid() const { return pid_; }

 private:
  WorkerProcess() = default;
  Status Died();
  int Reap();

  pid_t pid_ = -1;
  OwnedFile requests_;         // write end
  OwnedFile requests_reader_;  // kept open, so that no write raises SIGPIPE
  OwnedFile answers_;
  OwnedFile lifeline_;
  OwnedFile log_;
  OwnedFile watch_;  // pidfd; -1 where the system has none
};

}  // namespace gorila

#endif  // GORILA_ENV_WORKER_WORKER_PROCESS_H_
