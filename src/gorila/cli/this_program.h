#ifndef GORILA_CLI_THIS_PROGRAM_H_
#define GORILA_CLI_THIS_PROGRAM_H_

#include <filesystem>

#include "gorila/base/status.h"

namespace gorila::cli {

// The file that this process runs, for child processes and jobs of the same program.
StatusOr<std::filesystem::path> ThisProgram();

}  // namespace gorila::cli

#endif  // GORILA_CLI_THIS_PROGRAM_H_
