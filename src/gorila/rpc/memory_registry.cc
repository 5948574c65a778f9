#include "gorila/rpc/memory_registry.h"

#include "gorila/rpc/own_address.h"
#include "gorila/rpc/system_random.h"
#include "gorila/v1/transport.pb.h"

namespace gorila::rpc {

StatusOr<Response> MemoryRegistry::Share(const Request& request) {
  GORILA_ASSIGN_OR_RETURN(const auto offer, ParseHeader<v1::ShareRequest>(request));
  if (!IsOwnPeer(request.peer)) {
    return Refused(Refusal::kMemory,
                   absl::FailedPreconditionError(
                       fmt::format("shared memory: {} is not on this machine", request.peer)));
  }
  const MutexLock lock(mutex_);
  LetGo();
  if (offer.bytes() == 0 || offer.bytes() > max_bytes_ - bytes_) {
    return Refused(Refusal::kMemory, absl::FailedPreconditionError(fmt::format(
                                         "shared memory: {} bytes offered, {} are held; at most {}",
                                         offer.bytes(), bytes_, max_bytes_)));
  }
  auto memory = SharedMemory::Open({.process = offer.process(),
                                    .descriptor = offer.file_descriptor(),
                                    .bytes = offer.bytes(),
                                    .secret = offer.secret()});
  if (!memory.ok()) {
    return Refused(Refusal::kMemory,
                   absl::FailedPreconditionError(std::string(memory.status().message())));
  }
  // Drawn, so that what a client remembers of an earlier server means nothing here.
  std::uint64_t number = 0;
  while (number == 0 || memories_.contains(number)) number = DrawNumber();
  bytes_ += offer.bytes();
  memories_.emplace(number, *std::move(memory));
  v1::ShareResponse response;
  response.set_memory(number);
  return Response{.header = response.SerializeAsString(), .payload = nullptr};
}

std::shared_ptr<SharedMemory> MemoryRegistry::Find(std::uint64_t number) const {
  const MutexLock lock(mutex_);
  const auto found = memories_.find(number);
  return found == memories_.end() ? nullptr : found->second;
}

void MemoryRegistry::LetGo() {
  for (auto memory = memories_.begin(); memory != memories_.end();) {
    if (memory->second->MakerIsGone()) {
      bytes_ -= memory->second->bytes().size();
      memory = memories_.erase(memory);
    } else {
      ++memory;
    }
  }
}

}  // namespace gorila::rpc
