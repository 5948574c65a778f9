// gRPC's threads.
#ifndef GORILA_RPC_CALL_THREADS_H_
#define GORILA_RPC_CALL_THREADS_H_

#include "gorila/base/thread.h"

namespace gorila::rpc {

// To be asked before the first server or channel of a process: gRPC starts about a dozen threads as
// it needs them; without them it aborts, or calls wait for ever. ResourceExhausted.
inline Status CheckCallThreads() { return CheckThreads("calls between processes", 12); }

}  // namespace gorila::rpc

#endif  // GORILA_RPC_CALL_THREADS_H_
