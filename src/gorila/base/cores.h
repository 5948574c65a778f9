// The processor cores that a process may use, and pinning threads to some of them. A core is what
// Linux counts as a CPU.
#ifndef GORILA_BASE_CORES_H_
#define GORILA_BASE_CORES_H_

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gorila/base/status.h"

namespace gorila {

// "0-3,6" as 0, 1, 2, 3, 6: ascending, each once. InvalidArgument for anything else.
StatusOr<std::vector<int>> ParseCores(std::string_view text);

// The same as text, in its shortest form.
std::string CoresText(std::span<const int> cores);

// Those that the calling thread may run on: what its affinity and its control group leave,
// ascending.
std::vector<int> AllowedCores();

// Lets the calling thread, and threads that it starts from now on, run on `cores` only. Unavailable
// when the system refuses.
Status PinThisThread(std::span<const int> cores);

// PinThisThread() until the end of this.
class PinnedThread {
 public:
  static StatusOr<std::unique_ptr<PinnedThread>> Pin(std::span<const int> cores);
  ~PinnedThread();  // in any thread
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

 private:
  PinnedThread(pid_t thread, std::vector<int> before)
      : thread_(thread), before_(std::move(before)) {}

  const pid_t thread_;
  const std::vector<int> before_;
};

// `cores` dealt out to `parts` in runs of neighbours, whose sizes differ by one at most. Empty
// where there are fewer cores than parts.
std::vector<std::vector<int>> DealOutCores(std::span<const int> cores, int parts);

struct NumaNode {
  int number = 0;
  std::vector<int> cores;
};
// The machine's memory nodes, by number; empty where the system does not say. `root`: where /sys is
// looked up; tests have their own.
std::vector<NumaNode> NumaNodes(const std::filesystem::path& root = "/");

}  // namespace gorila

#endif  // GORILA_BASE_CORES_H_
