#ifndef GORILA_BASE_ALLOCATION_COUNTER_H_
#define GORILA_BASE_ALLOCATION_COUNTER_H_

// For tests of hot paths, which must not allocate: a program that links gorila_allocation_counter
// has its global operator new replaced by one that counts.

#include <cstddef>

namespace gorila {

// Counts of all threads since the last reset.
struct AllocationCounts {
  std::size_t allocations = 0;
  std::size_t largest = 0;  // bytes
};

// Both may be called from any thread; they don't order the allocations of others.
void ResetAllocationCounts();
[[nodiscard]] AllocationCounts CountAllocations();

}  // namespace gorila

#endif  // GORILA_BASE_ALLOCATION_COUNTER_H_
