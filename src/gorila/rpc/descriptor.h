#ifndef GORILA_RPC_DESCRIPTOR_H_
#define GORILA_RPC_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace gorila::rpc {

// A file descriptor that is closed with its owner; negative: none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }
  // Gives up ownership: the caller must close it.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_DESCRIPTOR_H_
