#include "gorila/base/machine_memory.h"

#include <sys/sysinfo.h>

#include <algorithm>
#include <limits>

#include "gorila/base/control_groups.h"

namespace gorila {

std::int64_t MachineMemoryBytes() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return std::numeric_limits<std::int64_t>::max();
  return std::min(ReadGroupLimits().memory_bytes, static_cast<std::int64_t>(info.totalram) *
                                                      static_cast<std::int64_t>(info.mem_unit));
}

}  // namespace gorila
