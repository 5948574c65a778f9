#include "gorila/cli/machine.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

#include "gorila/base/control_groups.h"

namespace gorila::cli {
namespace {

std::string CpuModel() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

// Those of the affinity mask: a container's cores may be fewer than the machine's.
int UsableCores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

// A quota of one and a half processors keeps two threads busy most of the time.
int CoresOfQuota(double cpus) {
  constexpr int kMost = 1 << 20;
  return static_cast<int>(std::clamp(std::ceil(cpus), 1.0, static_cast<double>(kMost)));
}

std::int64_t AvailableMemory() {
  std::ifstream info("/proc/meminfo");
  std::string name;
  std::int64_t kib = 0;
  std::string unit;
  while (info >> name >> kib) {
    if (name == "MemAvailable:") return kib * 1024;
    std::getline(info, unit);
  }
  return std::numeric_limits<std::int64_t>::max();
}

}  // namespace

Machine LookAtMachine() {
  Machine machine;
  machine.cpu = CpuModel();
  const GroupLimits limits = ReadGroupLimits();
  machine.cores = std::min(UsableCores(), CoresOfQuota(limits.cpus));
  machine.available_bytes = std::min(AvailableMemory(), limits.available_bytes);
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) {
    machine.memory_bytes =
        std::min(limits.memory_bytes, static_cast<std::int64_t>(memory.totalram) *
                                          static_cast<std::int64_t>(memory.mem_unit));
  }
  utsname name{};
  if (::uname(&name) == 0) {
    machine.system = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  }
  return machine;
}

std::string Describe(const Machine& machine) {
  return fmt::format("{}, {} cores, {} memory, {}", machine.cpu, machine.cores,
                     FormatBytes(machine.memory_bytes), machine.system);
}

std::string FormatBytes(std::int64_t bytes) {
  const double mib = static_cast<double>(bytes) / (1024.0 * 1024.0);
  return mib < 1024 ? fmt::format("{:.1f} MiB", mib) : fmt::format("{:.1f} GiB", mib / 1024);
}

}  // namespace gorila::cli
