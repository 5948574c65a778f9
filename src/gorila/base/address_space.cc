#include "gorila/base/address_space.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>

namespace gorila {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

std::int64_t UsedBytes() {
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  char text[128];
  const ssize_t size = ::read(file, text, sizeof text - 1);
  ::close(file);
  if (size <= 0) return 0;
  text[size] = '\0';
  return std::strtoll(text, nullptr, 10) * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

AddressSpace LookAtAddressSpace() {
  AddressSpace space;
  space.used = UsedBytes();
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      limit.rlim_cur < static_cast<rlim_t>(AddressSpace::kNoLimit)) {
    space.limit = static_cast<std::int64_t>(limit.rlim_cur);
  }
  return space;
}

std::string Describe(const AddressSpace& space) {
  if (!space.limited()) {
    return fmt::format("{} MiB of address space in use, without a limit (ulimit -v)",
                       space.used / kMiB);
  }
  return fmt::format("{} of {} MiB of address space (ulimit -v) in use", space.used / kMiB,
                     space.limit / kMiB);
}

std::string DescribeProcessLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return "ulimit -u is unlimited";
  }
  return fmt::format("ulimit -u is {}", limit.rlim_cur);
}

Status CheckAddressSpace(const AddressSpace& space, std::int64_t needed, std::string_view what) {
  if (needed <= space.left()) return OkStatus();
  return absl::ResourceExhaustedError(fmt::format(
      "{} would take {} MiB or more of address space besides the {} MiB in use; expected at most "
      "the limit of {} MiB (ulimit -v {}); raise it, or lower replay.capacity, run.bundles or "
      "network.hidden",
      what, (needed + kMiB - 1) / kMiB, space.used / kMiB, space.limit / kMiB, space.limit / 1024));
}

std::int64_t ThreadStackBytes() {
  pthread_attr_t attributes;
  std::size_t size = 8 * kMiB;
  if (::pthread_getattr_default_np(&attributes) == 0) {
    ::pthread_attr_getstacksize(&attributes, &size);
    ::pthread_attr_destroy(&attributes);
  }
  return static_cast<std::int64_t>(size);
}

void SaveAddressSpace() {
  constexpr std::int64_t kSmall = 4096 * kMiB;
  if (LookAtAddressSpace().limit < kSmall) ::mallopt(M_ARENA_MAX, 1);
}

}  // namespace gorila
