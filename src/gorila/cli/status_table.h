// What `gorila status` prints: the roles of a run as one table.
#ifndef GORILA_CLI_STATUS_TABLE_H_
#define GORILA_CLI_STATUS_TABLE_H_

#include <string>
#include <vector>

#include "gorila/v1/role.pb.h"

namespace gorila::cli {

// The answers of all roles at two instants; rates are between them.
struct StatusSamples {
  std::vector<v1::RoleStatus> before;
  std::vector<v1::RoleStatus> after;
};

// A line for each role, then counters of the whole run, refusals by reason, and the run's
// bottleneck where the figures show one. ASCII; every line ends with a newline.
std::string FormatStatus(const StatusSamples& samples);

}  // namespace gorila::cli

#endif  // GORILA_CLI_STATUS_TABLE_H_
