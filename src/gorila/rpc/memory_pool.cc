#include "gorila/rpc/memory_pool.h"

#include <algorithm>

#include "gorila/rpc/own_address.h"
#include "gorila/rpc/refusal.h"
#include "gorila/v1/transport.pb.h"

namespace gorila::rpc {
namespace {

// A gradient, parameters and target parameters at once, and one to spare.
constexpr std::size_t kMostIdle = 4;

}  // namespace

std::optional<LentMemory> MemoryPool::Take(std::size_t bytes) {
  {
    const MutexLock lock(mutex_);
    TakeAnswer();
    const auto large_enough = [bytes](const LentMemory& idle) {
      return idle.memory->bytes().size() >= bytes;
    };
    const auto found = std::find_if(idle_.begin(), idle_.end(), large_enough);
    if (found != idle_.end()) {
      LentMemory lent = std::move(*found);
      idle_.erase(found);
      return lent;
    }
    if (refused_ || offering_) return std::nullopt;
    offering_ = true;
  }
  OfferMore(bytes);
  return std::nullopt;
}

void MemoryPool::Return(LentMemory memory) {
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(memory));
  // The oldest are too small, or more than are needed at once.
  if (idle_.size() > kMostIdle) idle_.erase(idle_.begin());
}

void MemoryPool::Abandon() {
  const MutexLock lock(mutex_);
  idle_.clear();
}

// Without the lock while gRPC works, which may end other calls in this thread.
void MemoryPool::OfferMore(std::size_t bytes) {
  auto memory = IsOwnEndpoint(server_) ? SharedMemory::Create(bytes)
                                       : Unavailable("'{}' is elsewhere", server_.host);
  if (!memory.ok()) {
    const MutexLock lock(mutex_);
    refused_ = true;
    return;
  }
  PendingCall answer = offer_((*memory)->ticket());
  const MutexLock lock(mutex_);
  offered_ = *std::move(memory);
  answer_.emplace(std::move(answer));
}

void MemoryPool::TakeAnswer() {
  if (!answer_.has_value() || !answer_->done()) return;
  const StatusOr<std::string> header = answer_->Wait();
  answer_.reset();
  offering_ = false;
  const auto memory = std::exchange(offered_, nullptr);
  const auto response = header.ok() ? Channel::ParseResponse<v1::ShareResponse>(*header)
                                    : StatusOr<v1::ShareResponse>(header.status());
  if (response.ok()) {
    idle_.push_back({.memory = memory, .number = response->memory()});
  } else {
    const auto refusal = RefusalOf(response.status());
    const bool for_now = refusal == Refusal::kBusy || (!refusal && IsRetryable(response.status()));
    refused_ = !for_now;
  }
}

}  // namespace gorila::rpc
