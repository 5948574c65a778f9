// The shared memory that a server's clients have offered it.
#ifndef GORILA_RPC_MEMORY_REGISTRY_H_
#define GORILA_RPC_MEMORY_REGISTRY_H_

#include <cstdint>
#include <map>
#include <memory>

#include "gorila/base/mutex.h"
#include "gorila/base/status.h"
#include "gorila/rpc/method.h"
#include "gorila/rpc/shared_memory.h"

namespace gorila::rpc {

// Thread-safe.
class MemoryRegistry {
 public:
  // The most for all memories together; further offers are refused, and their payloads use the
  // socket.
  explicit MemoryRegistry(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  // kShareMethod: takes an offered memory. Lets go of those whose makers are gone, first.
  StatusOr<Response> Share(const Request& request) GORILA_EXCLUDES(mutex_);

  // Null for an unknown number.
  std::shared_ptr<SharedMemory> Find(std::uint64_t number) const GORILA_EXCLUDES(mutex_);

 private:
  void LetGo() GORILA_REQUIRES(mutex_);

  const std::uint64_t max_bytes_;
  mutable Mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<SharedMemory>> memories_ GORILA_GUARDED_BY(mutex_);
  std::uint64_t bytes_ GORILA_GUARDED_BY(mutex_) = 0;
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_MEMORY_REGISTRY_H_
