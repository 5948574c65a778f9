// Visits every shard of a store once, without waiting for one while another is free.
#ifndef GORILA_PARAMETER_SERVER_VISIT_FREE_FIRST_H_
#define GORILA_PARAMETER_SERVER_VISIT_FREE_FIRST_H_

#include <array>
#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace gorila {

// A busy slice of a small network is free within microseconds, a thread that sleeps wakes up after
// tens of them. Beyond that, whoever holds it may need this core.
inline constexpr int kTurnsBeforeWaiting = 40;
inline constexpr std::size_t kMostVisited = 4096;  // parameter_server.shards has the same limit

inline void PauseBriefly() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// `try_visit(i)`: visits i, or returns false because it is busy. `visit(i)`: waits for it. From
// `first` on, around, each is tried once; then those that were busy, as they become free.
// count <= kMostVisited.
template <typename TryVisit, typename Visit>
void VisitFreeFirst(std::size_t count, std::size_t first, const TryVisit& try_visit,
                    const Visit& visit) {
  std::array<std::uint16_t, kMostVisited> busy;  // NOLINT: only the first `left` are used
  std::size_t left = 0;
  for (std::size_t turn = 0; turn < count; ++turn) {
    const std::size_t i = (first + turn) % count;
    if (!try_visit(i)) busy[left++] = static_cast<std::uint16_t>(i);
  }
  int fruitless = 0;
  while (left > 0) {
    std::size_t still = 0;
    for (std::size_t i = 0; i < left; ++i) {
      if (!try_visit(busy[i])) busy[still++] = busy[i];
    }
    fruitless = still < left ? 0 : fruitless + 1;
    left = still;
    if (fruitless <= kTurnsBeforeWaiting) {
      PauseBriefly();
    } else {
      visit(busy[--left]);
      fruitless = 0;
    }
  }
}

}  // namespace gorila

#endif  // GORILA_PARAMETER_SERVER_VISIT_FREE_FIRST_H_
