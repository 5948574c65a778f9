#include "gorila/base/allocation_counter.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

// In a file of its own: a compiler that sees both a replaced operator and its caller may inline one
// half of the pair and then warn that new meets free.

namespace gorila {
namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> largest{0};

void Count(std::size_t size) {
  ++allocations;
  std::size_t seen = largest;
  while (seen < size && !largest.compare_exchange_weak(seen, size)) {
  }
}

}  // namespace

void ResetAllocationCounts() {
  allocations = 0;
  largest = 0;
}

AllocationCounts CountAllocations() { return {.allocations = allocations, .largest = largest}; }

}  // namespace gorila

void* operator new(std::size_t size) {
  gorila::Count(size);
  void* const memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) std::abort();
  return memory;
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  gorila::Count(size);
  const auto boundary = static_cast<std::size_t>(alignment);
  void* const memory = std::aligned_alloc(boundary, (size + boundary - 1) / boundary * boundary);
  if (memory == nullptr) std::abort();
  return memory;
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
