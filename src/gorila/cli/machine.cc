#include "gorila/cli/machine.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <thread>

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

// What a container (cgroup version 2) may still take; no limit reads as "max".
std::int64_t AvailableInContainer() {
  std::int64_t limit = 0;
  std::int64_t used = 0;
  std::ifstream limit_file("/sys/fs/cgroup/memory.max");
  std::ifstream used_file("/sys/fs/cgroup/memory.current");
  if (!(limit_file >> limit) || !(used_file >> used)) {
    return std::numeric_limits<std::int64_t>::max();
  }
  return std::max<std::int64_t>(0, limit - used);
}

}  // namespace

Machine LookAtMachine() {
  Machine machine;
  machine.cpu = CpuModel();
  machine.cores = UsableCores();
  machine.available_bytes = std::min(AvailableMemory(), AvailableInContainer());
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) {
    machine.memory_bytes =
        static_cast<std::int64_t>(memory.totalram) * static_cast<std::int64_t>(memory.mem_unit);
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
