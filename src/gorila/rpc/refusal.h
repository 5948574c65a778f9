// Why a server refuses a call: each reason has a word that travels with the status and is counted.
#ifndef GORILA_RPC_REFUSAL_H_
#define GORILA_RPC_REFUSAL_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila::rpc {

enum class Refusal {
  kToken,       // not this run's token
  kRole,        // the certificate's role may not call this
  kLayout,      // another network's parameters
  kMethod,      // no such method
  kDeadline,    // no deadline, or one too far away
  kMalformed,   // not the message or the order of messages that the method expects
  kOversized,   // larger than the method allows
  kShape,       // a payload of another size than the request says or the server has
  kGeneration,  // the server was replaced by a newer generation
  kSequence,    // older than what the server remembers of the client
  kBusy,        // too many calls or bytes at once; worth another try
  kMemory,      // shared memory that the server cannot see, or does not have
  kIncomplete,  // the call ended (cut off, cancelled, deadline) before the request was complete
};
inline constexpr int kRefusals = static_cast<int>(Refusal::kIncomplete) + 1;

// One lower-case word.
std::string_view RefusalName(Refusal refusal);

// `status` (not OK), marked with the reason: the server that returns it to a client counts it.
Status Refused(Refusal refusal, Status status);

// The mark, on the server and, after its travel, on the client. Nothing for other errors.
std::optional<Refusal> RefusalOf(const Status& status);

// The reason with that name; nullopt for an unknown name.
std::optional<Refusal> FindRefusal(std::string_view name);

// Thread-safe.
class RefusalCounters {
 public:
  void Count(Refusal refusal) {
    counts_[static_cast<std::size_t>(refusal)].fetch_add(1, std::memory_order_relaxed);
  }
  std::int64_t count(Refusal refusal) const {
    return counts_[static_cast<std::size_t>(refusal)].load(std::memory_order_relaxed);
  }
  std::int64_t Total() const;

 private:
  std::array<std::atomic<std::int64_t>, kRefusals> counts_{};
};

}  // namespace gorila::rpc

#endif  // GORILA_RPC_REFUSAL_H_
