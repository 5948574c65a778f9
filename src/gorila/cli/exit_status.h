#ifndef GORILA_CLI_EXIT_STATUS_H_
#define GORILA_CLI_EXIT_STATUS_H_

#include "gorila/base/status.h"

namespace gorila::cli {

// Exit statuses of the program.
enum ExitStatus : int {
  kSuccess = 0,
  kFailure = 1,       // a runtime failure or a failed check
  kBadInput = 2,      // an invalid request
  kInterrupted = 130  // by a signal
};

// kBadInput for errors that only another request can avoid, kInterrupted for Cancelled, else
// kFailure.
int ExitStatusOf(const Status& status);

}  // namespace gorila::cli

#endif  // GORILA_CLI_EXIT_STATUS_H_
