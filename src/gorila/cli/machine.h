// What this machine is and has.
#ifndef GORILA_CLI_MACHINE_H_
#define GORILA_CLI_MACHINE_H_

#include <cstdint>
#include <string>

namespace gorila::cli {

struct Machine {
  std::string cpu;                   // model name; "unknown CPU" where the system does not say
  int cores = 1;                     // that this process may use (affinity, quota)
  std::int64_t memory_bytes = 0;     // of the machine or, when less, its control groups
  std::int64_t available_bytes = 0;  // of memory, without swapping and within a container's limit
  std::string system;                // "Linux 6.1.0 x86_64"
};

Machine LookAtMachine();

// In one line, for reports.
std::string Describe(const Machine& machine);

// `bytes` in MiB or GiB: "74 MiB", "15.6 GiB".
std::string FormatBytes(std::int64_t bytes);

}  // namespace gorila::cli

#endif  // GORILA_CLI_MACHINE_H_
