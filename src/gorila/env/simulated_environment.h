// The environment that a simulation (simulation/) adds to the table in its own thread.
#ifndef GORILA_ENV_SIMULATED_ENVIRONMENT_H_
#define GORILA_ENV_SIMULATED_ENVIRONMENT_H_

#include "gorila/env/registry.h"

namespace gorila {

// Null in threads that simulate nothing.
inline constinit thread_local const EnvironmentRow* simulated_environment = nullptr;

}  // namespace gorila

#endif  // GORILA_ENV_SIMULATED_ENVIRONMENT_H_
