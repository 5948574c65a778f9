// Random numbers from the operating system, for values that must be unguessable or unique.
#ifndef GORILA_RPC_SYSTEM_RANDOM_H_
#define GORILA_RPC_SYSTEM_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "gorila/base/status.h"

namespace gorila::rpc {

// At most 256 bytes. Unavailable when the system gives none.
Status FillFromSystem(std::span<std::byte> bytes);

// 64 bits, for numbers that need only differ from all others.
std::uint64_t DrawNumber();

}  // namespace gorila::rpc

#endif  // GORILA_RPC_SYSTEM_RANDOM_H_
