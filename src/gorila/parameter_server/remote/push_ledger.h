// Which gradients a shard has decided on, so that one that is sent again is not applied again.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_PUSH_LEDGER_H_
#define GORILA_PARAMETER_SERVER_REMOTE_PUSH_LEDGER_H_

#include <array>
#include <cstdint>
#include <unordered_map>

#include "gorila/base/serialise.h"
#include "gorila/base/status.h"
#include "gorila/parameter_server/remote/client_memory.h"
#include "gorila/parameter_server/shard.h"

namespace gorila {

// Remembers the last kWindow sequence numbers of each of the last kMaxClients clients: a client has
// a few gradients under way at once, and tries again for minutes, not days. What one that was
// forgotten sends again is applied again. Not thread-safe: used under its owner's lock.
class PushLedger {
 public:
  using Verdict = ParameterShard::Verdict;
  static constexpr std::int64_t kWindow = 64;
  static constexpr std::size_t kMaxClients = kMostClients;
  static constexpr std::int64_t kMaxSequence = std::int64_t{1} << 53;

  enum class Known {
    kNew,        // not decided on yet
    kDecided,    // `verdict` is what was decided
    kForgotten,  // older than the window: it may have been decided on
  };
  struct Answer {
    Known known = Known::kNew;
    Verdict verdict = Verdict::kAccepted;
  };

  // `sequence`: 1..kMaxSequence.
  Answer Find(std::uint64_t client, std::int64_t sequence) const;

  // Notes the decision on a gradient that Find() said is new.
  void Record(std::uint64_t client, std::int64_t sequence, Verdict verdict);

  std::size_t clients() const { return clients_.size(); }

  void SaveState(StateWriter& writer) const;
  // DataLoss for what SaveState did not write; then the ledger must not be used.
  Status RestoreState(StateReader& reader);

 private:
  struct Entry {
    std::int64_t newest = 0;                   // largest sequence decided on
    std::int64_t last_use = 0;                 // on uses_
    std::array<std::int8_t, kWindow> slots{};  // by sequence % kWindow: 0 = new, or 1 + verdict
  };

  std::unordered_map<std::uint64_t, Entry> clients_;
  std::int64_t uses_ = 0;
};

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_PUSH_LEDGER_H_
