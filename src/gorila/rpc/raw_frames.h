// HTTP/2 by hand over a real socket, for what no client of ours says. Only for tests.
#ifndef GORILA_RPC_RAW_FRAMES_H_
#define GORILA_RPC_RAW_FRAMES_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "gorila/base/status.h"
#include "gorila/rpc/descriptor.h"

namespace gorila::rpc {

inline std::string RawFrame(int type, int flags, std::uint32_t stream, std::string_view payload) {
  std::string bytes;
  for (const int shift : {16, 8, 0}) bytes += static_cast<char>(payload.size() >> shift);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(stream >> shift);
  return bytes.append(payload);
}

// Preface and settings.
inline std::string RawOpening() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + RawFrame(4, 0, 0, "");
}

// A field of less than 256 characters.
inline std::string RawField(std::string_view name, std::string_view value) {
  std::string bytes(1, '\0');
  for (const std::string_view text : {name, value}) {
    if (text.size() < 127) {
      bytes += static_cast<char>(text.size());
    } else {
      bytes += '\x7f';
      bytes += static_cast<char>((text.size() - 127) | 0x80);
      bytes += static_cast<char>((text.size() - 127) >> 7);
    }
    bytes += text;
  }
  return bytes;
}

// A connection to 127.0.0.1. No call blocks for longer than a minute.
class RawPeer {
 public:
  explicit RawPeer(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval minute{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof(minute));
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof(minute));
    const int failed =
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    GORILA_CHECK(failed == 0, "cannot connect: {}", errno);
  }

  int fd() const { return socket_.get(); }

  // False when the other end has closed, or takes nothing.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Blocks until the other end has closed; all that it said.
  std::string ReadToEnd() {
    std::string all;
    char bytes[4096];
    for (;;) {
      const ssize_t size = ::recv(fd(), bytes, sizeof(bytes), 0);
      if (size == 0 || (size < 0 && errno == ECONNRESET)) return all;
      GORILA_CHECK(size > 0, "the connection stays open: {}", errno);
      all.append(bytes, static_cast<std::size_t>(size));
    }
  }

  // Whether it would block to read on behind the settings that every connection begins with.
  bool IsOpen() {
    char byte = 0;
    for (;;) {
      const ssize_t size = ::recv(fd(), &byte, 1, MSG_DONTWAIT);
      if (size < 0) return errno == EAGAIN;
      if (size == 0) return false;
    }
  }

  // Reads exactly `size` bytes.
  std::string Read(std::size_t size) {
    std::string bytes(size, '\0');
    const ssize_t got = ::recv(fd(), bytes.data(), size, MSG_WAITALL);
    GORILA_CHECK(got == static_cast<ssize_t>(size), "{} of {} bytes", got, size);
    return bytes;
  }

 private:
  Descriptor socket_;
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_RAW_FRAMES_H_
