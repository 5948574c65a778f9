// The shared memory that a channel's calls use instead of the socket, where the server can see it.
#ifndef GORILA_RPC_MEMORY_POOL_H_
#define GORILA_RPC_MEMORY_POOL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "gorila/base/mutex.h"
#include "gorila/rpc/channel.h"
#include "gorila/rpc/endpoint.h"
#include "gorila/rpc/shared_memory.h"

namespace gorila::rpc {

// One memory, of which the server knows, for one call at a time.
struct LentMemory {
  std::shared_ptr<SharedMemory> memory;
  std::uint64_t number = 0;  // the server's
};

// Offers memory to the server while calls travel through the socket, and lends what it took.
// Thread-safe.
class MemoryPool {
 public:
  // Starts a call that offers memory; the response is a ShareResponse.
  using Offer = std::function<PendingCall(const SharedMemoryTicket& ticket)>;

  // `offer` is called by Take() alone.
  MemoryPool(Endpoint server, Offer offer) : server_(std::move(server)), offer_(std::move(offer)) {}

  // Memory of at least `bytes`; nullopt while none is free, or when the server is on another
  // machine. Blocks only the first time, while the server's name is looked up.
  std::optional<LentMemory> Take(std::size_t bytes) GORILA_EXCLUDES(mutex_);

  // After a call that ended well.
  void Return(LentMemory memory) GORILA_EXCLUDES(mutex_);

  // After a call that did not succeed: the server may still read or write that call's memory, so it
  // is never reused; and the server may have been replaced by one that knows none of this memory.
  void Abandon() GORILA_EXCLUDES(mutex_);

 private:
  void OfferMore(std::size_t bytes) GORILA_EXCLUDES(mutex_);
  void TakeAnswer() GORILA_REQUIRES(mutex_);

  const Endpoint server_;
  const Offer offer_;
  Mutex mutex_;
  std::vector<LentMemory> idle_ GORILA_GUARDED_BY(mutex_);
  bool offering_ GORILA_GUARDED_BY(mutex_) = false;  // one at a time
  std::shared_ptr<SharedMemory> offered_ GORILA_GUARDED_BY(mutex_);
  std::optional<PendingCall> answer_ GORILA_GUARDED_BY(mutex_);
  bool refused_ GORILA_GUARDED_BY(mutex_) = false;  // for good
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_MEMORY_POOL_H_
