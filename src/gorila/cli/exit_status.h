#ifndef GORILA_CLI_EXIT_STATUS_H_
#define GORILA_CLI_EXIT_STATUS_H_

#include "gorila/base/status.h"

namespace gorila::cli {

// What the program ends with.
enum ExitStatus : int {
  kSuccess = 0,
  kFailure = 1,       // the machine refused, or a check found something
  kBadInput = 2,      // what was asked for can never work
  kInterrupted = 130  // by a signal
};

// kBadInput for what the caller can only cure by asking for something else, kInterrupted for
// Cancelled, else kFailure.
int ExitStatusOf(const Status& status);

}  // namespace gorila::cli

#endif  // GORILA_CLI_EXIT_STATUS_H_
