// How many client processes a shard remembers, and whom it forgets beyond that.
#ifndef GORILA_PARAMETER_SERVER_REMOTE_CLIENT_MEMORY_H_
#define GORILA_PARAMETER_SERVER_REMOTE_CLIENT_MEMORY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gorila {

// Far above the processes of a run, restarts included: one that lives must not be forgotten.
inline constexpr std::size_t kMostClients = std::size_t{1} << 17;

// Erases the sixteenth of `clients` that was silent for longest. So many at once, so that a client
// that comes costs little. `Clients`: an unordered map whose values count their `last_use`, each
// another number.
template <typename Clients>
void ForgetSilentClients(Clients& clients) {
  std::vector<std::int64_t> uses;
  uses.reserve(clients.size());
  for (const auto& [id, client] : clients) uses.push_back(client.last_use);
  const auto kept = uses.begin() + static_cast<std::ptrdiff_t>(uses.size() / 16);
  std::nth_element(uses.begin(), kept, uses.end());
  std::erase_if(clients, [kept](const auto& client) { return client.second.last_use < *kept; });
}

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_REMOTE_CLIENT_MEMORY_H_
