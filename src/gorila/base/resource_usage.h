// The resources that this process uses.
#ifndef GORILA_BASE_RESOURCE_USAGE_H_
#define GORILA_BASE_RESOURCE_USAGE_H_

#include <cstdint>

namespace gorila {

// Memory that is in RAM now; 0 where the system does not say.
std::uint64_t ResidentBytes();

// Processor time of all threads since the process began, user and system.
double CpuSeconds();

}  // namespace gorila

#endif  // GORILA_BASE_RESOURCE_USAGE_H_
