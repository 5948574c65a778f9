#include "gorila/parameter_server/remote/push_ledger.h"

#include <algorithm>

namespace gorila {
namespace {

std::size_t SlotOf(std::int64_t sequence) {
  return static_cast<std::size_t>(sequence % PushLedger::kWindow);
}

}  // namespace

PushLedger::Answer PushLedger::Find(std::uint64_t client, std::int64_t sequence) const {
  GORILA_CHECK(sequence >= 1 && sequence <= kMaxSequence, "sequence {}", sequence);
  const auto found = clients_.find(client);
  if (found == clients_.end() || sequence > found->second.newest) return {};
  const Entry& entry = found->second;
  if (sequence <= entry.newest - kWindow) return {.known = Known::kForgotten};
  const std::int8_t slot = entry.slots[SlotOf(sequence)];
  if (slot == 0) return {};
  return {.known = Known::kDecided, .verdict = static_cast<Verdict>(slot - 1)};
}

void PushLedger::Record(std::uint64_t client, std::int64_t sequence, Verdict verdict) {
  if (!clients_.contains(client) && clients_.size() == kMaxClients) {
    ForgetSilentClients(clients_);
  }
  Entry& entry = clients_[client];
  entry.last_use = ++uses_;
  // Those in between were not sent yet, or are on their way.
  for (std::int64_t skipped = std::max(entry.newest, sequence - kWindow) + 1; skipped <= sequence;
       ++skipped) {
    entry.slots[SlotOf(skipped)] = 0;
  }
  entry.newest = std::max(entry.newest, sequence);
  entry.slots[SlotOf(sequence)] = static_cast<std::int8_t>(1 + static_cast<int>(verdict));
}

void PushLedger::SaveState(StateWriter& writer) const {
  writer.Write<std::uint64_t>(clients_.size());
  for (const auto& [client, entry] : clients_) {
    writer.Write(client);
    writer.Write(entry);
  }
  writer.Write(uses_);
}

Status PushLedger::RestoreState(StateReader& reader) {
  std::uint64_t count = 0;
  GORILA_RETURN_IF_ERROR(reader.Read(count));
  if (count > kMaxClients) {
    return DataLoss("push ledger of {} clients; expected at most {}", count, kMaxClients);
  }
  clients_.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t client = 0;
    Entry entry;
    GORILA_RETURN_IF_ERROR(reader.Read(client));
    GORILA_RETURN_IF_ERROR(reader.Read(entry));
    const bool sane = std::all_of(entry.slots.begin(), entry.slots.end(),
                                  [](int slot) { return slot >= 0 && slot <= 3; });
    if (entry.newest < 1 || !sane) return DataLoss("push ledger: entry {} is impossible", i);
    clients_[client] = entry;
  }
  return reader.Read(uses_);
}

}  // namespace gorila
