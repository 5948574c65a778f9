// How much memory there is.
#ifndef GORILA_BASE_MACHINE_MEMORY_H_
#define GORILA_BASE_MACHINE_MEMORY_H_

#include <cstdint>

namespace gorila {

// Bytes of memory of this machine or of this process's control group; the largest number where it
// does not say.
std::int64_t MachineMemoryBytes();

}  // namespace gorila

#endif  // GORILA_BASE_MACHINE_MEMORY_H_
