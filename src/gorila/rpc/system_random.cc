#include "gorila/rpc/system_random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "gorila/base/runtime.h"

namespace gorila::rpc {

Status FillFromSystem(std::span<std::byte> bytes) {
  const ssize_t drawn = ::getrandom(bytes.data(), bytes.size(), 0);
  if (drawn == static_cast<ssize_t>(bytes.size())) return OkStatus();
  return Unavailable("the system gave no random bits: {}", std::strerror(errno));
}

std::uint64_t DrawNumber() {
  if (simulated_runtime != nullptr) return simulated_runtime->Draw();
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace gorila::rpc
