// The resources that a container, a batch job or a service may use.
#ifndef GORILA_BASE_CONTROL_GROUPS_H_
#define GORILA_BASE_CONTROL_GROUPS_H_

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string_view>

#include "gorila/base/status.h"

namespace gorila {

// The least over the control group of this process and all groups above it that are visible here,
// of version 1 and 2.
struct GroupLimits {
  std::int64_t memory_bytes = std::numeric_limits<std::int64_t>::max();  // no limit
  // Without the memory in use; the page cache counts as free, since the kernel reclaims it.
  std::int64_t available_bytes = std::numeric_limits<std::int64_t>::max();
  double cpus = std::numeric_limits<double>::infinity();  // of a quota of processor time
};

// `root`: where /proc and the file systems of control groups are looked up; tests have their own.
GroupLimits ReadGroupLimits(const std::filesystem::path& root = "/");

// ResourceExhausted when what is left does not suffice for as many bytes more: a process that takes
// them later would be killed. `what` they are for ("training").
Status CheckGroupMemory(const GroupLimits& limits, std::int64_t needed, std::string_view what);

}  // namespace gorila

#endif  // GORILA_BASE_CONTROL_GROUPS_H_
