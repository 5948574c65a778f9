#include "gorila/benchmark/forked_process.h"

#include <grpc/grpc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>  // kill is not in <csignal>  NOLINT(modernize-deprecated-headers)
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace gorila {
namespace {

constexpr int kSendDeadline = 30;  // seconds

Status Refused(const char* call) { return Unavailable("{}: {}", call, std::strerror(errno)); }

StatusOr<SocketPair> UnixSockets() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) return Refused("socketpair");
  return SocketPair{OwnedSocket(ends[0]), OwnedSocket(ends[1])};
}

StatusOr<SocketPair> TcpSockets() {
  const OwnedSocket listener(::socket(AF_INET, SOCK_STREAM, 0));
  OwnedSocket here(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.fd(), generic, length) != 0) return Refused("bind");
  if (::listen(listener.fd(), 1) != 0) return Refused("listen");
  if (::getsockname(listener.fd(), generic, &length) != 0) return Refused("getsockname");
  if (::connect(here.fd(), generic, length) != 0) return Refused("connect");
  OwnedSocket there(::accept(listener.fd(), nullptr, nullptr));
  if (there.fd() < 0) return Refused("accept");
  const int on = 1;
  for (const int end : {here.fd(), there.fd()}) {
    ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  return SocketPair{std::move(here), std::move(there)};
}

// The child's side. It ends without the parent's destructors and buffered output.
[[noreturn]] void Work(const std::function<void()>& work, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() == parent) work();
  ::_exit(0);
}

}  // namespace

OwnedSocket& OwnedSocket::operator=(OwnedSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

OwnedSocket::~OwnedSocket() {
  if (fd_ >= 0) ::close(fd_);
}

StatusOr<SocketPair> ConnectedSockets(SocketKind kind) {
  GORILA_ASSIGN_OR_RETURN(SocketPair pair,
                          kind == SocketKind::kUnix ? UnixSockets() : TcpSockets());
  const timeval wait{.tv_sec = kSendDeadline, .tv_usec = 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    ::setsockopt(pair.here.fd(), SOL_SOCKET, option, &wait, sizeof(wait));
  }
  return pair;
}

Status SendAll(int socket, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return Refused("send");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
  return OkStatus();
}

Status ReceiveAll(int socket, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t received = ::recv(socket, bytes.data(), bytes.size(), 0);
    if (received < 0 && errno == EINTR) continue;
    if (received == 0) return Unavailable("recv: the other end is closed");
    if (received < 0) return Refused("recv");
    bytes = bytes.subspan(static_cast<std::size_t>(received));
  }
  return OkStatus();
}

StatusOr<ForkedProcess> ForkedProcess::Start(const std::function<void()>& work) {
  if (grpc_is_initialized() != 0) {
    return Unavailable("gRPC runs in this process already; run this measurement first, and once");
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) Work(work, parent);
  if (pid < 0) return Refused("fork");
  return ForkedProcess(pid);
}

ForkedProcess::~ForkedProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace gorila
