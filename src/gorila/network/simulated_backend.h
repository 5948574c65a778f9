// The backend that a simulation (simulation/) adds to the table in its own thread. Configurations
// are checked against the table, so none can name it.
#ifndef GORILA_NETWORK_SIMULATED_BACKEND_H_
#define GORILA_NETWORK_SIMULATED_BACKEND_H_

#include "gorila/network/q_network.h"

namespace gorila {

// Null in threads that simulate nothing.
inline constinit thread_local const QNetworkBackend* simulated_backend = nullptr;

}  // namespace gorila

#endif  // GORILA_NETWORK_SIMULATED_BACKEND_H_
