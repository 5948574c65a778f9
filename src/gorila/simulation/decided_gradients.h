// Which of one client's gradients a shard has decided on, as an oracle sees it.
#ifndef GORILA_SIMULATION_DECIDED_GRADIENTS_H_
#define GORILA_SIMULATION_DECIDED_GRADIENTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "gorila/parameter_server/remote/push_ledger.h"

namespace gorila::simulation {

// As far back from the newest as the shard's ledger remembers, in the memory of a few lines: there
// is one for each client of each shard.
class DecidedGradients {
 public:
  // Whether the ledger could not know any more if it had decided on it.
  bool IsForgotten(std::int64_t sequence) const { return newest_ - sequence >= kRemembered; }
  // In this generation.
  bool WasDecided(std::int64_t sequence) const { return Has(decided_, sequence); }
  // In this generation, or before the snapshot with which it began.
  bool WasAccepted(std::int64_t sequence) const { return Has(accepted_, sequence); }

  void NoteDecided(std::int64_t sequence) {
    Advance(sequence);
    if (!IsForgotten(sequence)) decided_ |= BitOf(sequence);
  }
  // `version`: after it.
  void NoteAccepted(std::int64_t sequence, std::int64_t version) {
    Advance(sequence);
    if (IsForgotten(sequence)) return;
    accepted_ |= BitOf(sequence);
    versions_[SlotOf(sequence)] = version;
  }

  // What a generation that starts from a snapshot of `version` inherits.
  DecidedGradients AcceptedUntil(std::int64_t version) const {
    DecidedGradients inherited;
    for (std::int64_t sequence = std::max<std::int64_t>(newest_ - kRemembered + 1, 0);
         sequence <= newest_; ++sequence) {
      const std::int64_t after = versions_[SlotOf(sequence)];
      if (WasAccepted(sequence) && after <= version) inherited.NoteAccepted(sequence, after);
    }
    return inherited;
  }

 private:
  static constexpr std::int64_t kRemembered = PushLedger::kWindow;
  static_assert(kRemembered == 64, "one bit of a word each");

  static std::size_t SlotOf(std::int64_t sequence) {
    return static_cast<std::size_t>(sequence % kRemembered);
  }
  std::uint64_t BitOf(std::int64_t sequence) const {
    return std::uint64_t{1} << static_cast<unsigned>(newest_ - sequence);
  }
  bool Has(std::uint64_t bits, std::int64_t sequence) const {
    return sequence <= newest_ && !IsForgotten(sequence) && (bits & BitOf(sequence)) != 0;
  }
  void Advance(std::int64_t sequence) {
    if (sequence <= newest_) return;
    const std::int64_t by = sequence - newest_;
    newest_ = sequence;
    decided_ = by < kRemembered ? decided_ << static_cast<unsigned>(by) : 0;
    accepted_ = by < kRemembered ? accepted_ << static_cast<unsigned>(by) : 0;
  }

  std::int64_t newest_ = 0;
  // The lowest bit is the newest's.
  std::uint64_t decided_ = 0, accepted_ = 0;
  std::array<std::int64_t, kRemembered> versions_{};  // of accepted ones
};

}  // namespace gorila::simulation

#endif  // GORILA_SIMULATION_DECIDED_GRADIENTS_H_
