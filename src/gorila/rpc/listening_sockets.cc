#include "gorila/rpc/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace gorila::rpc {
namespace {

Status CannotListen(const Endpoint& endpoint, std::string_view reason) {
  return Unavailable("cannot listen on '{}': {}; expected a free address of this machine",
                     ToString(endpoint), reason);
}

// On failure errno says why.
Descriptor Bind(const sockaddr* address, socklen_t size, bool both_families) {
  Descriptor socket(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return socket;
  const int on = 1;
  const int only_ipv6 = both_families ? 0 : 1;
  // A port is free again at once when its server ends. Two servers still cannot share one.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address->sa_family == AF_INET6 &&
      ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_ipv6, sizeof(only_ipv6)) != 0) {
    return Descriptor();
  }
  if (::bind(socket.get(), address, size) == 0 && ::listen(socket.get(), SOMAXCONN) == 0) {
    return socket;
  }
  const int error = errno;
  socket = Descriptor();
  errno = error;
  return Descriptor();
}

int PortOf(const Descriptor& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<sockaddr_in&>(address).sin_port);
}

void SetPort(sockaddr* address, int port) {
  const in_port_t network = htons(static_cast<std::uint16_t>(port));
  if (address->sa_family == AF_INET6) reinterpret_cast<sockaddr_in6*>(address)->sin6_port = network;
  if (address->sa_family == AF_INET) reinterpret_cast<sockaddr_in*>(address)->sin_port = network;
}

using FileId = std::pair<dev_t, ino_t>;

// Identifies the socket at `path`; nullopt when it does not exist.
std::optional<FileId> SocketFileAt(const std::string& path) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return std::nullopt;
  return FileId(file.st_dev, file.st_ino);
}

}  // namespace

StatusOr<ListeningSockets> ListeningSockets::Open(const Endpoint& endpoint) {
  ListeningSockets opened(endpoint);
  const bool any = endpoint.host == "0.0.0.0" || endpoint.host == "::";
  if (endpoint.unix_socket) {
    GORILA_RETURN_IF_ERROR(opened.OpenUnix());
  } else {
    GORILA_RETURN_IF_ERROR(any ? opened.OpenAny() : opened.OpenHost());
    opened.endpoint_.port = PortOf(opened.sockets_.front());
  }
  return opened;
}

ListeningSockets::~ListeningSockets() { Close(); }

void ListeningSockets::Close() {
  // A server that replaces this one may have created its own file there by now.
  if (!sockets_.empty() && file_.has_value() && SocketFileAt(endpoint_.host) == file_) {
    ::unlink(endpoint_.host.c_str());
  }
  sockets_.clear();
}

Status ListeningSockets::OpenUnix() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint_.host.size() >= sizeof(address.sun_path)) {
    return CannotListen(endpoint_, "the path is too long");
  }
  endpoint_.host.copy(address.sun_path, sizeof(address.sun_path) - 1);
  // Left by a server that ended without removing it, or in use by one that this server replaces.
  if (SocketFileAt(endpoint_.host).has_value()) ::unlink(endpoint_.host.c_str());
  Descriptor socket = Bind(reinterpret_cast<sockaddr*>(&address), sizeof(address), false);
  if (socket.get() < 0) return CannotListen(endpoint_, std::strerror(errno));
  file_ = SocketFileAt(endpoint_.host);
  sockets_.push_back(std::move(socket));
  return OkStatus();
}

// One socket for both families; only IPv4 where the machine has no IPv6.
Status ListeningSockets::OpenAny() {
  sockaddr_in6 ipv6{};
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_port = htons(static_cast<std::uint16_t>(endpoint_.port));
  Descriptor socket = Bind(reinterpret_cast<sockaddr*>(&ipv6), sizeof(ipv6), true);
  if (socket.get() < 0 && errno != EADDRINUSE && errno != EACCES) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = ipv6.sin6_port;
    socket = Bind(reinterpret_cast<sockaddr*>(&ipv4), sizeof(ipv4), false);
  }
  if (socket.get() < 0) return CannotListen(endpoint_, std::strerror(errno));
  sockets_.push_back(std::move(socket));
  return OkStatus();
}

Status ListeningSockets::OpenHost() {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(endpoint_.host.c_str(), nullptr, &hints, &list);
  if (error != 0) return CannotListen(endpoint_, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, &::freeaddrinfo);
  std::string reason = "it has no address";
  int port = endpoint_.port;
  for (const addrinfo* found = list; found != nullptr; found = found->ai_next) {
    SetPort(found->ai_addr, port);
    Descriptor socket = Bind(found->ai_addr, found->ai_addrlen, false);
    if (socket.get() < 0) {
      reason = std::strerror(errno);
      // A name may have addresses of families that this machine lacks, but none may be another's.
      if (errno == EADDRINUSE && endpoint_.port != 0) return CannotListen(endpoint_, reason);
      continue;
    }
    port = PortOf(socket);
    sockets_.push_back(std::move(socket));
  }
  return sockets_.empty() ? CannotListen(endpoint_, reason) : OkStatus();
}

}  // namespace gorila::rpc
