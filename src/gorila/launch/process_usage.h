// Processor time and memory of a run's processes, from their own reports.
#ifndef GORILA_LAUNCH_PROCESS_USAGE_H_
#define GORILA_LAUNCH_PROCESS_USAGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "gorila/run/run_observer.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

// Accumulates over looks. What a process uses between the last look at it and its end is not
// counted. One thread.
class ProcessUsage {
 public:
  // `continues`: whether an earlier watch counted already what processes older than this watch have
  // used.
  explicit ProcessUsage(bool continues) : continues_(continues) {}

  // One process, as it is now. `watched_seconds`: since this watch began.
  void Look(const v1::RoleStatus& status, double watched_seconds);

  // Ends a look at all processes: sets their processor time since the watch began, and the memory
  // of those seen in this look.
  void EndLook(RunSample& sample);

 private:
  using Name = std::pair<std::string, int>;  // role, index
  struct Process {
    double seconds = 0;  // since it started
    double cpu_seconds = 0;
  };

  bool continues_;
  std::map<Name, Process> processes_;
  double cpu_seconds_ = 0;
  std::uint64_t resident_bytes_ = 0;  // in this look
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_PROCESS_USAGE_H_
