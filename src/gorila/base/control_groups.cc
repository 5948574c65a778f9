#include "gorila/base/control_groups.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace gorila {
namespace {

namespace fs = std::filesystem;

// One file system of control groups: version 2 has one, version 1 one or more.
struct Hierarchy {
  int version = 2;
  std::string controllers;  // of version 1: "cpu,cpuacct"
  fs::path top;             // the group that is visible at `mounted`
  fs::path mounted;
};

bool HasController(std::string_view list, std::string_view name) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    if (list.substr(at, end - at) == name) return true;
    at = end + 1;
  }
  return false;
}

// Lines are "36 25 0:32 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory".
std::vector<Hierarchy> ReadHierarchies(const fs::path& root) {
  std::vector<Hierarchy> hierarchies;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == line.npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string skipped;
    std::string top;
    std::string mounted;
    std::string type;
    std::string options;
    before >> skipped >> skipped >> skipped >> top >> mounted;
    after >> type >> skipped >> options;
    if (type == "cgroup2") hierarchies.push_back({2, "", top, mounted});
    if (type == "cgroup") hierarchies.push_back({1, options, top, mounted});
  }
  return hierarchies;
}

// The group of this process in `hierarchy`, of lines as "4:memory:/job/step" and "0::/job/step".
std::optional<fs::path> GroupIn(const Hierarchy& hierarchy, const fs::path& root,
                                std::string_view controller) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool found =
        hierarchy.version == 2 ? controllers.empty() : HasController(controllers, controller);
    if (found) return fs::path(line.substr(second + 1));
  }
  return std::nullopt;
}

// The folders of the group and those above it, as far as they are visible. A group that is not
// below the visible one is that of the container itself.
std::vector<fs::path> Folders(const Hierarchy& hierarchy, const fs::path& group,
                              const fs::path& root) {
  const fs::path mounted = root / hierarchy.mounted.relative_path();
  std::vector<fs::path> folders = {mounted};
  const fs::path below = group.lexically_relative(hierarchy.top);
  fs::path folder = mounted;
  for (const fs::path& part : below) {
    if (part == ".." || below.empty()) break;
    if (part == ".") continue;
    folder /= part;
    folders.push_back(folder);
  }
  return folders;
}

// Nullopt where the file is missing or does not contain a number ("max").
std::optional<std::int64_t> ReadNumber(const fs::path& path) {
  std::ifstream file(path);
  std::int64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

std::int64_t ReadStatistic(const fs::path& path, std::string_view name) {
  std::ifstream file(path);
  std::string key;
  std::int64_t value = 0;
  while (file >> key >> value) {
    if (key == name) return value;
  }
  return 0;
}

void AddMemory(int version, const fs::path& folder, GroupLimits& limits) {
  const bool two = version == 2;
  const auto limit = ReadNumber(folder / (two ? "memory.max" : "memory.limit_in_bytes"));
  if (!limit.has_value()) return;
  limits.memory_bytes = std::min(limits.memory_bytes, *limit);
  const auto used = ReadNumber(folder / (two ? "memory.current" : "memory.usage_in_bytes"));
  if (!used.has_value()) return;
  const std::int64_t cache =
      ReadStatistic(folder / "memory.stat", two ? "inactive_file" : "total_inactive_file");
  const std::int64_t left =
      std::max<std::int64_t>(0, *limit - std::max(*used - cache, std::int64_t{0}));
  limits.available_bytes = std::min(limits.available_bytes, left);
}

void AddCpus(int version, const fs::path& folder, GroupLimits& limits) {
  std::optional<std::int64_t> quota;
  std::optional<std::int64_t> period;
  if (version == 2) {
    std::ifstream file(folder / "cpu.max");
    std::int64_t values[2];
    if (file >> values[0] >> values[1]) {
      quota = values[0];
      period = values[1];
    }
  } else {
    quota = ReadNumber(folder / "cpu.cfs_quota_us");
    period = ReadNumber(folder / "cpu.cfs_period_us");
  }
  if (quota.value_or(-1) <= 0 || period.value_or(0) <= 0) return;
  limits.cpus = std::min(limits.cpus, static_cast<double>(*quota) / static_cast<double>(*period));
}

using Add = void (*)(int, const fs::path&, GroupLimits&);

void AddAll(const Hierarchy& hierarchy, const fs::path& root, std::string_view controller, Add add,
            GroupLimits& limits) {
  if (hierarchy.version == 1 && !HasController(hierarchy.controllers, controller)) return;
  const std::optional<fs::path> group = GroupIn(hierarchy, root, controller);
  for (const fs::path& folder : Folders(hierarchy, group.value_or(hierarchy.top), root)) {
    add(hierarchy.version, folder, limits);
  }
}

}  // namespace

GroupLimits ReadGroupLimits(const fs::path& root) {
  GroupLimits limits;
  for (const Hierarchy& hierarchy : ReadHierarchies(root)) {
    AddAll(hierarchy, root, "memory", &AddMemory, limits);
    AddAll(hierarchy, root, "cpu", &AddCpus, limits);
  }
  return limits;
}

Status CheckGroupMemory(const GroupLimits& limits, std::int64_t needed, std::string_view what) {
  if (needed <= limits.available_bytes) return OkStatus();
  constexpr std::int64_t kMiB = 1 << 20;
  return absl::ResourceExhaustedError(fmt::format(
      "{} would take {} MiB of memory or more; expected at most {} MiB, what is left of the limit "
      "of {} MiB of this control group (container, batch job); raise it, or lower replay.capacity, "
      "run.bundles or network.hidden",
      what, (needed + kMiB - 1) / kMiB, limits.available_bytes / kMiB, limits.memory_bytes / kMiB));
}

}  // namespace gorila
