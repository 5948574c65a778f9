// What this process may map: batch systems limit it (ulimit -v), and then count everything that is
// reserved, used or not.
#ifndef GORILA_BASE_ADDRESS_SPACE_H_
#define GORILA_BASE_ADDRESS_SPACE_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

struct AddressSpace {
  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

  std::int64_t limit = kNoLimit;  // bytes; RLIMIT_AS
  std::int64_t used = 0;

  bool limited() const { return limit != kNoLimit; }
  std::int64_t left() const { return limited() ? limit - used : kNoLimit; }
};

// Allocates nothing.
AddressSpace LookAtAddressSpace();

// "120 of 244 MiB of address space (ulimit -v) in use".
std::string Describe(const AddressSpace& space);
// "ulimit -u is 64", or "unlimited".
std::string DescribeProcessLimit();

// ResourceExhausted when `space` does not have as many bytes left; `what` they are for
// ("training").
Status CheckAddressSpace(const AddressSpace& space, std::int64_t needed, std::string_view what);

// Of the next thread, by default.
std::int64_t ThreadStackBytes();

// With a small limit all threads share one heap: by default each has its own, for which 64 to 128
// MiB are reserved. Once, before there is a second thread.
void SaveAddressSpace();

}  // namespace gorila

#endif  // GORILA_BASE_ADDRESS_SPACE_H_
