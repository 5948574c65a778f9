// Another process of the same program, for measurements between two processes.
#ifndef GORILA_BENCHMARK_FORKED_PROCESS_H_
#define GORILA_BENCHMARK_FORKED_PROCESS_H_

#include <sys/types.h>

#include <functional>
#include <span>
#include <utility>

#include "gorila/base/status.h"

namespace gorila {

// A file descriptor that is closed with its owner.
class OwnedSocket {
 public:
  explicit OwnedSocket(int fd = -1) : fd_(fd) {}
  OwnedSocket(OwnedSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedSocket& operator=(OwnedSocket&& other) noexcept;
  ~OwnedSocket();

  int fd() const { return fd_; }

 private:
  int fd_;
};

// Two ends that reach each other.
struct SocketPair {
  OwnedSocket here, there;
};

enum class SocketKind { kUnix, kTcp };

// Connected stream sockets on this machine, TCP without Nagle's delay. No call on `here` blocks for
// longer than 30 s; `there` is for a ForkedProcess, which waits as long as it lives. Unavailable
// when the system refuses.
StatusOr<SocketPair> ConnectedSockets(SocketKind kind);

// Blocks until all bytes were sent or received. Unavailable when the other end is gone or silent.
Status SendAll(int socket, std::span<const std::byte> bytes);
Status ReceiveAll(int socket, std::span<std::byte> bytes);

// Killed and waited for by the destructor; the system kills it when the thread that started it
// ends.
class ForkedProcess {
 public:
  // Runs `work` in a fork of this process, which ends when `work` returns. Before gRPC has started
  // in this process, which does not survive a fork: then Unavailable, as when the system refuses.
  static StatusOr<ForkedProcess> Start(const std::function<void()>& work);

  ForkedProcess(ForkedProcess&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ForkedProcess& operator=(ForkedProcess&&) = delete;
  ~ForkedProcess();

 private:
  explicit ForkedProcess(pid_t pid) : pid_(pid) {}

  pid_t pid_;
};

}  // namespace gorila

#endif  // GORILA_BENCHMARK_FORKED_PROCESS_H_
