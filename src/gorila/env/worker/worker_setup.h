// How the process is started that hosts an environment.
#ifndef GORILA_ENV_WORKER_WORKER_SETUP_H_
#define GORILA_ENV_WORKER_WORKER_SETUP_H_

#include <filesystem>
#include <string_view>

#include "gorila/env/external/external_name.h"
#include "gorila/env/worker/worker.h"

namespace gorila {

// Looks at files and variables and starts nothing. InvalidArgument for options that cannot be,
// NotFound where the worker is not installed.
StatusOr<WorkerSetup> MakeWorkerSetup(const ExternalName& name, const ExternalOptions& options);

// A file that is installed with gorila, by its path below the prefix ("share/gorila/..."). It is
// looked for in the folders above the program, or the library, that this code is part of: there
// builds put it too. NotFound names the folders.
StatusOr<std::filesystem::path> FindInstalledFile(std::string_view path);

}  // namespace gorila

#endif  // GORILA_ENV_WORKER_WORKER_SETUP_H_
