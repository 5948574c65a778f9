// Memory shared by two processes of one user on one machine: what one writes, the other reads
// without a copy by the system.
//
// It has no name in any folder, so a killed process leaves nothing behind: the other one opens the
// maker's descriptor (/proc/<process>/fd/<descriptor>), which the system allows only to the same
// user, and knows by a secret in it that it is the right one. Its size is sealed, so that nobody
// can make the other's access fail.
#ifndef GORILA_RPC_SHARED_MEMORY_H_
#define GORILA_RPC_SHARED_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "gorila/base/status.h"

namespace gorila::rpc {

// What another process opens it by.
struct SharedMemoryTicket {
  std::int64_t process = 0;  // the maker's id, as it sees itself
  int descriptor = 0;        // the maker's
  std::uint64_t bytes = 0;   // of bytes()
  std::string secret;        // SharedMemory::kSecretBytes
};

// bytes() may be used by several threads and both processes, who agree by messages on who writes.
class SharedMemory {
 public:
  static constexpr std::size_t kSecretBytes = 32;
  static constexpr std::size_t kAlignment = 64;

  // `bytes` >= 1. All pages are allocated at once: Unavailable when the system has none left, or no
  // such memory at all.
  static StatusOr<std::shared_ptr<SharedMemory>> Create(std::size_t bytes);

  // Opens memory that another process (or this one) created. Unavailable when it cannot be reached:
  // its creator is gone, belongs to another user or is in another container. InvalidArgument when
  // it is not what the ticket says.
  static StatusOr<std::shared_ptr<SharedMemory>> Open(const SharedMemoryTicket& ticket);

  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // Aligned to kAlignment.
  std::span<std::byte> bytes() const;

  // Of Create().
  SharedMemoryTicket ticket() const;

  // Of Open(): whether the maker has let go of it or ended, however it ended.
  bool MakerIsGone() const;

 private:
  SharedMemory(int descriptor, std::size_t bytes) : descriptor_(descriptor), bytes_(bytes) {}
  Status Map();
  std::span<std::byte> secret() const;

  const int descriptor_;
  const std::size_t bytes_;
  std::byte* mapped_ = nullptr;  // the secret, then bytes() from kAlignment on
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_SHARED_MEMORY_H_
