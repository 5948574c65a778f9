// What the processes of a run take from their machines, out of what they say of themselves.
#ifndef GORILA_LAUNCH_PROCESS_USAGE_H_
#define GORILA_LAUNCH_PROCESS_USAGE_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "gorila/run/run_observer.h"
#include "gorila/v1/role.pb.h"

namespace gorila {

// Adds up one look after another. What a process takes between the last look at it and its end is
// lost. One thread.
class ProcessUsage {
 public:
  // `goes_on`: whether somebody watched the run before. Then what processes that are older than
  // this watch have taken is counted already.
  explicit ProcessUsage(bool goes_on) : goes_on_(goes_on) {}

  // One process, as it is now. `watched_seconds`: since this watch began.
  void Look(const v1::RoleStatus& status, double watched_seconds);

  // Ends a look at all processes: gives their processor time since the watch began, and the memory
  // of those that were seen in this look.
  void EndLook(RunSample& sample);

 private:
  using Name = std::pair<std::string, int>;  // role, index
  struct Process {
    double seconds = 0;  // since it started
    double cpu_seconds = 0;
  };

  bool goes_on_;
  std::map<Name, Process> processes_;
  double cpu_seconds_ = 0;
  std::uint64_t resident_bytes_ = 0;  // in this look
};

}  // namespace gorila

#endif  // GORILA_LAUNCH_PROCESS_USAGE_H_
